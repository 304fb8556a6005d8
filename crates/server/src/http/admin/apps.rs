//! Apps: look, add, change; a change of mode is a change like any other.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use misario_core::id::AppId;
use serde_json::json;

use crate::error::InputFault;
use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::{Instance, NewApp, PatchApp};

pub(in crate::http) async fn list(State(instance): State<Arc<Instance>>) -> Result<Response, Fail> {
    Ok(respond::json(&json!({ "apps": instance.list_apps().await? })))
}

pub(in crate::http) async fn show(
    State(instance): State<Arc<Instance>>,
    Path(id): Path<String>,
) -> Result<Response, Fail> {
    let id = AppId::new(&id)?;
    let found = instance.list_apps().await?.into_iter().find(|record| record.app.id == id);
    Ok(respond::json(&found.ok_or(InputFault::NotFound { what: "app" })?))
}

pub(in crate::http) async fn add(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let new: NewApp = call.json()?;
    let (app, published) = instance.add_app(new).await?;
    Ok((StatusCode::CREATED, respond::json(&json!({ "app": app, "published": published }))).into_response())
}

pub(in crate::http) async fn change(
    State(instance): State<Arc<Instance>>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, Fail> {
    let patch: PatchApp = call.json()?;
    let (app, published) = instance.change_app(&AppId::new(&id)?, patch).await?;
    Ok(respond::json(&json!({ "app": app, "published": published })))
}
