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

/// What to do about a grant: `{"roles","permissions"}` takes its place, `{"add","remove"}` changes its roles as they are
/// when the change is written, so that two administrators at once undo nothing of each other's.
#[derive(Deserialize)]
#[serde(try_from = "SentGrant")]
enum GrantChange {
    Whole(Grant),
    Roles { add: Vec<String>, remove: Vec<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentGrant {
    roles: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    add: Option<Vec<String>>,
    remove: Option<Vec<String>>,
}

impl TryFrom<SentGrant> for GrantChange {
    type Error = &'static str;

    fn try_from(sent: SentGrant) -> Result<Self, Self::Error> {
        match sent {
            SentGrant { roles, permissions, add: None, remove: None } => Ok(Self::Whole(Grant {
                roles: roles.unwrap_or_default(),
                permissions: permissions.unwrap_or_default(),
            })),
            SentGrant { roles: None, permissions: None, add, remove } => {
                Ok(Self::Roles { add: add.unwrap_or_default(), remove: remove.unwrap_or_default() })
            }
            _ => Err("either roles and permissions as they shall be, or roles to add and to remove"),
        }
    }
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
    let app = AppId::new(&app)?;
    let (user, published) = match call.json()? {
        GrantChange::Whole(grant) => instance.set_grant(&name, &app, grant).await?,
        GrantChange::Roles { add, remove } => instance.change_roles(&name, &app, &add, &remove).await?,
    };
    Ok(respond::json(&json!({ "user": user, "published": published })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_replaced_or_changed_and_never_both() {
        let read = |text: &str| serde_json::from_str::<GrantChange>(text);
        assert!(matches!(read("{}"), Ok(GrantChange::Whole(grant)) if grant == Grant::default()));
        assert!(matches!(read(r#"{"roles":["a"]}"#), Ok(GrantChange::Whole(grant)) if grant.roles == ["a"]));
        let Ok(GrantChange::Roles { add, remove }) = read(r#"{"add":["a"]}"#) else { panic!("a change") };
        assert_eq!((add, remove.len()), (vec!["a".to_owned()], 0));
        for bad in [r#"{"roles":["a"],"add":["b"]}"#, r#"{"permissions":[],"remove":["b"]}"#, r#"{"role":"a"}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
