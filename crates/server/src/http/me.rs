//! `GET /v1/me`: who the caller is, whatever credential they show.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::call::Call;
use super::problem::Fail;
use super::respond;
use crate::instance::Instance;

pub(super) async fn me(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let principal = call.permit()?.principal().clone();
    let facts = principal.facts();
    let mode = instance.app(&facts.app)?.mode;
    Ok(respond::json(&json!({
        "subject": facts.subject,
        "app": facts.app,
        "mode": mode,
        "sid": facts.sid,
        "kind": facts.kind,
        "transport": facts.transport,
        "roles": facts.roles,
        "permissions": facts.permissions,
        "scopes": facts.scopes,
        "org": facts.org,
        "amr": facts.amr,
        "auth_time": facts.auth_time,
        "login_expires_at": facts.login_exp,
        "client": facts.client,
    })))
}
