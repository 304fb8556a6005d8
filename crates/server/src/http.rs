//! The HTTP API: one table of routes, each with the policy that is enforced before its handler runs.
//!
//! A handler is parse, call the instance, respond. What a policy lets through is in the request's extensions
//! ([`policy::Caller`]), so a handler that needs a caller cannot be mounted without a policy that brings one.

mod admin;
mod call;
mod check;
mod csrf;
mod feed;
mod health;
mod jwks;
pub(crate) mod login;
mod logout;
mod me;
mod own_sessions;
mod page_routes;
mod policy;
pub mod problem;
mod refresh;
mod respond;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{MethodRouter, any, delete, get, patch, post, put};
use misario_core::client::Right;

pub use feed::FeedEnded;
pub use policy::Policy;
pub use serve::{ServeError, serve};

use crate::instance::Instance;

/// What a request's own work may take.
const STORE_TIME: Duration = Duration::from_secs(30);

/// A route: what it is called by, and what it asks of its caller.
pub struct Route {
    /// Its methods, in upper case; `*`: any.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// What is enforced before its handler runs.
    pub policy: Policy,
    handler: MethodRouter<Arc<Instance>>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    policy: Policy,
    handler: MethodRouter<Arc<Instance>>,
) -> Route {
    Route { method, path, policy, handler }
}

/// All routes.
pub fn routes() -> Vec<Route> {
    use Policy::{AdminRead, AdminWrite, Client, Login, LoginSensitive, Public, ShowsCredential, SignIn};
    vec![
        route("GET", "/healthz", Public, get(health::alive)),
        route("GET", "/readyz", Public, get(health::ready)),
        route("GET", "/.well-known/jwks.json", Public, get(jwks::jwks)),
        route("GET", "/", Public, get(page_routes::sign_in_or_account)),
        route("GET", crate::pages::STYLE_ROUTE, Public, get(page_routes::style)),
        route("GET", "/demo/{app}", Public, get(page_routes::demo)),
        route("GET", "/v1/login", Public, get(page_routes::sign_in_or_account)),
        route("POST", "/v1/login", SignIn, post(login::login)),
        route("POST", "/v1/refresh", ShowsCredential, post(refresh::refresh)),
        route("POST", "/v1/reauth", Login, post(login::reauth)),
        route("POST", "/v1/logout", ShowsCredential, post(logout::logout)),
        route("POST", "/v1/logout-all", LoginSensitive, post(logout::logout_all)),
        route("GET", "/v1/me", Login, get(me::me)),
        route("GET", "/v1/sessions", Login, get(own_sessions::list)),
        route("POST", "/v1/sessions", Client(Right::Issue), post(login::by_app)),
        route("DELETE", "/v1/sessions/{sid}", LoginSensitive, delete(own_sessions::end)),
        route("GET", "/v1/csrf", Public, get(csrf::token)),
        route("*", "/v1/check", Public, any(check::check)),
        route("*", "/v1/check/{*path}", Public, any(check::check)),
        route("GET", "/v1/feed", Client(Right::Feed), any(feed::feed)),
        route("POST", "/admin/v1/bootstrap", SignIn, post(admin::bootstrap::bootstrap)),
        route("GET", "/admin/v1/apps", AdminRead, get(admin::apps::list)),
        route("POST", "/admin/v1/apps", AdminWrite, post(admin::apps::add)),
        route("GET", "/admin/v1/apps/{id}", AdminRead, get(admin::apps::show)),
        route("PATCH", "/admin/v1/apps/{id}", AdminWrite, patch(admin::apps::change)),
        route("GET", "/admin/v1/users", AdminRead, get(admin::users::list)),
        route("POST", "/admin/v1/users", AdminWrite, post(admin::users::add)),
        route("GET", "/admin/v1/users/{user}", AdminRead, get(admin::users::show)),
        route("POST", "/admin/v1/users/{user}/disable", AdminWrite, post(admin::users::disable)),
        route("POST", "/admin/v1/users/{user}/enable", AdminWrite, post(admin::users::enable)),
        route("POST", "/admin/v1/users/{user}/password", AdminWrite, post(admin::users::password)),
        route("PUT", "/admin/v1/users/{user}/grants/{app}", AdminWrite, put(admin::users::grant)),
        route("GET", "/admin/v1/clients", AdminRead, get(admin::clients::list)),
        route("POST", "/admin/v1/clients", AdminWrite, post(admin::clients::add)),
        route("POST", "/admin/v1/clients/{id}/rotate", AdminWrite, post(admin::clients::rotate)),
        route("POST", "/admin/v1/clients/{id}/disable", AdminWrite, post(admin::clients::disable)),
        route("GET", "/admin/v1/sessions", AdminRead, get(admin::sessions::list)),
        route("POST", "/admin/v1/revoke", AdminWrite, post(admin::revoke::revoke)),
        route("GET", "/admin/v1/keys", AdminRead, get(admin::keys::list)),
        route("POST", "/admin/v1/keys", AdminWrite, post(admin::keys::generate)),
        route("GET", "/admin/v1/replicas", AdminRead, get(admin::replicas::list)),
        route("GET", "/admin/v1/config", AdminRead, get(admin::config::show)),
        route("POST", "/admin/v1/tokens", AdminWrite, post(admin::tokens::issue)),
    ]
}

/// The whole API, with its policies, headers and limits.
pub(crate) fn router(instance: &Arc<Instance>) -> Router {
    let router = mounted(instance, |_| true);
    let router = router.fallback(problem::no_such_route).method_not_allowed_fallback(problem::no_such_method);
    let router = finished(instance, router);
    // The whole API has its host to itself; a part of it in an app leaves this to the app.
    if instance.config.issuer.starts_with("https://") { respond::with_transport_security(router) } else { router }
}

/// The part of the API that an app mounts on its own origin: what its clients call, and nothing that could be in the
/// way of its own routes.
pub(crate) fn app_router(instance: &Arc<Instance>) -> Router {
    let of_clients = |route: &Route| {
        route.path.starts_with("/v1/")
            || route.path.starts_with("/.well-known/")
            || route.path == crate::pages::STYLE_ROUTE
    };
    finished(instance, mounted(instance, of_clients))
}

fn mounted(instance: &Arc<Instance>, wanted: impl Fn(&Route) -> bool) -> Router<Arc<Instance>> {
    let mut router = Router::new();
    for route in routes().into_iter().filter(wanted) {
        router = router.route(route.path, policy::enforced(instance, route.policy, route.handler));
    }
    router
}

fn finished(instance: &Arc<Instance>, router: Router<Arc<Instance>>) -> Router {
    // Longer than any store deadline, so that the precise error comes first; and a revocation may wait until the lease
    // of a verifier that does not answer has run out.
    let limit = STORE_TIME + instance.config.lease + Duration::from_secs(1);
    let router = respond::in_time(router.layer(instance.guard().layer()), limit);
    respond::with_headers(router).with_state(Arc::clone(instance))
}
