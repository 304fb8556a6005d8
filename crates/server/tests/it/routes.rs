//! The route table: every route has its policy, and the policy is what a request meets.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use misario_core::app::Transport;
use misario_core::user::Grant;
use misario_server::http::{Policy, Route, routes};
use serde_json::json;

use crate::support::{Answer, Call, Held, Host, PASSWORD};

const METHODS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"];

/// The route's path with something in place of its parameters.
fn concrete(route: &Route) -> String {
    let filled = [("{app}", "web"), ("{id}", "web"), ("{user}", "alice"), ("{*path}", "deep/er"), ("{sid}", SID)];
    let path = filled.iter().fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
    if path.starts_with("/v1/check") { path + "?app=web" } else { path }
}

const SID: &str = "00000000000000000000000000000001";

fn is_unsafe(route: &Route) -> bool {
    !["GET", "*"].contains(&route.method)
}

/// A person who administers, signed in with a cookie.
async fn administrator(host: &Host) -> Held {
    host.user("root").await;
    let built_in = misario_core::id::AppId::new("misario").unwrap();
    let grant = Grant { roles: vec!["admin".to_owned()], permissions: Vec::new() };
    host.server.instance().set_grant("root", &built_in, grant).await.unwrap();
    let sent = json!({ "app": "misario", "username": "root", "password": PASSWORD, "transport": "cookie" });
    let answer = Call::post("/v1/login").json(&sent).send(host).await.expect(200);
    Held::of("misario", Transport::Cookie, &answer)
}

#[test]
fn the_table_is_what_was_agreed() {
    let mut table = String::new();
    for route in routes() {
        // The style sheet's name changes with its content.
        let path = if route.path.starts_with("/assets/style.") { "/assets/style.{hash}.css" } else { route.path };
        writeln!(table, "{:7} {path:40} {:?}", route.method, route.policy).unwrap();
    }
    insta::assert_snapshot!("routes", table);
}

#[tokio::test]
async fn whoever_shows_nothing_gets_through_public_routes_only() {
    let host = Host::start().await;
    for route in routes() {
        let method = if route.method == "*" { "GET" } else { route.method };
        let status = Call::new(method, &concrete(&route)).app("web").send(&host).await.status;
        let what = format!("{} {} {:?} -> {status}", route.method, route.path, route.policy);
        match route.policy {
            Policy::Public if route.path.starts_with("/v1/check") => assert_eq!(status, 401, "{what}"),
            Policy::Public => assert!(status < 400, "{what}"),
            Policy::SignIn => assert_eq!(status, 415, "{what}: it says what it wants"),
            Policy::ShowsCredential => assert!([204, 401].contains(&status), "{what}"),
            _ => assert_eq!(status, 401, "{what}"),
        }
    }
}

/// X01: proof of origin first, before anything else is looked at.
#[tokio::test]
async fn every_state_changing_route_refuses_a_cookie_without_csrf_proof() {
    let host = Host::start().await;
    let admin = administrator(&host).await;
    let web = host.login("web", Transport::Cookie, "s1").await;
    let before = host.store.dump().await;
    let by_cookie = [Policy::ShowsCredential, Policy::Login, Policy::LoginSensitive, Policy::AdminWrite];
    let mut judged = 0;
    for route in routes().into_iter().filter(is_unsafe).filter(|route| by_cookie.contains(&route.policy)) {
        let held = if route.path.starts_with("/admin") { &admin } else { &web };
        for site in ["cross-site", "same-site", "none", "absent"] {
            let call = held.shows(Call::new(route.method, &concrete(&route))).json(&json!({}));
            let call = call.without("origin").without("sec-fetch-site");
            let call = if site == "absent" { call } else { call.header("sec-fetch-site", site) };
            let answer = call.send(&host).await;
            assert_eq!(answer.told(), (403, "csrf_required".to_owned()), "{} {} {site}", route.method, route.path);
            assert_eq!(answer.cookies(), []);
            judged += 1;
        }
    }
    assert!(judged > 50, "{judged}");
    assert_eq!(host.store.dump().await, before);
}

