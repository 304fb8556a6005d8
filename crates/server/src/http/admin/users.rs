//! Users: look, add, let in or not, password, grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use misario_core::id::AppId;
use misario_core::secret::SecretText;
use misario_core::user::{Grant, UserState, Username};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::PageQuery;
use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::{Instance, NewUser};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    username: Username,
    password: Option<Zeroizing<String>>,
    #[serde(default)]
    grants: BTreeMap<AppId, Grant>,
    org: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    password: Option<Zeroizing<String>>,
}

fn secret(text: Option<Zeroizing<String>>) -> Option<SecretText> {
    text.map(|text| SecretText::new(text.as_str().to_owned()))
}

pub(in crate::http) async fn list(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let page: PageQuery = call.query()?;
    let (users, next) = instance.list_users(page.after.as_deref(), page.limit()).await?;
    Ok(respond::json(&json!({ "users": users, "next": next })))
}

pub(in crate::http) async fn show(
    State(instance): State<Arc<Instance>>,
    Path(name): Path<String>,
) -> Result<Response, Fail> {
    Ok(respond::json(&json!({ "user": instance.find_user(&name).await? })))
}

pub(in crate::http) async fn add(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let New { username, password, grants, org } = call.json()?;
    let new = NewUser { username, password: secret(password), grants, org };
    let (user, made) = instance.add_user(new).await?;
    let made = made.as_ref().map(SecretText::expose);
    Ok((StatusCode::CREATED, respond::json(&json!({ "user": user, "password": made }))).into_response())
}

pub(in crate::http) async fn disable(
    State(instance): State<Arc<Instance>>,
    Path(name): Path<String>,
) -> Result<Response, Fail> {
    let (user, published) = instance.set_user_state(&name, UserState::Disabled).await?;
    Ok(respond::json(&json!({ "user": user, "published": published })))
}

pub(in crate::http) async fn enable(
    State(instance): State<Arc<Instance>>,
    Path(name): Path<String>,
) -> Result<Response, Fail> {
    let (user, _) = instance.set_user_state(&name, UserState::Active).await?;
    Ok(respond::json(&json!({ "user": user })))
}

pub(in crate::http) async fn password(
    State(instance): State<Arc<Instance>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Fail> {
    let sent: Password = call.json_or_default()?;
    let (made, published) = instance.set_password(&name, secret(sent.password)).await?;
    let made = made.as_ref().map(SecretText::expose);
    Ok(respond::json(&json!({ "password": made, "published": published })))
}

pub(in crate::http) async fn grant(
    State(instance): State<Arc<Instance>>,
    Path((name, app)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Fail> {
    let grant: Grant = call.json()?;
    let (user, published) = instance.set_grant(&name, &AppId::new(&app)?, grant).await?;
    Ok(respond::json(&json!({ "user": user, "published": published })))
}
