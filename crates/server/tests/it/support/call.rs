//! A request and its answer.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use base64_simd::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Host, rules};

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) address: SocketAddr,
}

impl Call {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let address = "203.0.113.7:40000".parse().unwrap();
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new(), address }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self
    }

    pub(crate) fn app(self, app: &str) -> Self {
        self.header("misario-app", app)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        self.header("authorization", basic(id, secret))
    }

    pub(crate) fn cookie(self, pairs: &str) -> Self {
        self.header("cookie", pairs)
    }

    /// As a browser sends it from a page of the app.
    pub(crate) fn same_origin(self, app: &str) -> Self {
        self.header("sec-fetch-site", "same-origin").header("origin", super::origin(app))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string().as_bytes())
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        self.raw("application/x-www-form-urlencoded", serde_urlencoded::to_string(fields).unwrap().as_bytes())
    }

    pub(crate) fn raw(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-type", content_type)
    }

    pub(crate) fn peer(mut self, peer: &str) -> Self {
        self.address = format!("{peer}:40000").parse().unwrap();
        self
    }

    pub(crate) async fn send(self, host: &Host) -> Answer {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.header(name, HeaderValue::from_bytes(value).unwrap());
        }
        let mut request = request.body(Body::from(self.body.clone())).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.address));
        let response = host.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        rules::hold(&self, &answer);
        host.secrets.lock().unwrap().extend(answer.credentials());
        answer
    }
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode_to_string(format!("{id}:{secret}")))
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {:?}", self.text(), self.headers);
        self
    }

    /// With the problem's code, for comparing.
    pub(crate) fn told(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The credentials in it, wherever they are.
    fn credentials(&self) -> Vec<String> {
        let body = self.json();
        let names = ["access_token", "refresh_token", "secret", "password", "csrf_token"];
        let in_body = names.into_iter().filter_map(|name| body[name].as_str().map(str::to_owned));
        in_body.chain(self.cookies().into_iter().map(|cookie| cookie.value)).filter(|text| !text.is_empty()).collect()
    }

    pub(crate) fn cookies(&self) -> Vec<SetCookie> {
        let lines = self.headers.get_all("set-cookie");
        lines.iter().map(|line| SetCookie::parse(line.to_str().unwrap())).collect()
    }
}

/// A `Set-Cookie` line, read as strictly as RFC 6265bis writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl SetCookie {
    fn parse(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let pair =
            |text: &str| text.split_once('=').map_or((text.into(), String::new()), |(n, v)| (n.into(), v.into()));
        Self { name: name.to_owned(), value: value.to_owned(), attributes: parts.map(pair).collect() }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn max_age(&self) -> u64 {
        self.attribute("Max-Age").unwrap().parse().unwrap()
    }
}
