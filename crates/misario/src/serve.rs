//! Serving the app in this process.

use std::net::SocketAddr;

use axum::Router;

use crate::Misario;
use crate::embedded::told_to_stop;
use crate::handle::Kind;

/// The app is not served, or not any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Whoever comes from another machine would be given cookies that anybody in between can read and set.
    #[error(
        "no https origin is given, so cookies are unprotected, and {address} can be reached from other machines: say \
         `.origin(\"https://…\".parse()?)` and put a proxy with TLS in front, or serve on 127.0.0.1"
    )]
    OriginMissing {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// Nothing can be accepted there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where, as it was given.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Serving ended otherwise than asked.
    #[error(transparent)]
    Served(#[from] misario_server::ServeError),
}

impl ServeError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("serve_origin_missing", "An app without an https origin is to be served to other machines."),
        ("serve_listen", "The address to serve on cannot be listened on."),
        ("serve_failed", "Serving ended otherwise than asked."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OriginMissing { .. } => "serve_origin_missing",
            Self::Listen { .. } => "serve_listen",
            Self::Served(_) => "serve_failed",
        }
    }
}

impl Misario {
    /// Serves the app until the process is told to stop by Ctrl-C or SIGTERM, with limits on heads, connections and
    /// time; plain HTTP, for loopback or behind a proxy that ends TLS.
    ///
    /// # Errors
    /// `serve_origin_missing` where the address can be reached from other machines and no https origin was given.
    pub async fn serve(&self, address: &str, app: Router) -> Result<(), ServeError> {
        let failed = |source| ServeError::Listen { address: address.to_owned(), source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        if !bound.ip().to_canonical().is_loopback() && self.is_unprotected() {
            return Err(ServeError::OriginMissing { address: bound });
        }
        misario_server::serve(listener, app, told_to_stop()).await?;
        self.shutdown().await;
        Ok(())
    }

    /// Whether cookies are set for development. A connected app's origins are its authority's affair.
    const fn is_unprotected(&self) -> bool {
        match &self.kind {
            Kind::Embedded(hosted) => !hosted.has_https,
            #[cfg(feature = "connect")]
            Kind::Connected(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_variants() {
        let io = || std::io::Error::other("");
        let all = [
            ServeError::OriginMissing { address: SocketAddr::from(([0, 0, 0, 0], 80)) },
            ServeError::Listen { address: String::new(), source: io() },
            misario_server::ServeError::Listener { source: io() }.into(),
        ];
        let codes: Vec<_> = all.iter().map(ServeError::code).collect();
        assert_eq!(codes, ServeError::CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    }
}
