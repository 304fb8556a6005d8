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

/// The codes of answers that are not the precise ones, beside those of [`misario_tower::problem::CODES`].
pub const CODES: &[(&str, &str)] = &[
    ("invalid_grant", "What was shown renews nothing (401). Sign in."),
    ("too_large", "A value is larger than can be stored (413)."),
    ("method_not_allowed", "The route does not take this method (405)."),
];

/// Status and code that a caller is told of an error, except for rejections, which `tower` maps. Of a login that ended or
/// never was: one answer, whatever the reason.
pub(crate) fn public(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Rejected(rejection) => (StatusCode::INTERNAL_SERVER_ERROR, rejection.code()),
        Error::Grant(GrantFault::Contended) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        Error::Grant(_) => (StatusCode::UNAUTHORIZED, "invalid_grant"),
        Error::SignIn(fault) => (sign_in(*fault), error.code()),
        Error::Input(fault) => (input(fault), error.code()),
        Error::Store(StoreError::TooLarge { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Error::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

const fn sign_in(fault: SignInFault) -> StatusCode {
    match fault {
        SignInFault::InvalidCredentials => StatusCode::UNAUTHORIZED,
        SignInFault::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        SignInFault::Busy => StatusCode::SERVICE_UNAVAILABLE,
        SignInFault::TransportNotListed => StatusCode::BAD_REQUEST,
        SignInFault::BootstrapRefused => StatusCode::FORBIDDEN,
    }
}

const fn input(fault: &InputFault) -> StatusCode {
    match fault {
        InputFault::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        InputFault::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        InputFault::NotFound { .. } => StatusCode::NOT_FOUND,
        InputFault::Exists { .. } | InputFault::Contended { .. } | InputFault::NotAvailableInMode => {
            StatusCode::CONFLICT
        }
        InputFault::RightMissing { .. } => StatusCode::FORBIDDEN,
        InputFault::InvalidClient => StatusCode::UNAUTHORIZED,
        InputFault::TokenTooLarge { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        InputFault::Body { .. } | InputFault::Name(_) | InputFault::App(_) | InputFault::Password => {
            StatusCode::BAD_REQUEST
        }
    }
}

/// Seconds after which the same request may succeed.
fn retry_after(error: &Error, status: StatusCode) -> Option<u64> {
    match error {
        Error::SignIn(SignInFault::TooManyAttempts { wait }) => Some(wait.as_secs().max(1)),
        _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Rejected(rejection) => Problem::rejected(&rejection, &OsEntropy).into_response(),
            error => plain(&error),
        }
    }
}

fn plain(error: &Error) -> Response {
    let (status, code) = public(error);
    let problem = Problem::new(status, code, &OsEntropy);
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
    if let Some(seconds) = retry_after(error, status) {
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
