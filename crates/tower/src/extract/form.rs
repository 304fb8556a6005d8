//! Forms that prove by a hidden field where they came from.

use axum::body::Body;
use axum::extract::{Form, FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use misario_core::authn::Requirement;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Principal, gate, problem};
use crate::problem::Problem;

/// The largest form that is read, in octets.
const MAX_FORM: usize = 64 * 1024;

/// A url-encoded form of at most 64 KiB, with the caller who sent it: the request was checked with the CSRF token in
/// the form's field `_csrf`, in case its headers are no proof.
///
/// Take it in place of [`Principal`], not beside it: an extractor that runs before the form is read cannot see the
/// token. `T` has to leave the field `_csrf` alone.
///
/// Behind [`Guard::require`](crate::Guard::require) the caller is of the app that the layer asked for. The field cannot
/// help there: that layer reads no bodies, and has refused the request before this runs. On such a route the headers are
/// the proof: `Sec-Fetch-Site` or `Origin`, which browsers send with a form by themselves, or the token in `X-CSRF-Token`.
#[derive(Debug, Clone)]
pub struct CsrfForm<T> {
    /// Who sent it.
    pub principal: Principal,
    /// What they sent.
    pub form: T,
}

/// What of a form concerns the check. A field that is there twice is an error, not "the first one".
#[derive(Deserialize)]
struct Token {
    #[serde(rename = "_csrf")]
    csrf: Option<String>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for CsrfForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let gate = gate(&parts)?;
        let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "form_too_large", gate.guard().entropy());
        let octets = axum::body::to_bytes(body, MAX_FORM).await.map_err(too_large)?;
        let malformed = || Problem::new(StatusCode::BAD_REQUEST, "form_malformed", gate.guard().entropy());
        let token: Token = read(&parts, &octets).await.ok_or_else(malformed)?;
        // For the app that was checked before, by a requirement that names one: a login of another is none here.
        let requirement = Requirement { app: gate.app_of_last_check(), ..Requirement::default() };
        let checked = gate.check(&parts, &requirement, token.csrf.as_deref()).await;
        let permit = checked.map_err(|rejection| problem(gate, &rejection))?;
        // Only what has proved where it came from is read any further.
        let form = read(&parts, &octets).await.ok_or_else(malformed)?;
        Ok(Self { principal: Principal::of(&permit), form })
    }
}

async fn read<T: DeserializeOwned>(parts: &Parts, octets: &Bytes) -> Option<T> {
    let request = Request::from_parts(parts.clone(), Body::from(octets.clone()));
    Form::from_request(request, &()).await.ok().map(|Form(form)| form)
}
