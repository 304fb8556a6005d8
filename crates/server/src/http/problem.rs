//! The one mapping from errors to HTTP (RFC 9457). Precise in the log, coarse on the wire: what could help an attacker
//! is one answer, and every answer has a reference id under which the log tells more.

use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode, Uri};
use misario_core::authn::{CredentialFault, Rejection};
use misario_core::store::StoreError;
use misario_tower::{OsEntropy, Problem};

use crate::error::{Error, GrantFault, InputFault, SignInFault};

/// A failed call, on its way out.
#[derive(Debug)]
pub(crate) struct Fail(pub(crate) Error);

impl<E: Into<Error>> From<E> for Fail {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Rejected(rejection) => Problem::rejected(&rejection, &OsEntropy).into_response(),
            // Whose login ended or never was: one answer, whatever the reason.
            Error::Grant(GrantFault::Contended) => plain(&self.0, StatusCode::SERVICE_UNAVAILABLE, "busy", Some(1)),
            Error::Grant(_) => plain(&self.0, StatusCode::UNAUTHORIZED, "invalid_grant", None),
            Error::SignIn(fault) => sign_in(&self.0, fault),
            Error::Input(ref fault) => input(&self.0, fault),
            Error::Store(StoreError::TooLarge { .. }) => {
                plain(&self.0, StatusCode::PAYLOAD_TOO_LARGE, "too_large", None)
            }
            Error::Store(_) => plain(&self.0, StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(1)),
            Error::Internal(_) => plain(&self.0, StatusCode::INTERNAL_SERVER_ERROR, "internal", None),
        }
    }
}

fn sign_in(error: &Error, fault: SignInFault) -> Response {
    match fault {
        SignInFault::InvalidCredentials => plain(error, StatusCode::UNAUTHORIZED, "invalid_credentials", None),
        SignInFault::TooManyAttempts { wait } => {
            plain(error, StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", Some(wait.as_secs().max(1)))
        }
        SignInFault::Busy => plain(error, StatusCode::SERVICE_UNAVAILABLE, "busy", Some(1)),
        SignInFault::TransportNotListed => plain(error, StatusCode::BAD_REQUEST, "transport_not_listed", None),
        SignInFault::BootstrapRefused => plain(error, StatusCode::FORBIDDEN, "bootstrap_refused", None),
    }
}

fn input(error: &Error, fault: &InputFault) -> Response {
    let status = match fault {
        InputFault::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        InputFault::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        InputFault::NotFound { .. } => StatusCode::NOT_FOUND,
        InputFault::Exists { .. }
        | InputFault::Contended { .. }
        | InputFault::NotAvailableInMode
        | InputFault::SessionDataInUse => StatusCode::CONFLICT,
        InputFault::RightMissing { .. } => StatusCode::FORBIDDEN,
        InputFault::InvalidClient => StatusCode::UNAUTHORIZED,
        InputFault::TokenTooLarge { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        InputFault::Body { .. } | InputFault::Name(_) | InputFault::App(_) | InputFault::Password => {
            StatusCode::BAD_REQUEST
        }
    };
    plain(error, status, error.code(), None)
}

fn plain(error: &Error, status: StatusCode, public_code: &'static str, retry_after: Option<u64>) -> Response {
    let problem = Problem::new(status, public_code, &OsEntropy);
    // What the caller can mend is told to the caller; what went wrong here is told to the log.
    let problem = match error {
        Error::Input(_) | Error::SignIn(_) => problem.with_detail(error.to_string()),
        _ => problem,
    };
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::info!(code = error.code(), status = status.as_u16(), reference = problem.reference(), source, "refused");
    let mut response = problem.into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 §15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate header field".
        let scheme = match error {
            Error::Input(InputFault::InvalidClient) => r#"Basic realm="misario", charset="UTF-8""#,
            _ => r#"Bearer realm="misario""#,
        };
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The refusal of a sign-in or renewal whose proof of origin failed.
pub(crate) fn csrf(fault: misario_core::authn::CsrfFault) -> Error {
    Rejection::from(misario_core::authn::ForbiddenFault::Csrf { fault }).into()
}

/// The answer to a caller without any credential.
pub(crate) fn missing() -> Error {
    Rejection::from(CredentialFault::Missing).into()
}

pub(super) async fn no_such_route(_: Method, _: Uri) -> Fail {
    Fail(InputFault::NotFound { what: "route" }.into())
}

pub(super) async fn no_such_method() -> Response {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &OsEntropy).into_response()
}
