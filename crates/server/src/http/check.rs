//! `ANY /v1/check`: the check for a proxy in front of an app (forward-auth).
//!
//! App and policy come from the proxy's configuration (`?app=web&policy=payroll`), the method of the original request
//! from `X-Original-Method` or `X-Forwarded-Method`. Proxies pass the client's own headers on beside them, so nothing
//! else in a request is believed: a `Misario-App` header or an `Origin` chooses no app here. A proxy that says no
//! method, or more than one, gets the strict answer: as if it changed something, so a cookie needs proof of origin.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use misario_core::authn::{AppHint, Rejection, Requirement, resolve_app};
use misario_core::id::AppId;
use misario_tower::{CheckRequest, Checked, HeaderView};
use serde::Deserialize;

use super::call::Call;
use super::problem::Fail;
use super::respond;
use crate::error::{Error, InputFault};
use crate::instance::Instance;

#[derive(Deserialize)]
struct Asked {
    app: Option<String>,
    policy: Option<String>,
}

pub(super) async fn check(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let asked: Asked = call.query()?;
    let requirement = requirement(&instance, &asked)?;
    let request = CheckRequest::new(method(&call.parts.headers), call.headers());
    match instance.guard().check(&request, &requirement).await {
        Ok(checked) => permitted(checked),
        Err(refused) => {
            // The cookie that was renewed on the way is spent, so the new one goes out with the refusal.
            let fresh = refused.fresh.as_ref().map(|fresh| fresh.set_cookies().to_vec());
            let mut response = Fail::from(Rejection::from(refused)).into_response();
            respond::set_cookies(&mut response, fresh.unwrap_or_default());
            Ok(response)
        }
    }
}

/// What the proxy's configuration asks for, of the app that it or its policy names; else of the only one.
fn requirement(instance: &Instance, asked: &Asked) -> Result<Requirement, Error> {
    let no_policy = InputFault::NotFound { what: "policy" };
    let policy = match &asked.policy {
        Some(name) => instance.config.policies.get(name).cloned().ok_or(no_policy.clone())?,
        None => Requirement::default(),
    };
    let nothing = HeaderMap::new();
    let hint = AppHint { own: None, parameter: asked.app.as_deref().or(policy.app.as_ref().map(AppId::as_str)) };
    let app = {
        let memory = instance.memory().read();
        let resolved = resolve_app(memory.apps(), hint, &HeaderView::new(&nothing)).map_err(Rejection::from)?;
        resolved.id.clone()
    };
    if policy.app.as_ref().is_some_and(|own| *own != app) {
        return Err(no_policy.into());
    }
    Ok(policy.of_app(app))
}

/// The method of the original request, if all who say it say the same.
fn method(headers: &HeaderMap) -> &str {
    const STRICT: &str = "POST";
    let mut said = ["x-original-method", "x-forwarded-method"].into_iter().flat_map(|name| headers.get_all(name));
    let Some(first) = said.next() else { return STRICT };
    if said.all(|other| other == first) { first.to_str().unwrap_or(STRICT) } else { STRICT }
}

/// The answer that tells the proxy who it is.
fn permitted(checked: Checked) -> Result<Response, Fail> {
    let facts = checked.permit.principal().facts();
    let mut response = StatusCode::OK.into_response();
    let roles = facts.roles.join(",");
    let sid = facts.sid.map(|sid| sid.to_string()).unwrap_or_default();
    let identity = [
        ("misario-subject", facts.subject.as_str()),
        ("misario-app", facts.app.as_str()),
        ("misario-sid", sid.as_str()),
        ("misario-roles", roles.as_str()),
    ];
    for (name, value) in identity {
        // A name that is no header value (a subject may be any text) must not be half sent.
        let value =
            HeaderValue::from_str(value).map_err(|_| InputFault::Body { why: format!("{name} fits no header") })?;
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    let cookies = checked.fresh.map(|fresh| fresh.set_cookies().to_vec()).unwrap_or_default();
    respond::set_cookies(&mut response, cookies);
    Ok(response)
}
