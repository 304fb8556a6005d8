//! Headers that every response has, errors included.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue, SET_COOKIE, STRICT_TRANSPORT_SECURITY, VARY};
use serde::Serialize;

use crate::error::Error;
use crate::instance::{Handed, Instance};

/// Strict by default; a page that needs more says so itself.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const NO_STORE: &str = "private, no-store";
const VARIES: &str = "Cookie, Authorization, Sec-Fetch-Site, Origin";

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// The router with the headers on all its responses.
pub(super) fn with_headers(router: Router<Arc<Instance>>) -> Router<Arc<Instance>> {
    router.layer(map_response(async |mut response: Response| {
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
        }
        // Only what says otherwise may be stored: the key set and the style sheet do. Refusals depend on who asks, too.
        let cache = headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(NO_STORE));
        if cache == NO_STORE {
            headers.entry(VARY).or_insert(HeaderValue::from_static(VARIES));
        }
        response
    }))
}

/// The router with HSTS on all its responses (RFC 6797). Whether there is TLS is what the issuer's URL says, not what a
/// request says: a proxy in front ends the connection.
pub(super) fn with_transport_security(router: Router) -> Router {
    const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
    router.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, A_YEAR);
        response
    }))
}

/// The credentials as a response: body, cookies, and nothing that a cache could keep.
pub(super) fn handed(handed: &Handed) -> Result<Response, Error> {
    let mut response = axum::Json(handed.body()).into_response();
    set_cookies(&mut response, handed.set_cookies()?);
    Ok(response)
}

/// Adds `Set-Cookie` lines.
pub(super) fn set_cookies(response: &mut Response, lines: Vec<String>) {
    for line in lines {
        // Names are checked at configuration and values are base64url, so every line is a header value.
        if let Ok(mut value) = HeaderValue::from_str(&line) {
            value.set_sensitive(true);
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    private(response);
}

/// Marks the response as one that depends on who asks.
pub(super) fn private(response: &mut Response) {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    response.headers_mut().insert(VARY, HeaderValue::from_static(VARIES));
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    axum::Json(value).into_response()
}

/// The router with a limit on the time until a response begins: a store that hangs holds nobody for ever.
pub(super) fn in_time<S: Clone + Send + Sync + 'static>(router: Router<S>, limit: Duration) -> Router<S> {
    router.layer(from_fn(move |request: Request, next: Next| async move {
        if let Ok(response) = tokio::time::timeout(limit, next.run(request)).await {
            return response;
        }
        let after_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        super::problem::Fail(misario_core::store::StoreError::Timeout { after_ms }.into()).into_response()
    }))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_request_that_hangs_is_answered_all_the_same() {
        let router = Router::new().route("/hangs", get(std::future::pending::<()>)).route("/works", get(async || ()));
        for (path, limit, status) in
            [("/works", Duration::from_mins(1), 200), ("/hangs", Duration::from_millis(1), 503)]
        {
            let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
            assert_eq!(in_time(router.clone(), limit).oneshot(request).await.unwrap().status(), status, "{path}");
        }
    }
}
