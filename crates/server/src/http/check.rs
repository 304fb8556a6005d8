//! `ANY /v1/check`: the check for a proxy in front of an app (forward-auth).
//!
//! App and policy come from the proxy's configuration (`?app=web&policy=payroll`), the method of the original request
//! from `X-Original-Method` or `X-Forwarded-Method`. A proxy that says no method gets the strict answer: as if it
//! changed something, so a cookie needs proof of origin.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use misario_core::authn::{Rejection, Requirement};
use misario_tower::CheckRequest;
use serde::Deserialize;

use super::call::Call;
use super::problem::Fail;
use super::respond;
use crate::error::InputFault;
use crate::instance::Instance;

#[derive(Deserialize)]
struct Asked {
    policy: Option<String>,
}

pub(super) async fn check(State(instance): State<Arc<Instance>>, call: Call) -> Result<Response, Fail> {
    let asked: Asked = call.query()?;
    let app = call.app(&instance, None)?;
    let policy = match &asked.policy {
        Some(name) => instance.config.policies.get(name).cloned().ok_or(InputFault::NotFound { what: "policy" })?,
        None => Requirement::default(),
    };
    let requirement = match &policy.app {
        Some(own) if *own != app.id => return Err(InputFault::NotFound { what: "policy" }.into()),
        _ => policy.of_app(app.id.clone()),
    };
    let said = ["x-original-method", "x-forwarded-method"]
        .into_iter()
        .find_map(|name| call.parts.headers.get(name)?.to_str().ok());
    let request = CheckRequest::new(said.unwrap_or("POST"), call.headers());
    let checked = instance.guard().check(&request, &requirement).await.map_err(Rejection::from)?;
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
