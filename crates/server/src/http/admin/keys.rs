//! Signing keys: look, make.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use misario_jose::Algorithm;
use serde::Deserialize;
use serde_json::json;

use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::Instance;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    alg: Algorithm,
}

pub(in crate::http) async fn list(State(instance): State<Arc<Instance>>) -> Result<Response, Fail> {
    Ok(respond::json(&json!({ "keys": instance.list_keys().await? })))
}

pub(in crate::http) async fn generate(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let New { alg } = call.json()?;
    let (key, published) = instance.generate_key(alg).await?;
    Ok((StatusCode::CREATED, respond::json(&json!({ "key": key, "published": published }))).into_response())
}
