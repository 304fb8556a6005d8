//! Who follows the change log, and how far they are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::Instance;

pub(in crate::http) async fn list(State(instance): State<Arc<Instance>>) -> Result<Response, Fail> {
    Ok(respond::json(&json!({ "replicas": instance.replicas() })))
}
