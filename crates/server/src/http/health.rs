//! `GET /healthz`: the process answers. `GET /readyz`: it can do its work.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use super::respond;
use crate::instance::Instance;

pub(super) async fn alive() -> Response {
    respond::json(&json!({ "status": "ok" }))
}

pub(super) async fn ready(State(instance): State<Arc<Instance>>) -> Response {
    let store = instance.store_answers().await.err().map_or("ok", |error| error.code());
    let lease = if instance.holds_lease() { "held" } else { "none" };
    let ready = store == "ok" && lease == "held";
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "status": if ready { "ready" } else { "not ready" }, "store": store, "lease": lease });
    (status, respond::json(&body)).into_response()
}
