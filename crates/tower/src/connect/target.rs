//! Where the authority is, and who connects to it.

use base64_simd::STANDARD;
use http::header::HeaderValue;
use http::uri::{Authority, Scheme};
use http::{Uri, uri};
use misario_core::id::ClientId;
use misario_core::secret::{ClientSecret, SecretText};

use super::ConnectError;

/// The authority's address with this client's credential.
pub(crate) struct Target {
    authority: Authority,
    base: String,
    basic: HeaderValue,
}

impl Target {
    pub(crate) fn new(url: &str, client: &ClientId, secret: &SecretText) -> Result<Self, ConnectError> {
        let uri: Uri = url.parse().map_err(|_| ConnectError::UrlInvalid)?;
        let parts = uri.into_parts();
        match parts.scheme {
            Some(scheme) if scheme == Scheme::HTTP => {}
            Some(scheme) if scheme == Scheme::HTTPS => return Err(ConnectError::TlsUnsupported),
            _ => return Err(ConnectError::UrlInvalid),
        }
        // A user name in a URL would end up in logs, with its password.
        let authority = parts.authority.filter(|authority| !authority.as_str().contains('@'));
        let path = parts.path_and_query.as_ref();
        if path.is_some_and(|path| path.query().is_some()) {
            return Err(ConnectError::UrlInvalid);
        }
        let base = path.map_or("", uri::PathAndQuery::path).trim_end_matches('/').to_owned();
        if !ClientSecret::is_well_formed(secret.expose()) {
            return Err(ConnectError::SecretInvalid);
        }
        let text = STANDARD.encode_to_string(format!("{client}:{}", secret.expose()));
        let mut basic = HeaderValue::from_str(&format!("Basic {text}")).map_err(|_| ConnectError::SecretInvalid)?;
        basic.set_sensitive(true);
        Ok(Self { authority: authority.ok_or(ConnectError::UrlInvalid)?, base, basic })
    }

    /// The client's credential, for a header.
    pub(crate) const fn basic(&self) -> &HeaderValue {
        &self.basic
    }

    /// The URL of a WebSocket at `path`.
    pub(crate) fn websocket(&self, path: &str) -> String {
        format!("ws://{}{}{path}", self.authority, self.base)
    }

    /// The URL of `path`, which may have a query.
    pub(crate) fn http(&self, path: &str) -> Option<Uri> {
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(format!("{}{path}", self.base))
            .build()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client_secret;

    fn target(url: &str) -> Result<Target, ConnectError> {
        Target::new(url, &ClientId::new("web-backend").unwrap(), &client_secret(7))
    }

    #[test]
    fn a_url_is_where_the_authority_is() {
        for (url, feed) in [
            ("http://127.0.0.1:8420", "ws://127.0.0.1:8420/v1/feed"),
            ("http://auth.example.com/", "ws://auth.example.com/v1/feed"),
            ("http://example.com/auth/", "ws://example.com/auth/v1/feed"),
            ("http://[::1]:1", "ws://[::1]:1/v1/feed"),
        ] {
            assert_eq!(target(url).map(|target| target.websocket("/v1/feed")).ok(), Some(feed.to_owned()));
        }
        let target = target("http://example.com/auth").unwrap();
        assert_eq!(target.http("/v1/me?x=1").unwrap(), "http://example.com/auth/v1/me?x=1");
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for url in ["", "auth.example.com", "ftp://a", "http://user@a", "http://a/?x=1", "/v1", "http://"] {
            assert!(matches!(target(url), Err(ConnectError::UrlInvalid)), "{url:?}");
        }
        assert!(matches!(target("https://a"), Err(ConnectError::TlsUnsupported)));
    }

    #[test]
    fn what_has_not_the_form_of_a_secret_is_sent_nowhere() {
        let whole = client_secret(7);
        let whole = whole.expose();
        for text in
            ["", "mcs_", "hunter2", &whole[..whole.len() - 1], &format!("{whole}\n"), &whole.replace("mcs", "mst")]
        {
            let client = ClientId::new("web-backend").unwrap();
            let made = Target::new("http://a", &client, &SecretText::new(text.to_owned()));
            assert!(matches!(made, Err(ConnectError::SecretInvalid)), "{text:?}");
        }
    }

    #[test]
    fn the_credential_is_basic_and_does_not_print() {
        let target = target("http://a").unwrap();
        let text = format!("web-backend:{}", client_secret(7).expose());
        assert_eq!(target.basic(), &format!("Basic {}", STANDARD.encode_to_string(text)));
        assert_eq!(format!("{:?}", target.basic()), "Sensitive");
    }
}
