//! Pages for people: sign-in, account, demo. They work without JavaScript.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use misario_core::app::{App, BUILT_IN, Transport};
use misario_core::authn::{CsrfFault, ForbiddenFault, Permit, Rejection, Requirement};
use misario_core::id::AppId;
use misario_core::secret::CsrfBinding;
use misario_tower::Gate;
use serde::Deserialize;

use super::call::Call;
use super::problem::{Fail, missing};
use super::{csrf, respond};
use crate::error::{Error, InputFault, SignInFault};
use crate::instance::Instance;
use crate::pages::{
    AccountPage, ErrorPage, LocalPath, Nonce, Page, STYLE, ServiceDemo, SignInError, SignInPage, SignedOutPage,
    SpaDemo, WebDemo,
};

#[derive(Deserialize)]
struct Visit {
    app: Option<String>,
    return_to: Option<String>,
    signed_out: Option<String>,
}

pub(super) async fn sign_in_or_account(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let visit: Visit = call.query()?;
    let app = match call.app(&instance, visit.app.as_deref()) {
        Ok(app) => app,
        // A person who names no app gets the first one that is for browsers, and links to the others.
        Err(_) if visit.app.is_none() => default_app(&instance)?,
        Err(error) => return Ok(error_page(error)),
    };
    match permit_of(&call, &app).await {
        Ok(permit) => return account(&instance, &app, &permit).await,
        Err(Error::Rejected(rejection)) if rejection.is_anonymous() => {}
        // It cannot be told who this is: that is no reason to ask for a password.
        Err(error) => return Ok(error_page(error)),
    }
    if !has_page(&app) {
        return Ok(error_page(SignInFault::TransportNotListed.into()));
    }
    if visit.signed_out.is_some() {
        // Chromium keeps even `no-store` pages for "back", unless an HttpOnly cookie that was there is written again
        // after they were left; a cookie that the redirect to here changed does not count. `Clear-Site-Data` comes too
        // early as well. So the visitor's cookie is set by the redirect and written again here.
        let (_, cookie) = csrf::for_visitor(&instance, &app, &call.headers())?;
        let mut response = page(SignedOutPage { app: app.id.as_str() }.render(), StatusCode::OK);
        respond::set_cookies(&mut response, vec![cookie]);
        return Ok(response);
    }
    let retry = Retry { app: &app, username: "", return_to: visit.return_to.as_deref() };
    sign_in_page(&instance, &call, &retry, None)
}

/// What a sign-in page keeps from the last try.
pub(super) struct Retry<'a> {
    pub(super) app: &'a App,
    pub(super) username: &'a str,
    pub(super) return_to: Option<&'a str>,
}

/// The sign-in page once more, with what went wrong.
pub(super) fn sign_in_again(
    instance: &Instance,
    call: &Call,
    retry: &Retry<'_>,
    error: Error,
) -> Result<Response, Fail> {
    let shown = match &error {
        Error::SignIn(SignInFault::InvalidCredentials) => SignInError::InvalidCredentials,
        Error::SignIn(SignInFault::TooManyAttempts { wait }) => {
            SignInError::TooManyAttempts { seconds: wait.as_secs().max(1) }
        }
        Error::SignIn(SignInFault::Busy) | Error::Store(_) => SignInError::Busy,
        // The page was open for too long: it is shown again, and nothing was tried.
        Error::Rejected(Rejection::Forbidden(ForbiddenFault::Csrf { fault })) if *fault != CsrfFault::CrossSite => {
            SignInError::FormExpired
        }
        _ => return Err(error.into()),
    };
    sign_in_page(instance, call, retry, Some(shown))
}

