//! `POST /v1/login`, `/v1/reauth`, and `/v1/sessions` by a client.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use misario_core::app::{App, Transport};
use misario_core::authn::{CookieWriter, Headers as _, cookie_value, verify_sign_in};
use misario_core::client::Right;
use misario_core::id::{AppId, Subject};
use misario_core::secret::{CsrfBinding, CsrfToken};
use misario_core::user::Grant;
use misario_jose::UnixTime;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::call::{Call, Form, read_json};
use super::page_routes::{self, Retry};
use super::problem::{Fail, csrf};
use super::{csrf as csrf_route, respond};
use crate::error::{Error, InputFault};
use crate::instance::{AppSignIn, Handed, Instance, PasswordSignIn, Shown, Wait};
use crate::pages::LocalPath;

/// What a sign-in sends.
#[derive(Deserialize)]
pub(super) struct Credentials {
    app: Option<String>,
    username: String,
    password: Zeroizing<String>,
    transport: Option<Transport>,
    return_to: Option<String>,
    #[serde(rename = "_csrf")]
    csrf_token: Option<String>,
}

pub(super) async fn login(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let sent: Credentials = call.json_or_form()?;
    let is_form = call.form() == Form::UrlEncoded;
    let app = call.app(&instance, sent.app.as_deref())?;
    let retry = Retry { app: &app, username: &sent.username, return_to: sent.return_to.as_deref() };
    if let Err(error) = prove_origin(&instance, &call, &app, is_form, sent.csrf_token.as_deref()) {
        return if is_form { page_routes::sign_in_again(&instance, &call, &retry, error) } else { Err(error.into()) };
    }
    let request = PasswordSignIn {
        transport: sent.transport.unwrap_or_else(|| usual_transport(&call, &app, is_form)),
        app: Arc::clone(&app),
        username: sent.username.clone(),
        password: sent.password.clone(),
        device: call.device(&instance).await?,
        address: call.address(&instance).await?,
    };
    let signed_in = instance.sign_in(request).await;
    if let Ok(handed) = &signed_in {
        let headers = call.headers();
        let cookie = |name: &str| cookie_value(&headers, name);
        let cookies = Shown { refresh: cookie(&app.cookies.refresh), access: cookie(&app.cookies.access) };
        end_earlier(&instance, &app, handed, cookies).await;
    }
    match (signed_in, is_form) {
        (Ok(handed), false) => {
            let mut response = respond::handed(&handed)?;
            respond::set_cookies(&mut response, leftovers(&call, &app, &handed));
            Ok(response)
        }
        (Ok(handed), true) => {
            let to = sent.return_to.as_deref().and_then(LocalPath::parse);
            let to = to.unwrap_or_else(|| LocalPath::sign_in(app.id.as_str(), None));
            let mut response = Redirect::to(to.as_str()).into_response();
            respond::set_cookies(&mut response, handed.set_cookies()?);
            respond::set_cookies(&mut response, leftovers(&call, &app, &handed));
            Ok(response)
        }
        (Err(error), true) => page_routes::sign_in_again(&instance, &call, &retry, error),
        (Err(error), false) => Err(error.into()),
    }
}

/// Ends the login that the browser had, whose cookies the new one replaces: nobody could end it any more, and who shares
/// the browser would come back to it (OWASP ASVS 7.2.4). Where that fails, it ends by its own times.
async fn end_earlier(instance: &Instance, app: &App, handed: &Handed, cookies: Shown<'_>) {
    if !handed.sets_cookie(&app.cookies.access) && !handed.sets_cookie(&app.cookies.refresh) {
        return;
    }
    let replaced = [Shown { access: None, ..cookies }, Shown { refresh: None, ..cookies }];
    for shown in replaced {
        let ended = async {
            match super::logout::login_behind(instance, app, shown).await? {
                Some((sid, login_exp)) if sid != handed.sid() => {
                    instance.end_login(sid, login_exp, Wait::No).await.map(drop)
                }
                _ => Ok(()),
            }
        };
        if let Err(error) = ended.await {
            tracing::warn!(code = error.code(), "the login before a sign-in could not be ended");
        }
    }
}

/// The lines that make the browser forget what the new login does not replace: the visitor it was, and cookies of an
/// earlier login, which would be renewed beside this one.
fn leftovers(call: &Call, app: &App, handed: &Handed) -> Vec<String> {
    let mut lines = CookieWriter::new(app).clear_leftovers(&call.headers(), |name| handed.sets_cookie(name));
    lines.push(csrf_route::forget_visitor(app));
    lines
}

