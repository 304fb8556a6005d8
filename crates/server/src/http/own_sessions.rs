//! `GET /v1/sessions` and `DELETE /v1/sessions/{sid}`: one's own logins.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use misario_core::id::SessionId;
use serde_json::json;

use super::call::Call;
use super::problem::Fail;
use super::respond;
use crate::error::InputFault;
use crate::instance::Instance;

pub(super) async fn list(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let facts = Arc::clone(call.permit()?.principal().facts());
    let app = instance.app(&facts.app)?;
    let sessions = instance.own_sessions(&app, &facts.subject, facts.sid).await?;
    Ok(respond::json(&json!({ "sessions": sessions })))
}

pub(super) async fn end(
    State(instance): State<Arc<Instance>>,
    Path(sid): Path<String>,
    call: Call,
) -> Result<Response, Fail> {
    let subject = call.permit()?.principal().facts().subject.clone();
    // A text that is no handle names nobody's login: the same answer as for somebody else's.
    let sid: SessionId = sid.parse().map_err(|_| InputFault::NotFound { what: "session" })?;
    instance.end_own_session(&subject, sid).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
