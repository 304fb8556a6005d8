//! What is asked of a caller before a handler runs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest as _, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use http::Method;
use misario_core::app::BUILT_IN;
use misario_core::authn::{CsrfDemand, Permit, Requirement};
use misario_core::changes::Position;
use misario_core::client::{Client, Right};
use misario_core::id::AppId;
use misario_tower::Gate;

use super::call::{self, Call, Form};
use super::problem::Fail;
use crate::error::{Error, InputFault, InternalFault};
use crate::instance::Instance;

/// How long ago an administrator may have signed in to change something.
const ADMIN_FRESH: Duration = Duration::from_mins(15);

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing: anybody may call it, and it tells and changes nothing of anybody.
    Public,
    /// A sign-in: no credential, but proof that no other site sent it. The handler judges it, with the form's token.
    SignIn,
    /// The handler judges the credential shown, dead ones included: refresh and sign-out. Cookies need proof of origin.
    ShowsCredential,
    /// A live login.
    Login,
    /// A live login, and a CSRF token where it came in a cookie.
    LoginSensitive,
    /// A client with the right.
    Client(Right),
    /// A client with the right `admin`, or a person with the role `admin` or `auditor` in the built-in app.
    AdminRead,
    /// A client with the right `admin`, or a person with the role `admin` who signed in within 15 minutes and shows a
    /// CSRF token.
    AdminWrite,
}

/// Who a policy let through.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// A person, or a client with a token.
    Login(Box<Permit>),
    /// A client with its secret.
    Client(Box<Client>),
}

/// The log position that was read before a client showed its secret: what is revoked after it concerns what the client
/// began.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownAt(pub(super) Position);

/// The handler behind its policy.
pub(super) fn enforced(
    instance: &Arc<Instance>,
    policy: Policy,
    handler: MethodRouter<Arc<Instance>>,
) -> MethodRouter<Arc<Instance>> {
    handler.layer(from_fn_with_state((Arc::clone(instance), policy), enforce))
}

async fn enforce(State((instance, policy)): State<(Arc<Instance>, Policy)>, request: Request, next: Next) -> Response {
    match admitted(&instance, policy, request).await {
        Ok(request) if policy.changes_what_others_see(request.method()) => to_the_end(next.run(request)).await,
        Ok(request) => next.run(request).await,
        Err(fail) => fail.into_response(),
    }
}

impl Policy {
    /// Whether the handler writes records and then announces them: it must not be left half done.
    fn changes_what_others_see(self, method: &Method) -> bool {
        matches!(self, Self::Login | Self::LoginSensitive | Self::AdminWrite) && !method.is_safe()
    }
}

/// The response of a handler that goes on to its end when nobody waits for it any more: whoever hangs up, or waits for
/// longer than a request may take, leaves nothing half announced.
async fn to_the_end(handler: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(handler).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a handler has failed");
            Fail(InternalFault::Handler.into()).into_response()
        }
    }
}

/// The request, with its caller in it.
async fn admitted(instance: &Instance, policy: Policy, request: Request) -> Result<Request, Fail> {
    let of_login = matches!(policy, Policy::Login | Policy::LoginSensitive);
    let (request, form_token) = if of_login && call::form_of(request.headers()) == Form::UrlEncoded {
        // A page without script has no other place for its CSRF token than the form.
        let call = Call::from_request(request, &()).await?;
        let token = call.form_token();
        (call.into_request(), token)
    } else {
        (request, None)
    };
    let (mut parts, body) = request.into_parts();
    if matches!(policy, Policy::Client(_)) {
        parts.extensions.insert(ShownAt(instance.position()));
    }
    let caller = match policy {
        Policy::Public | Policy::SignIn | Policy::ShowsCredential => None,
        Policy::Login => Some(login(instance, &parts, CsrfDemand::Proof, form_token.as_deref()).await?),
        Policy::LoginSensitive => Some(login(instance, &parts, CsrfDemand::Token, form_token.as_deref()).await?),
        Policy::Client(right) => Some(client(instance, &parts, right).await?),
        Policy::AdminRead => Some(admin(instance, &parts, false).await?),
        Policy::AdminWrite => Some(admin(instance, &parts, true).await?),
    };
    let mut request = Request::from_parts(parts, body);
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    Ok(request)
}

async fn login(
    instance: &Instance,
    parts: &http::request::Parts,
    csrf: CsrfDemand,
    form_token: Option<&str>,
) -> Result<Caller, Error> {
    let app = call::app_of(instance, parts, None)?;
    let requirement = Requirement { app: Some(app.id.clone()), csrf, ..Requirement::default() };
    checked(parts, &requirement, form_token).await
}

async fn checked(
    parts: &http::request::Parts,
    requirement: &Requirement,
    form_token: Option<&str>,
) -> Result<Caller, Error> {
    // The layer in front of the whole router makes it.
    let gate = Gate::of(parts).ok_or(InputFault::InvalidClient)?;
    Ok(Caller::Login(Box::new(gate.check(parts, requirement, form_token).await?)))
}

async fn client(instance: &Instance, parts: &http::request::Parts, right: Right) -> Result<Caller, Error> {
    let client = call::client_of(instance, parts).await?.ok_or(InputFault::InvalidClient)?;
    // Which app is concerned, the handler knows and asks again; here it is asked whether the right is there at all.
    if !client.may(right, client.app.as_ref()) {
        return Err(InputFault::RightMissing { right: right.name() }.into());
    }
    Ok(Caller::Client(Box::new(client)))
}

async fn admin(instance: &Instance, parts: &http::request::Parts, write: bool) -> Result<Caller, Error> {
    if let Some(client) = call::client_of(instance, parts).await? {
        if !client.may(Right::Admin, None) {
            return Err(InputFault::RightMissing { right: Right::Admin.name() }.into());
        }
        return Ok(Caller::Client(Box::new(client)));
    }
    let requirement = misario_core::authn::role("admin").of_app(AppId::new(BUILT_IN)?);
    let requirement = if write { requirement.fresh(ADMIN_FRESH).csrf_token() } else { requirement.or_role("auditor") };
    checked(parts, &requirement, None).await
}
