//! `POST /v1/refresh`: what the client holds becomes what its app hands out now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use misario_core::app::App;
use misario_core::authn::{
    AccessCredential, AskedFor, CsrfDemand, Holder, Presented, Rejection, RequestFault, verify_csrf,
};
use misario_core::id::SessionId;
use misario_core::secret::{CsrfBinding, CsrfToken, RefreshToken, SessionToken};
use serde::Deserialize;

use super::call::{Call, Form};
use super::login::{self, header_token};
use super::problem::{Fail, csrf};
use super::respond;
use crate::error::Error;
use crate::instance::{Instance, Shown};

/// What a client that uses no cookies sends.
#[derive(Default, Deserialize)]
pub(super) struct Sent {
    pub(super) app: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) access_token: Option<String>,
    #[serde(rename = "_csrf")]
    pub(super) csrf_token: Option<String>,
}

pub(super) async fn refresh(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let sent: Sent = call.json_form_or_default()?;
    let app = call.app(&instance, sent.app.as_deref())?;
    let headers = call.headers();
    let presented = Presented::read(&app, &headers).map_err(Rejection::from)?;
    // What the client put there itself comes before what its browser sent along.
    let by_hand =
        Shown { refresh: sent.refresh_token.as_deref(), access: sent.access_token.as_deref().or(presented.bearer) };
    let shown = if by_hand.refresh.is_some() || (by_hand.access.is_some() && presented.refresh_cookie.is_none()) {
        // The answer may set cookies, so another site could sign its visitor in as somebody else (login CSRF). No site
        // can write an `Authorization` header for another.
        if sent.refresh_token.is_some() || sent.access_token.is_some() {
            let is_form = call.form() == Form::UrlEncoded;
            login::prove_origin(&instance, &call, &app, is_form, sent.csrf_token.as_deref())?;
        }
        by_hand
    } else {
        // A tab that holds one login's access token, in a browser that was signed in to another since: neither may become
        // the other's.
        let of_hand = by_hand.access.and_then(|text| login_of_access(&instance, &app, text));
        let of_cookie = named_login(&instance, &app, presented);
        let differ = of_hand.is_some() && of_cookie.is_some() && of_hand != of_cookie;
        if differ && is_live(&instance, &app, by_hand.access).await? {
            return Err(Rejection::from(RequestFault::CredentialsConflict).into());
        }
        // Where no cookie came either, there is nothing that another site could abuse, and nothing to renew.
        if presented.refresh_cookie.is_some() || presented.cookie.is_some() {
            prove_origin(&instance, &call, &app, sent.csrf_token.as_deref())?;
        }
        Shown { refresh: presented.refresh_cookie, access: presented.cookie }
    };
    let handed = instance.renew(&app, shown).await?;
    Ok(respond::handed(&handed)?)
}

/// Proof that a request with credential cookies, dead ones included, was sent by the app.
pub(super) fn prove_origin(instance: &Instance, call: &Call, app: &App, form_token: Option<&str>) -> Result<(), Error> {
    let headers = call.headers();
    let presented = Presented::read(app, &headers).map_err(Rejection::from)?;
    let shown = header_token(call).or_else(|| form_token.map(str::to_owned));
    let token = shown.map(|text| {
        let sid = named_login(instance, app, presented);
        sid.is_some_and(|sid| CsrfToken::check(instance.keys.replica(), CsrfBinding::Login(&sid), &text).is_ok())
    });
    let judged = verify_csrf(app, &headers, CsrfDemand::Proof, token).map_err(Rejection::from)?;
    judged.map_err(csrf)
}

/// The login that the cookies name, whether or not it lives: what a CSRF token is bound to.
pub(super) fn named_login(instance: &Instance, app: &App, presented: Presented<'_>) -> Option<SessionId> {
    let keys = instance.keys.replica();
    if let Some(text) = presented.refresh_cookie {
        return RefreshToken::parse(keys, text).ok().map(|token| token.sid());
    }
    login_of_access(instance, app, presented.cookie?)
}

/// Whether the access credential counts. A dead one beside a live one is not there.
async fn is_live(instance: &Instance, app: &App, access: Option<&str>) -> Result<bool, Error> {
    let Some(credential) = access.and_then(AccessCredential::of) else { return Ok(false) };
    // Nobody uses it here: it is only asked about.
    let answer = instance.answer(&app.id, credential, (AskedFor::Verdict, Holder::Host)).await;
    Ok(answer.map_err(Rejection::from)?.outcome.is_ok())
}

/// The login that an access credential names, whether or not it lives.
fn login_of_access(instance: &Instance, app: &App, text: &str) -> Option<SessionId> {
    let keys = instance.keys.replica();
    match AccessCredential::of(text)? {
        AccessCredential::Session(text) => SessionToken::parse(keys, text).ok().map(|token| token.sid()),
        AccessCredential::Jwt(text) => {
            let now = instance.moment().wall;
            let memory = instance.memory().read();
            memory.verify_within(&app.id, text, now, app.lifetimes.renew_window).ok()??.sid
        }
    }
}
