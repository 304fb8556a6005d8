//! Revoke: a token, a login, a user, an app, a client, a key, or everything.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use misario_core::changes::Target;
use misario_core::id::{AppId, ClientId, SessionId, Subject};
use serde::Deserialize;

use crate::error::Error;
use crate::http::call::Call;
use crate::http::problem::Fail;
use crate::http::respond;
use crate::instance::{Instance, Wait};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    target: Named,
    wait: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Token(String),
    Login(SessionId),
    /// By user name, else by subject.
    User(String),
    /// By subject, also where somebody's user name reads the same.
    Subject(Subject),
    App(AppId),
    Client(ClientId),
    Key(String),
    Everything,
}

pub(in crate::http) async fn revoke(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let sent: Revoke = call.json()?;
    let wait = if sent.wait == Some(false) { Wait::No } else { Wait::Yes };
    let target = target(&instance, sent.target).await?;
    Ok(respond::json(&instance.revoke(target, wait).await?))
}

async fn target(instance: &Instance, named: Named) -> Result<Target, Error> {
    Ok(match named {
        Named::Token(jti) => Target::Token(jti),
        Named::Login(sid) => Target::Login(sid),
        Named::User(name) => Target::User(instance.subject_named(&name).await?),
        Named::Subject(subject) => Target::User(subject),
        Named::App(app) => Target::App(instance.app(&app)?.id.clone()),
        Named::Client(client) => Target::Client(client),
        Named::Key(kid) => Target::Key(kid),
        Named::Everything => Target::Everything,
    })
}