fn sign_in_page(
    instance: &Instance,
    call: &Call,
    retry: &Retry<'_>,
    error: Option<SignInError>,
) -> Result<Response, Fail> {
    let (token, cookie) = csrf::for_visitor(instance, retry.app, &call.headers())?;
    let others = other_apps(instance, call, retry.app);
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let status = match error {
        None => StatusCode::OK,
        Some(SignInError::InvalidCredentials) => StatusCode::UNAUTHORIZED,
        Some(SignInError::TooManyAttempts { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInError::FormExpired) => StatusCode::FORBIDDEN,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let rendered = SignInPage {
        app: retry.app.id.as_str(),
        other_apps: &others,
        csrf_token: token.expose(),
        error,
        username: retry.username,
        return_to: retry.return_to.and_then(LocalPath::parse).as_ref(),
    }
    .render();
    let mut response = page(rendered, status);
    respond::set_cookies(&mut response, vec![cookie]);
    Ok(response)
}

/// The apps that a page links to beside its own. None on the origin of a connected app, which forwards one app's
/// sign-in only: the links would be dead there.
fn other_apps(instance: &Instance, call: &Call, own: &App) -> Vec<String> {
    if call.parts.headers.contains_key("misario-client") {
        return Vec::new();
    }
    let memory = instance.memory().read();
    let visible = memory.apps().values().filter(|app| has_page(app) && app.id != own.id);
    visible.filter(|app| app.id.as_str() != BUILT_IN).map(|app| app.id.to_string()).collect()
}

async fn account(instance: &Instance, app: &App, permit: &Permit) -> Result<Response, Fail> {
    let facts = permit.principal().facts();
    let sid = facts.sid.ok_or_else(missing)?;
    let token = csrf::issue(instance, CsrfBinding::Login(&sid))?;
    let name = instance.display_name(&facts.subject).await?;
    let demo = instance.config.demo.then(|| LocalPath::parse(&format!("/demo/{}", app.id))).flatten();
    let rendered = AccountPage {
        username: &name,
        app: app.id.as_str(),
        mode: app.mode.name(),
        since: facts.auth_time.unwrap_or(facts.begun),
        ends: facts.login_exp.unwrap_or(facts.deadline),
        csrf_token: token.expose(),
        app_path: demo.as_ref(),
    }
    .render();
    Ok(page(rendered, StatusCode::OK))
}

/// The protected page of a demo app.
pub(super) async fn demo(
    State(instance): State<Arc<Instance>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, Fail> {
    let id = AppId::new(&name).map_err(|_| InputFault::NotFound { what: "page" })?;
    if !instance.config.demo {
        return Err(InputFault::NotFound { what: "page" }.into());
    }
    let app = instance.app(&id)?;
    match app.id.as_str() {
        "spa" => {
            let mut random = [0; 16];
            instance.entropy.fill(&mut random);
            Ok(page(SpaDemo { app: "spa", nonce: &Nonce::new(random) }.render(), StatusCode::OK))
        }
        "service" => {
            let base = instance.config.issuer.as_str();
            Ok(page(ServiceDemo { app: "service", base_url: base }.render(), StatusCode::OK))
        }
        _ => web_demo(&instance, &app, &call).await,
    }
}

async fn web_demo(instance: &Instance, app: &App, call: &Call) -> Result<Response, Fail> {
    let permit = match permit_of(call, app).await {
        Ok(permit) => permit,
        Err(Error::Rejected(rejection)) if rejection.is_anonymous() => {
            let here = LocalPath::parse(&format!("/demo/{}", app.id));
            let to = LocalPath::sign_in(app.id.as_str(), here.as_ref());
            return Ok(axum::response::Redirect::to(to.as_str()).into_response());
        }
        Err(error) => return Err(error.into()),
    };
    let facts = permit.principal().facts();
    let sid = facts.sid.ok_or_else(missing)?;
    let token = csrf::issue(instance, CsrfBinding::Login(&sid))?;
    let name = instance.display_name(&facts.subject).await?;
    let roles: Vec<&str> = facts.roles.iter().map(String::as_str).collect();
    let rendered = WebDemo {
        app: app.id.as_str(),
        username: &name,
        roles: &roles,
        mode: app.mode.name(),
        csrf_token: token.expose(),
    }
    .render();
    Ok(page(rendered, StatusCode::OK))
}

/// The style sheet, under a name that changes with it.
pub(super) async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, STYLE).into_response()
}

async fn permit_of(call: &Call, app: &App) -> Result<Permit, Error> {
    let requirement = Requirement { app: Some(app.id.clone()), ..Requirement::default() };
    let gate = Gate::of(&call.parts).ok_or_else(missing)?;
    Ok(gate.check(&call.parts, &requirement, None).await?)
}

fn default_app(instance: &Instance) -> Result<Arc<App>, Error> {
    let memory = instance.memory().read();
    let mut visible = memory.apps().values().filter(|app| app.id.as_str() != BUILT_IN && has_page(app));
    // `web` before `spa`: the one that needs no script.
    let first = visible.next_back().or_else(|| memory.apps().values().next());
    first.cloned().ok_or(InputFault::NotFound { what: "app" }.into())
}

/// Only what travels in cookies can be signed in to by a page without script.
fn has_page(app: &App) -> bool {
    app.transports.contains(&Transport::Cookie)
}

/// The error as a page, with the status that a script would get.
fn error_page(error: Error) -> Response {
    let message = error.to_string();
    let status = Fail(error).into_response().status();
    let rendered = ErrorPage { title: "This does not work", message: &message, reference: None, next: None }.render();
    page(rendered, status)
}

fn page(page: Page, status: StatusCode) -> Response {
    let policy = HeaderValue::from_str(&page.policy());
    let mut response = (status, Html(page.into_html())).into_response();
    if let Ok(policy) = policy {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    respond::private(&mut response);
    response
}
