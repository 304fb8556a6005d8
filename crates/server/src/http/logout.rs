//! `POST /v1/logout` and `/v1/logout-all`.
//!
//! Cookies are cleared whatever state they are in, and the login behind any credential that is provably ours is ended
//! first; where that cannot be written down, nothing is cleared and the answer is 503, so that nobody believes to be signed
//! out. A browser is not kept waiting until every verifier knows; the change is durable first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use misario_core::app::App;
use misario_core::authn::{
    AccessCredential, CookieWriter, CsrfFault, Facts, Presented, Rejection, RequestFault, is_foreign,
};
use misario_core::changes::{Target, TargetKind, Verdict};
use misario_core::id::SessionId;
use misario_core::secret::{RefreshToken, SessionToken};
use misario_jose::UnixTime;
use serde_json::json;

use super::call::{Call, Form};
use super::problem::{self, Fail};
use super::refresh::{Sent, prove_origin};
use super::{csrf, respond};
use crate::error::Error;
use crate::instance::{Instance, Shown, Wait};

pub(super) async fn logout(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let sent: Sent = call.json_form_or_default()?;
    let app = call.app(&instance, sent.app.as_deref())?;
    let headers = call.headers();
    let presented = match Presented::read(&app, &headers) {
        Ok(presented) => presented,
        // Two cookies of one name: nobody knows which login is meant, and a browser must be able to get rid of both.
        Err(RequestFault::CookieDuplicate) => Presented::without_cookies(&app, &headers).map_err(Rejection::from)?,
        Err(fault) => return Err(Rejection::from(fault).into()),
    };
    // Clearing cookies is a change, too: no other site signs its visitors out of this one. No site can write an
    // `Authorization` header for another.
    if presented.bearer.is_none() && is_foreign(&app, &headers).map_err(Rejection::from)? {
        return Err(problem::csrf(CsrfFault::CrossSite).into());
    }
    let ambient = presented.cookie.is_some() || presented.refresh_cookie.is_some();
    let by_hand = sent.refresh_token.is_some() || sent.access_token.is_some() || presented.bearer.is_some();
    // A credential shown by hand must not keep the login behind the cookies alive; but cookies need their proof.
    let cookies_count = match prove_origin(&instance, &call, &app, sent.csrf_token.as_deref()) {
        Ok(()) => true,
        Err(_) if by_hand || !ambient => false,
        Err(error) => return Err(error.into()),
    };
    let access = sent.access_token.as_deref().or(presented.bearer);
    let all = [
        Shown { refresh: sent.refresh_token.as_deref(), access: None },
        Shown { refresh: None, access },
        Shown { refresh: presented.refresh_cookie.filter(|_| cookies_count), access: None },
        Shown { refresh: None, access: presented.cookie.filter(|_| cookies_count) },
    ];
    let mut ended = Vec::new();
    for shown in all {
        if let Some((sid, login_exp)) = login_behind(&instance, &app, shown).await?
            && !ended.contains(&sid)
        {
            instance.end_login(sid, login_exp, Wait::No).await?;
            ended.push(sid);
        }
    }
    let is_form = call.form() == Form::UrlEncoded;
    let mut response = signed_out(&app, is_form);
    if is_form {
        // Set here and once more by the page that follows: see there.
        let (_, cookie) = csrf::for_visitor(&instance, &app, &headers)?;
        respond::set_cookies(&mut response, vec![cookie]);
    }
    Ok(response)
}

pub(super) async fn logout_all(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let permit = call.permit()?;
    let app = instance.app(permit.principal().app())?;
    let subject = permit.principal().facts().subject.clone();
    let published = instance.revoke(Target::User(subject), Wait::Yes).await?;
    let mut response = respond::json(&json!({ "position": published.position }));
    respond::set_cookies(&mut response, clearing(&app));
    Ok(response)
}

/// The login behind a credential that is provably ours, and its end; a forged one ends nothing.
pub(super) async fn login_behind(
    instance: &Instance,
    app: &App,
    shown: Shown<'_>,
) -> Result<Option<(SessionId, UnixTime)>, Error> {
    let keys = instance.keys.replica();
    if let Some(text) = shown.refresh {
        let Ok(token) = RefreshToken::parse(keys, text) else { return Ok(None) };
        return Ok(instance.login_of_refresh_token(app, &token).await?.map(|end| (token.sid(), end)));
    }
    match shown.access.and_then(AccessCredential::of) {
        Some(AccessCredential::Session(text)) => {
            let Ok(token) = SessionToken::parse(keys, text) else { return Ok(None) };
            Ok(instance.login_of_session_token(app, &token).await?.map(|end| (token.sid(), end)))
        }
        Some(AccessCredential::Jwt(text)) => {
            let now = instance.moment().wall;
            let memory = instance.memory().read();
            let facts = memory.verify_within(&app.id, text, now, app.lifetimes.renew_window).ok().flatten();
            // What has ended is not ended again: one token must not fill the log. Where only the token was revoked, its
            // login lives.
            let has_ended = |facts: &Facts| match memory.judge(facts) {
                Verdict::Revoked { by, .. } => by != TargetKind::Token,
                _ => false,
            };
            let facts = facts.filter(|facts| !has_ended(facts));
            Ok(facts.and_then(|facts| Some((facts.sid?, facts.login_exp?))))
        }
        None => Ok(None),
    }
}

fn clearing(app: &App) -> Vec<String> {
    let writer = CookieWriter::new(app);
    if app.uses_cookies() {
        vec![writer.clear(&app.cookies.access), writer.clear(&app.cookies.refresh)]
    } else {
        Vec::new()
    }
}

fn signed_out(app: &App, is_form: bool) -> Response {
    let mut response = if is_form {
        Redirect::to(&format!("/v1/login?app={}&signed_out=1", app.id)).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    };
    respond::set_cookies(&mut response, clearing(app));
    // Pages that a browser kept for "back" are not to be shown to whoever sits there next.
    let clear = http::HeaderValue::from_static("\"cache\"");
    response.headers_mut().insert("clear-site-data", clear);
    response
}
