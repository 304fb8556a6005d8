//! `GET /.well-known/jwks.json`: the keys that verify this issuer's tokens, for any library.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::instance::Instance;

pub(super) async fn jwks(State(instance): State<Arc<Instance>>) -> Response {
    // Public, and short-lived enough that a stock client knows a new key before the old one is gone.
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, instance.jwks()).into_response()
}
