//! Issue a token by hand: for trying things, and for jobs that run as somebody.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use misario_core::id::{AppId, Subject};
use serde::Deserialize;
use serde_json::json;

use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::{Instance, IssueByHand};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    app: AppId,
    subject: Subject,
    #[serde(default)]
    roles: Vec<String>,
    ttl: Option<u64>,
}

pub(in crate::http) async fn issue(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let Issue { app, subject, roles, ttl } = call.json()?;
    let app = instance.app(&app)?;
    let (token, expires_in) = instance.issue_by_hand(IssueByHand { app, subject, roles, ttl }).await?;
    Ok(respond::json(&json!({ "access_token": token.expose(), "token_type": "Bearer", "expires_in": expires_in })))
}
