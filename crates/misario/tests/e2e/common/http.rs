//! A client that says exactly what a test wants, and shows exactly what comes back.

use std::time::Duration;

use base64_simd::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;

/// Longer than any answer may take; what is later counts as no answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(2);

/// A client with connections of its own.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

/// A request to be sent.
pub(crate) struct Request {
    request: http::Request<Full<Bytes>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    pub(crate) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one client of these tests; its patience is set above")]
        let mut builder = Client::builder(TokioExecutor::new());
        // Shorter than the five seconds after which a server closes a connection without a request: none is used in the
        // moment of its end, however busy the machine is.
        builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
        Self(builder.build_http())
    }

    /// The answer; `None` if there was none, which tells nothing about what happened.
    pub(crate) async fn ask(&self, request: Request) -> Option<Reply> {
        let answered = async {
            let (parts, body) = self.0.request(request.request).await.ok()?.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some(Reply { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, answered).await.ok()?
    }

    pub(crate) async fn send(&self, request: Request) -> Reply {
        let what = format!("{} {}", request.request.method(), request.request.uri());
        self.ask(request).await.unwrap_or_else(|| panic!("no answer to {what}"))
    }
}

impl Request {
    pub(crate) fn new(method: Method, url: &str) -> Self {
        let request = http::Request::builder().method(method).uri(url).body(Full::default()).unwrap();
        Self { request }
    }

    pub(crate) fn get(url: &str) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn post(url: &str) -> Self {
        Self::new(Method::POST, url)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.request.headers_mut().append(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub(crate) fn client(self, id: &str, secret: &str) -> Self {
        let encoded = STANDARD.encode_to_string(format!("{id}:{secret}"));
        self.header(AUTHORIZATION.as_str(), &format!("Basic {encoded}"))
    }

    /// With cookies, and the proof that a browser sends for a script of the page's own origin.
    pub(crate) fn cookies(self, jar: &Jar) -> Self {
        let line: Vec<_> = jar.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.header(COOKIE.as_str(), &line.join("; ")).same_origin()
    }

    pub(crate) fn same_origin(self) -> Self {
        self.header("sec-fetch-site", "same-origin")
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        *self.request.body_mut() = Full::from(body.to_string());
        self.header(CONTENT_TYPE.as_str(), "application/json")
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A string of the body.
    pub(crate) fn text(&self, key: &str) -> String {
        let value = self.json()[key].as_str().map(str::to_owned);
        value.unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }

    pub(crate) fn has(&self, status: u16) -> bool {
        self.status.as_u16() == status
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

/// A browser's cookies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(Vec<(String, String)>);

impl Jar {
    /// Keeps what the answer sets, forgets what it clears.
    pub(crate) fn keep(&mut self, reply: &Reply) {
        for line in reply.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            if !line.ends_with("Max-Age=0") {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn with(name: &str, value: &str) -> Self {
        Self(vec![(name.to_owned(), value.to_owned())])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
