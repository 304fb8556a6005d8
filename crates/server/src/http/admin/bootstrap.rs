//! The first administrator, by a one-time secret: there are no default accounts.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use misario_core::app::BUILT_IN;
use misario_core::id::AppId;
use misario_core::secret::SecretText;
use misario_core::user::Username;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::{login, respond};
use crate::instance::Instance;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bootstrap {
    secret: Zeroizing<String>,
    username: Username,
    password: Zeroizing<String>,
}

pub(in crate::http) async fn bootstrap(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let sent: Bootstrap = call.json()?;
    let app = instance.app(&AppId::new(BUILT_IN)?)?;
    login::prove_origin(&instance, &call, &app, false, None)?;
    let password = SecretText::new(sent.password.as_str().to_owned());
    let user = instance.bootstrap(&sent.secret, sent.username, password).await?;
    Ok((StatusCode::CREATED, respond::json(&json!({ "user": user }))).into_response())
}
