//! What a client is told: RFC 9457 problem bodies with coarse codes.
//!
//! Precise inside, uniform outside: the log has the precise code of a refusal under the reference id that the body
//! shows, and the body tells no more than a client can act on. It never tells a bad credential from another bad one.

mod public;
#[cfg(test)]
mod tests;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, header};
use misario_core::authn::Rejection;
use misario_jose::Entropy;
use serde::Serialize;

pub use public::CODES;

/// A problem body with its status and headers.
#[derive(Debug, Clone)]
pub struct Problem(Box<Told>);

/// Boxed, because it is the error half of nearly every answer.
#[derive(Debug, Clone)]
struct Told {
    status: StatusCode,
    code: &'static str,
    reference: String,
    detail: Option<String>,
    headers: HeaderMap,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    r#ref: &'a str,
}

impl Problem {
    /// A problem with this status and public code, and a fresh reference id. It is not logged: whoever makes it knows
    /// what to say.
    pub fn new(status: StatusCode, code: &'static str, entropy: &dyn Entropy) -> Self {
        let (reference, headers) = (reference(entropy), HeaderMap::new());
        Self(Box::new(Told { status, code, reference, detail: None, headers }))
    }

    /// What the rejection looks like from outside. The precise code goes to the log, under the same reference id.
    pub fn rejected(rejection: &Rejection, entropy: &dyn Entropy) -> Self {
        let public = public::of(rejection);
        let mut problem = Self::new(public.status, public.code, entropy);
        if let Some(challenge) = public.challenge {
            problem = problem.header(header::WWW_AUTHENTICATE, challenge);
        }
        if public.status == StatusCode::SERVICE_UNAVAILABLE {
            problem = problem.header(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        problem.logged(rejection.code())
    }

    /// A handler asks who the caller is, and no layer has checked.
    pub(crate) fn layer_missing(entropy: &dyn Entropy) -> Self {
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", entropy);
        tracing::error!(
            reference = problem.reference(),
            "an extractor is used without AuthLayer or RequireLayer around it"
        );
        problem
    }

    /// A handler asks for a login, and the caller is a client that speaks for itself.
    pub(crate) fn login_required(entropy: &dyn Entropy) -> Self {
        Self::new(StatusCode::FORBIDDEN, "login_required", entropy).logged("login_required")
    }

    /// Logs the refusal under this precise code.
    pub fn logged(self, precise: &'static str) -> Self {
        tracing::info!(
            code = precise,
            status = self.0.status.as_u16(),
            reference = self.reference(),
            "request refused"
        );
        self
    }

    /// With this precise code in the body: for callers who administer this instance.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.0.code = code;
        self
    }

    /// With this explanation in the body: for callers who administer this instance, and for faults of a request that
    /// tell nothing about credentials.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// With this header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Its code, as the body shows it.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Its reference id, as body and log show it.
    pub fn reference(&self) -> &str {
        &self.0.reference
    }

    /// The response, with a body of any type that can be made of octets.
    pub fn into_http<B: From<Bytes>>(self) -> http::Response<B> {
        let body = Body {
            r#type: "about:blank",
            // RFC 9457 §4.2.1: with "about:blank", the title should be the status's own phrase.
            title: self.0.status.canonical_reason().unwrap_or("Error"),
            status: self.0.status.as_u16(),
            code: self.0.code,
            detail: self.0.detail.as_deref(),
            r#ref: &self.0.reference,
        };
        let octets = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = http::Response::new(B::from(Bytes::from(octets)));
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_http()
    }
}

/// The response to a rejected request; see [`Problem::rejected`].
pub fn respond(rejection: &Rejection, entropy: &dyn Entropy) -> Response {
    Problem::rejected(rejection, entropy).into_http()
}

/// 64 random bits, as 16 hexadecimal digits: enough to find one refusal in a log.
fn reference(entropy: &dyn Entropy) -> String {
    let mut octets = [0; 8];
    entropy.fill(&mut octets);
    format!("{:016x}", u64::from_be_bytes(octets))
}
