//! Clients: look, add, rotate, disable. A secret is told once, to whoever made it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use misario_core::client::{Client, Right};
use misario_core::id::{AppId, ClientId};
use misario_core::secret::SecretText;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::{Instance, NewClient};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    id: ClientId,
    app: Option<AppId>,
    #[serde(default)]
    rights: BTreeSet<Right>,
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    #[serde(default)]
    drop_old: bool,
}

/// Everything but the digests.
fn view(client: &Client) -> Value {
    json!({
        "id": client.id,
        "app": client.app,
        "rights": client.rights,
        "scopes": client.scopes,
        "disabled": client.disabled,
        "created": client.created,
    })
}

fn with_secret(status: StatusCode, client: &Client, secret: &SecretText) -> Response {
    (status, respond::json(&json!({ "client": view(client), "secret": secret.expose() }))).into_response()
}

pub(in crate::http) async fn list(State(instance): State<Arc<Instance>>) -> Result<Response, Fail> {
    let clients = instance.list_clients().await?;
    Ok(respond::json(&json!({ "clients": clients.iter().map(view).collect::<Vec<_>>() })))
}

pub(in crate::http) async fn add(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let New { id, app, rights, scopes } = call.json()?;
    let (client, secret) = instance.add_client(NewClient { id, app, rights, scopes }).await?;
    Ok(with_secret(StatusCode::CREATED, &client, &secret))
}

pub(in crate::http) async fn rotate(
    State(instance): State<Arc<Instance>>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, Fail> {
    let sent: Rotate = call.json_or_default()?;
    let (client, secret) = instance.rotate_client(&ClientId::new(&id)?, sent.drop_old).await?;
    Ok(with_secret(StatusCode::OK, &client, &secret))
}

pub(in crate::http) async fn disable(
    State(instance): State<Arc<Instance>>,
    Path(id): Path<String>,
) -> Result<Response, Fail> {
    let (client, published) = instance.disable_client(&ClientId::new(&id)?).await?;
    Ok(respond::json(&json!({ "client": view(&client), "published": published })))
}
