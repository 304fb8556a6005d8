//! Why an app could not connect.

use misario_core::id::InvalidName;

/// Why an app could not connect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is none.
    #[error("the authority's URL must be http://host:port, without user name and query")]
    UrlInvalid,
    /// This version speaks plain HTTP only.
    #[error(
        "https:// to the authority is not supported by this version: use http:// on a network that you trust, such as loopback or a private one"
    )]
    TlsUnsupported,
    /// The client's name is none.
    #[error("the client id: {error}")]
    ClientInvalid {
        /// What is wrong with it.
        error: InvalidName,
    },
    /// The app's name is none.
    #[error("the app: {error}")]
    AppInvalid {
        /// What is wrong with it.
        error: InvalidName,
    },
    /// The secret has not the form of one.
    #[error("the client secret has not the form of one (mcs_…): give the text that was printed once, without blanks")]
    SecretInvalid,
    /// The authority refused the client, with 401 or 403. Any other answer is waited out.
    #[error(
        "the authority refused the client with status {status}: check client id, secret, the right `feed`, and whose client it is"
    )]
    Refused {
        /// Its answer.
        status: u16,
    },
    /// The authority could not be reached in time.
    #[error("nothing came from the authority within {seconds} s (last: {})", last.unwrap_or("nothing"))]
    Unreachable {
        /// How long was waited.
        seconds: u64,
        /// The code of the last failure.
        last: Option<&'static str>,
    },
    /// The authority was reached, and granted no lease in time.
    #[error("the authority granted no lease within {seconds} s (last: {})", last.unwrap_or("nothing"))]
    NoLease {
        /// How long was waited.
        seconds: u64,
        /// The code of the last failure.
        last: Option<&'static str>,
    },
    /// The app is not one of the authority's.
    #[error("the authority has no app {app}")]
    AppUnknown {
        /// Which.
        app: misario_core::id::AppId,
    },
}

impl ConnectError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("connect_url_invalid", "The authority's URL is not http://host:port."),
        ("connect_tls_unsupported", "The authority's URL is https://, which this version does not speak."),
        ("name_invalid", "The client id is not of the form that client ids have."),
        ("connect_app_invalid", "The app's name is not of the form that names of apps have."),
        ("connect_secret_invalid", "The client secret has not the form of one (mcs_…)."),
        (
            "connect_refused",
            "The authority refused the client: check client id, secret, the right `feed`, and whose client it is.",
        ),
        ("connect_unreachable", "Nothing came from the authority in time."),
        ("connect_no_lease", "The authority was reached and granted no lease in time."),
        ("connect_app_unknown", "The authority has no app of that name."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UrlInvalid => "connect_url_invalid",
            Self::TlsUnsupported => "connect_tls_unsupported",
            Self::ClientInvalid { error } => error.code(),
            Self::AppInvalid { .. } => "connect_app_invalid",
            Self::SecretInvalid => "connect_secret_invalid",
            Self::Refused { .. } => "connect_refused",
            Self::Unreachable { .. } => "connect_unreachable",
            Self::NoLease { .. } => "connect_no_lease",
            Self::AppUnknown { .. } => "connect_app_unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use misario_core::id::{AppId, ClientId};

    use super::*;

    #[test]
    fn the_codes_are_those_of_the_variants() {
        let all = [
            ConnectError::UrlInvalid,
            ConnectError::TlsUnsupported,
            ConnectError::ClientInvalid { error: ClientId::new("").unwrap_err() },
            ConnectError::AppInvalid { error: AppId::new("").unwrap_err() },
            ConnectError::SecretInvalid,
            ConnectError::Refused { status: 401 },
            ConnectError::Unreachable { seconds: 1, last: None },
            ConnectError::NoLease { seconds: 1, last: None },
            ConnectError::AppUnknown { app: AppId::new("web").unwrap() },
        ];
        let codes: Vec<_> = all.iter().map(ConnectError::code).collect();
        assert_eq!(codes, ConnectError::CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    }
}
