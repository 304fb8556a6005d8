//! Everybody's logins.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::store::SessionFilter;
use serde::Deserialize;
use serde_json::json;

use super::PageQuery;
use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::Instance;

#[derive(Deserialize)]
struct Filter {
    /// Exactly.
    subject: Option<Subject>,
    /// By user name, else by subject.
    user: Option<String>,
    app: Option<AppId>,
}

pub(in crate::http) async fn list(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let (filter, page): (Filter, PageQuery) = (call.query()?, call.query()?);
    let after = page.after.as_deref().map(str::parse::<SessionId>).transpose()?;
    let subject = match (filter.subject, &filter.user) {
        (Some(subject), _) => Some(subject),
        (None, Some(name)) => Some(instance.subject_named(name).await?),
        (None, None) => None,
    };
    let filter = match (subject, filter.app) {
        (Some(subject), Some(app)) => SessionFilter::OfIn(subject, app),
        (Some(subject), None) => SessionFilter::Of(subject),
        (None, Some(app)) => SessionFilter::In(app),
        (None, None) => SessionFilter::All,
    };
    let (sessions, next) = instance.list_sessions(filter, after, page.limit()).await?;
    Ok(respond::json(&json!({ "sessions": sessions, "next": next })))
}
