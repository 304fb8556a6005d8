//! Requests and answers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use misario_jose::b64u;
use serde_json::Value;

use crate::data::run_file::Credential;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Call {
    /// A request without a body.
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// `GET path`.
    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST path` with this JSON.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::new(Method::POST, path).json(body)
    }

    /// With this JSON as its body.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Bytes::from(body.to_string());
        self
    }

    /// With this header; one whose value cannot be a header's is left out, and the server will miss it.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// With this access token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// As a request of this app's.
    pub(crate) fn for_app(mut self, app: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static("misario-app"), HeaderValue::from_static(app));
        self
    }

    /// With this client's credential.
    pub(crate) fn client(self, client: &Credential) -> Self {
        self.header(header::AUTHORIZATION, &basic(client))
    }
}

/// RFC 7617. Ids and secrets of ours have no colon and no octet outside ASCII.
fn basic(client: &Credential) -> String {
    let url = b64u::encode(format!("{}:{}", client.id, client.secret.expose()).as_bytes());
    let mut plain = url.replace('-', "+").replace('_', "/");
    while !plain.len().is_multiple_of(4) {
        plain.push('=');
    }
    format!("Basic {plain}")
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The problem's code; empty when the answer is none (RFC 9457).
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use misario_core::secret::SecretText;

    use super::*;

    #[test]
    fn a_client_shows_itself_as_rfc_7617_says() {
        let client = Credential { id: "Aladdin".into(), secret: SecretText::new("open sesame".into()) };
        assert_eq!(basic(&client), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let call = Call::get("/").client(&client);
        assert!(!format!("{call:?}").contains("QWxh"), "credentials do not print");
    }
}