/// Login CSRF: nobody is signed in as somebody else by another site.
pub(super) fn prove_origin(
    instance: &Instance,
    call: &Call,
    app: &App,
    is_form: bool,
    form_token: Option<&str>,
) -> Result<(), Error> {
    let headers = call.headers();
    let shown = header_token(call).or_else(|| form_token.map(str::to_owned));
    let nonce = csrf_route::visitor(app, &headers);
    let token = shown.map(|text| {
        nonce
            .is_some_and(|nonce| CsrfToken::check(instance.keys.replica(), CsrfBinding::Visitor(&nonce), &text).is_ok())
    });
    let judged = verify_sign_in(app, &headers, is_form, token).map_err(misario_core::authn::Rejection::from)?;
    judged.map_err(csrf)
}

pub(super) fn header_token(call: &Call) -> Option<String> {
    call.parts.headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Cookie for a form, split for a script in a browser, bearer otherwise; of those that the app lists.
fn usual_transport(call: &Call, app: &App, is_form: bool) -> Transport {
    let mut in_browser = false;
    for name in ["sec-fetch-mode", "origin"] {
        call.headers().each(name, &mut |_| in_browser = true);
    }
    let wish = match (is_form, in_browser) {
        (true, _) => Transport::Cookie,
        (false, true) => Transport::Split,
        (false, false) => Transport::Bearer,
    };
    // A form's browser can keep nothing but cookies; where the app takes none, the sign-in is refused.
    if is_form || app.transports.contains(&wish) {
        return wish;
    }
    app.transports.first().copied().unwrap_or(wish)
}

#[derive(Deserialize)]
struct Reauth {
    password: Zeroizing<String>,
    /// Judged by the route's policy.
    #[serde(rename = "_csrf")]
    _csrf_token: Option<String>,
}

/// The user proves once more who they are.
pub(super) async fn reauth(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let permit = call.permit()?.clone();
    let sent: Reauth = call.json_or_form()?;
    let app = instance.app(permit.principal().app())?;
    let address = call.address(&instance).await?;
    let handed = instance.reauthenticate(&app, &permit, &sent.password, address).await?;
    Ok(respond::handed(&handed)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByApp {
    app: Option<String>,
    subject: Subject,
    auth_time: Option<UnixTime>,
    #[serde(default)]
    amr: Vec<String>,
    roles: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    org: Option<String>,
    transport: Option<Transport>,
    device: Option<String>,
    #[serde(default)]
    replaces: Replaced,
}

/// What the browser holds of the login that the new one replaces. It proves itself, so it needs no other right.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replaced {
    access: Option<String>,
    refresh: Option<String>,
}

/// The app has authenticated the user itself.
pub(super) async fn by_app(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let sent: ByApp = call.json()?;
    let client = call.calling_client().ok_or(InputFault::InvalidClient)?;
    let named = match (&sent.app, &client.app) {
        (Some(name), _) => AppId::new(name)?,
        (None, Some(own)) => own.clone(),
        (None, None) => call.app(&instance, None)?.id.clone(),
    };
    if !client.may(Right::Issue, Some(&named)) {
        return Err(InputFault::RightMissing { right: Right::Issue.name() }.into());
    }
    let app = instance.app(&named)?;
    let transport = sent.transport.unwrap_or_else(|| usual_transport(&call, &app, false));
    signed_in_by_app(&instance, app, transport, sent).await
}

/// The same for an app in this process, which is whom it says it is.
pub(crate) async fn by_own_app(instance: &Instance, body: &[u8]) -> Response {
    let signed_in = async {
        let sent: ByApp = read_json(body)?;
        let named = sent.app.as_deref().ok_or(InputFault::NotFound { what: "app" })?;
        let app = instance.app(&AppId::new(named)?)?;
        let usual = app.transports.first().copied().unwrap_or(Transport::Bearer);
        signed_in_by_app(instance, app, sent.transport.unwrap_or(usual), sent).await
    };
    signed_in.await.unwrap_or_else(Fail::into_response)
}

async fn signed_in_by_app(
    instance: &Instance,
    app: Arc<App>,
    transport: Transport,
    sent: ByApp,
) -> Result<Response, Fail> {
    let grant = (sent.roles.is_some() || sent.permissions.is_some())
        .then(|| Grant { roles: sent.roles.unwrap_or_default(), permissions: sent.permissions.unwrap_or_default() });
    let handed = instance
        .sign_in_by_app(AppSignIn {
            transport,
            app: Arc::clone(&app),
            subject: sent.subject,
            auth_time: sent.auth_time,
            amr: sent.amr,
            grant,
            org: sent.org,
            device: crate::device::describe(sent.device.as_deref().unwrap_or_default(), None),
        })
        .await?;
    let Replaced { access, refresh } = &sent.replaces;
    end_earlier(instance, &app, &handed, Shown { access: access.as_deref(), refresh: refresh.as_deref() }).await;
    Ok(respond::handed(&handed)?)
}
