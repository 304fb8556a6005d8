//! A sign-in of a user whom the app has authenticated itself.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::Full;
use misario_core::app::Transport;
use misario_core::authn::{RequestFault, UnavailableFault};
use misario_core::id::{AppId, Subject};
use serde::Serialize;

use super::{Forwarder, Inner, headers};
use crate::problem::Problem;

/// A user whom the app has authenticated itself, as `POST /v1/sessions` takes it.
#[derive(Debug, Clone, Serialize)]
pub struct AppSignIn<'a> {
    /// The app.
    pub app: &'a AppId,
    /// Who. Stable, and unique in this issuer.
    pub subject: &'a Subject,
    /// How they proved it (RFC 8176).
    pub amr: &'a [String],
    /// What they may do, for a subject without a row in the directory; where there is one, the row counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<&'a [String]>,
    /// The same, finer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<&'a [String]>,
    /// Their organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<&'a str>,
    /// Where the credentials shall travel.
    pub transport: Transport,
    /// What the request came from, as its `User-Agent` says.
    pub device: &'a str,
    /// What the browser holds of the login that this one replaces: that one ends.
    #[serde(skip_serializing_if = "Replaced::is_nothing")]
    pub replaces: Replaced<'a>,
}

/// The cookies of an earlier login. They do not print.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Replaced<'a> {
    /// The access cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<&'a str>,
    /// The refresh cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<&'a str>,
}

impl Replaced<'_> {
    const fn is_nothing(&self) -> bool {
        self.access.is_none() && self.refresh.is_none()
    }
}

impl std::fmt::Debug for Replaced<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replaced")
            .field("access", &self.access.is_some())
            .field("refresh", &self.refresh.is_some())
            .finish()
    }
}

impl AppSignIn<'_> {
    /// The body of the request.
    pub fn to_json(&self) -> Vec<u8> {
        // Names and texts only: there is nothing in it that JSON could not say.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Forwarder {
    /// The authority's answer: cookies and body of the new login.
    pub(crate) async fn sign_in(&self, sign_in: &AppSignIn<'_>) -> Response {
        self.signed_in(sign_in).await.unwrap_or_else(Problem::into_response)
    }

    async fn signed_in(&self, sign_in: &AppSignIn<'_>) -> Result<Response, Problem> {
        let Inner { target, client, .. } = &*self.0;
        let mut request = http::Request::new(Full::new(Bytes::from(sign_in.to_json())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            target.http("/v1/sessions").ok_or_else(|| self.problem(&RequestFault::AppUnknown.into()))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers::introduce(request.headers_mut(), target.basic(), sign_in.app, None);
        let answered = client.call(request, Duration::ZERO).await;
        let answer = answered.map_err(|_| self.problem(&UnavailableFault::Authority.into()))?;
        if answer.status() == StatusCode::FORBIDDEN {
            // Of this app, not of the user: they were authenticated, and could do nothing about it.
            tracing::error!(app = %sign_in.app, "this app's client lacks the right `issue`: it can sign nobody in");
            return Err(self.problem(&UnavailableFault::Authority.into()));
        }
        self.relay(answer)
    }
}
