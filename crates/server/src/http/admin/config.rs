//! The settings in force. Secrets are not among them: only whether they are set.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::Instance;

pub(in crate::http) async fn show(State(instance): State<Arc<Instance>>) -> Result<Response, Fail> {
    let config = &instance.config;
    Ok(respond::json(&json!({
        "issuer": config.issuer,
        "leeway": config.leeway,
        "lease_ms": u64::try_from(config.lease.as_millis()).unwrap_or(u64::MAX),
        "policies": config.policies.keys().collect::<Vec<_>>(),
        "demo": config.demo,
        "bootstrap_secret": if config.bootstrap_secret.is_some() { "set" } else { "not set" },
        "apps": instance.list_apps().await?,
    })))
}
