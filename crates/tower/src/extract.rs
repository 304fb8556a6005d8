//! What handlers take: proof that the caller was checked.
//!
//! The extractors need [`crate::AuthLayer`] or [`crate::RequireLayer`] around the handler; without either, the request
//! is answered with 500 and nobody gets in.

mod form;

use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use misario_core::authn::{self, Permit, Rejection};

use crate::OsEntropy;
use crate::gate::Gate;
use crate::problem::Problem;

pub use form::CsrfForm;

/// Who the caller is. In a handler: the request has a live credential, or it does not get here.
///
/// `Option<Principal>` is `None` for visitors only: a request that cannot be judged (400, 503), lacks a CSRF proof (403)
/// or has a token that only wants a refresh (401 `token_expired`, `token_stale`) is refused, not treated as a visitor's.
#[derive(Debug, Clone)]
pub struct Principal(authn::Principal);

/// The login behind the request. A client that speaks for itself has none, and is refused.
#[derive(Debug, Clone)]
pub struct Login(authn::Login);

impl Principal {
    pub(crate) fn of(permit: &Permit) -> Self {
        Self(permit.principal().clone())
    }

    /// The principal as the check made it.
    pub fn into_inner(self) -> authn::Principal {
        self.0
    }
}

impl Login {
    /// The login as the check made it.
    pub fn into_inner(self) -> authn::Login {
        self.0
    }
}

impl Deref for Principal {
    type Target = authn::Principal;

    fn deref(&self) -> &authn::Principal {
        &self.0
    }
}

impl Deref for Login {
    type Target = authn::Login;

    fn deref(&self) -> &authn::Login {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let gate = gate(parts)?;
        let permit = gate.outcome(parts).await.map_err(|rejection| problem(gate, &rejection))?;
        Ok(Self::of(&permit))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let gate = gate(parts)?;
        match gate.outcome(parts).await {
            Ok(permit) => Ok(Some(Self::of(&permit))),
            Err(rejection) if rejection.is_anonymous() => Ok(None),
            Err(rejection) => Err(problem(gate, &rejection)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Login {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let gate = gate(parts)?;
        let permit = gate.outcome(parts).await.map_err(|rejection| problem(gate, &rejection))?;
        permit.login().map(Self).ok_or_else(|| Problem::login_required(gate.guard().entropy()))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Login {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let gate = gate(parts)?;
        match gate.outcome(parts).await {
            Ok(permit) => Ok(permit.login().map(Self)),
            Err(rejection) if rejection.is_anonymous() => Ok(None),
            Err(rejection) => Err(problem(gate, &rejection)),
        }
    }
}

fn gate(parts: &Parts) -> Result<&Gate, Problem> {
    Gate::of(parts).map(AsRef::as_ref).ok_or_else(|| Problem::layer_missing(&OsEntropy))
}

fn problem(gate: &Gate, rejection: &Rejection) -> Problem {
    Problem::rejected(rejection, gate.guard().entropy())
}