/// Routes that are worth a token do not believe headers alone.
#[tokio::test]
async fn sensitive_routes_want_the_token_even_from_the_same_origin() {
    let host = Host::start().await;
    let (mut admin, mut web) = (administrator(&host).await, host.login("web", Transport::Cookie, "s1").await);
    let tokens = (admin.csrf(&host).await, web.csrf(&host).await);
    let sensitive = [Policy::LoginSensitive, Policy::AdminWrite];
    for route in routes().into_iter().filter(|route| sensitive.contains(&route.policy)) {
        let is_admin = route.path.starts_with("/admin");
        let (held, own, foreign) = if is_admin { (&admin, &tokens.0, &tokens.1) } else { (&web, &tokens.1, &tokens.0) };
        if route.path == "/v1/logout-all" {
            continue;
        }
        let call = || held.shows(Call::new(route.method, &concrete(&route))).raw("text/plain", b"");
        let what = format!("{} {}", route.method, route.path);
        assert_eq!(call().send(&host).await.status, 403, "{what}");
        let of_another = call().header("x-csrf-token", foreign).send(&host).await;
        assert_eq!(of_another.told(), (403, "csrf_required".to_owned()), "{what}: another login's token");
        assert_ne!(call().header("x-csrf-token", own).send(&host).await.status, 403, "{what}");
    }
}

/// X08.
#[tokio::test]
async fn safe_methods_change_nothing() {
    let host = Host::start().await;
    let mut admin = administrator(&host).await;
    let web = host.login("web", Transport::Cookie, "s1").await;
    admin.me(&host).await.expect(200);
    let before = host.store.dump().await;
    let paths: BTreeSet<_> = routes().iter().map(concrete).filter(|path| path != "/v1/feed").collect();
    for path in &paths {
        for method in ["GET", "HEAD", "OPTIONS"] {
            for held in [&web, &admin] {
                held.shows(Call::new(method, path)).send(&host).await;
            }
            Call::new(method, path).basic("ops", &host.ops).send(&host).await;
        }
        assert_eq!(host.store.dump().await, before, "{path}");
    }
}

/// HEAD asks for no less than GET (CVE-2026-45075).
#[tokio::test]
async fn head_meets_the_policy_of_get() {
    let host = Host::start().await;
    for route in routes().into_iter().filter(|route| route.method == "GET" && route.path != "/v1/feed") {
        let statuses = async |method: &str| {
            let call = Call::new(method, &concrete(&route)).app("web");
            let answer = call.send(&host).await;
            assert!(method == "GET" || answer.body.is_empty());
            answer.status
        };
        assert_eq!(statuses("HEAD").await, statuses("GET").await, "{}", route.path);
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused_and_named() {
    let host = Host::start().await;
    let paths: BTreeSet<_> = routes().iter().map(|route| (route.path, concrete(route))).collect();
    for (pattern, path) in paths {
        let own: Vec<_> = routes().iter().filter(|route| route.path == pattern).map(|route| route.method).collect();
        if own.contains(&"*") || path == "/v1/feed" {
            continue;
        }
        for method in METHODS {
            if own.contains(&method) || (method == "HEAD" && own.contains(&"GET")) {
                continue;
            }
            let answer = Call::new(method, &path).basic("ops", &host.ops).send(&host).await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
            assert!(own.iter().all(|method| answer.header("allow").contains(method)), "{}", answer.header("allow"));
        }
    }
    assert_eq!(Call::get("/v2/me").send(&host).await.told(), (404, "not_found".to_owned()));
}

/// X09.
#[tokio::test]
async fn a_method_is_what_the_request_line_says() {
    let host = Host::start().await;
    let held = host.login("web", Transport::Bearer, "s1").await;
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let call = held.shows(Call::post(&format!("/v1/sessions/{}", held.sid))).header(name, "DELETE");
        assert_eq!(call.send(&host).await.status, 405, "{name}");
        let call = held.shows(Call::get(&format!("/v1/sessions/{}?_method=DELETE", held.sid))).header(name, "DELETE");
        assert_eq!(call.send(&host).await.status, 405, "{name}");
    }
    held.clone().me(&host).await.expect(200);
}

/// K12, and the only things that a shared cache may keep.
#[tokio::test]
async fn what_is_public_is_the_key_set_and_the_style_sheet() {
    let host = Host::start().await;
    host.admin("POST", "/admin/v1/keys", json!({ "alg": "HS256" })).await.expect(201);
    let is_public = |answer: &Answer| answer.header("cache-control").starts_with("public");
    let mut public = Vec::new();
    for route in routes().into_iter().filter(|route| route.method == "GET") {
        let answer = Call::get(&concrete(&route)).app("web").send(&host).await;
        if is_public(&answer) {
            public.push(route.path);
        }
    }
    assert_eq!(public.len(), 2, "{public:?}");
    let set = Call::get("/.well-known/jwks.json").send(&host).await.expect(200).json();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1, "a symmetric key is never published");
    let members: BTreeSet<_> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(members.is_subset(&["alg", "crv", "kid", "kty", "use", "x", "y", "key_ops"].into()), "{members:?}");
}
