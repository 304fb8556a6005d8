//! `GET /v1/csrf`, and the cookie of a visitor who is not signed in yet.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use misario_core::app::App;
use misario_core::authn::{CookieWriter, Headers, Requirement, cookie_value};
use misario_core::secret::{CsrfBinding, CsrfToken, SecretText};
use misario_jose::b64u;
use misario_tower::Gate;
use serde_json::json;

use super::call::Call;
use super::problem::{Fail, missing};
use super::respond;
use crate::error::{Error, InternalFault};
use crate::instance::Instance;

/// Seconds that a sign-in page may stay open.
const VISIT: u64 = 60 * 60;

/// A token for the login, or for the visitor where there is none.
pub(super) async fn token(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let app = call.app(&instance, None)?;
    let requirement = Requirement { app: Some(app.id.clone()), ..Requirement::default() };
    let gate = Gate::of(&call.parts).ok_or_else(missing)?;
    let (token, cookie) = match gate.check(&call.parts, &requirement, None).await {
        Ok(permit) => {
            let login = permit.login().ok_or_else(missing)?;
            (issue(&instance, CsrfBinding::Login(&login.sid()))?, None)
        }
        Err(rejection) if rejection.is_anonymous() => {
            let (token, cookie) = for_visitor(&instance, &app, &call.headers())?;
            (token, Some(cookie))
        }
        Err(rejection) => return Err(rejection.into()),
    };
    let mut response = respond::json(&json!({ "csrf_token": token.expose() }));
    respond::set_cookies(&mut response, cookie.into_iter().collect());
    Ok(response)
}

/// A token bound to a login.
pub(super) fn issue(instance: &Instance, binding: CsrfBinding<'_>) -> Result<SecretText, Error> {
    let key = instance.keys.current().id();
    CsrfToken::issue(instance.keys.replica(), binding, &*instance.entropy)
        .ok_or_else(|| InternalFault::TokenKeyMissing { key }.into())
}

/// A token for a visitor and the cookie that it is bound to: the one that is there, so that two sign-in pages open at
/// once both work.
pub(super) fn for_visitor(
    instance: &Instance,
    app: &App,
    headers: &dyn Headers,
) -> Result<(SecretText, String), Error> {
    let nonce = visitor(app, headers).unwrap_or_else(|| {
        let mut nonce = [0; 16];
        instance.entropy.fill(&mut nonce);
        nonce
    });
    let token = issue(instance, CsrfBinding::Visitor(&nonce))?;
    let line = CookieWriter::new(app).set(&cookie_name(app), &b64u::encode(&nonce), VISIT);
    Ok((token, line.unwrap_or_default()))
}

/// The visitor's nonce, if the request has exactly one of the right form.
pub(super) fn visitor(app: &App, headers: &dyn Headers) -> Option<[u8; 16]> {
    let value = cookie_value(headers, &cookie_name(app))?;
    b64u::decode(value)?.try_into().ok()
}

/// The line that makes the browser forget the visitor: a token from before the sign-in counts no more.
pub(super) fn forget_visitor(app: &App) -> String {
    CookieWriter::new(app).clear(&cookie_name(app))
}

fn cookie_name(app: &App) -> String {
    let prefix = if app.secure_cookies() { "__Host-" } else { "" };
    format!("{prefix}misario-{}-visitor", app.id)
}
