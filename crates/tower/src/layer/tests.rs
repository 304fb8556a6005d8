mod forms;
mod interrupted;
mod nested;

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{Method, StatusCode};
use misario_core::app::Mode;
use misario_core::authn::role;
use misario_core::secret::{CsrfBinding, CsrfToken};
use misario_jose::UnixTime;
use serde::Deserialize;
use tower::ServiceExt;

use super::*;
use crate::testing::{Bench, Counting, NOW, OWN, sid};
use crate::{CsrfForm, Login, Principal};

async fn send(router: &Router, request: Request<Body>) -> Response<String> {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let octets = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    Response::from_parts(parts, String::from_utf8(octets.to_vec()).unwrap())
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn router(bench: &Bench) -> Router {
    Router::new()
        .route("/public", get(|| async { ([(CACHE_CONTROL, "public, max-age=60")], "hello") }))
        .route(
            "/me",
            get(|who: Principal| async move { who.subject().to_owned() }).post(|_: Principal| async { "done" }),
        )
        .route(
            "/maybe",
            get(|who: Option<Principal>| async move { who.map_or("nobody".into(), |w| w.subject().to_owned()) }),
        )
        .route("/login", get(|login: Login| async move { login.sid().to_string() }))
        .route("/cookies", get(cookies))
        .route(
            "/hr",
            get(|who: Principal| async move { who.subject().to_owned() }).layer(bench.guard.require(role("hr"))),
        )
        .route("/admin", get(|| async { "reached" }).layer(bench.guard.require(role("admin"))))
        .layer(bench.guard.layer())
}

async fn cookies(headers: HeaderMap) -> String {
    headers.get_all(COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
}

fn cookie(access: &str) -> String {
    format!("theme=dark; __Host-misario-web={access}; __Host-misario-web-refresh=mrt_secret")
}

async fn get_with_cookie(bench: &Bench, path: &str, access: &str) -> Response<String> {
    send(&router(bench), request(Method::GET, path, &[("cookie", &cookie(access))])).await
}

#[tokio::test]
async fn handlers_never_see_credential_cookies() {
    let bench = Bench::new(Mode::Jwt);
    let response = get_with_cookie(&bench, "/cookies", &bench.jwt(|_| {})).await;
    assert_eq!(response.body(), "theme=dark");
}

#[tokio::test]
async fn what_depends_on_a_credential_stays_out_of_shared_caches() {
    let bench = Bench::new(Mode::Jwt);
    let token = bench.jwt(|_| {});
    for (path, status) in [("/me", 200), ("/maybe", 200), ("/hr", 200), ("/admin", 403)] {
        let response = get_with_cookie(&bench, path, &token).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store", "{path}");
        assert_eq!(response.headers()[VARY], "Cookie, Authorization, Sec-Fetch-Site, Origin", "{path}");
    }
    let anonymous = send(&router(&bench), request(Method::GET, "/maybe", &[])).await;
    assert_eq!(
        (anonymous.body().as_str(), &anonymous.headers()[CACHE_CONTROL]),
        ("nobody", &"private, no-store".parse().unwrap())
    );
}

#[tokio::test]
async fn what_depends_on_none_is_left_alone() {
    let bench = Bench::new(Mode::Jwt);
    let response = get_with_cookie(&bench, "/public", &bench.jwt(|_| {})).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=60");
    assert!(!response.headers().contains_key(VARY));
    assert!(bench.told.asked.lock().is_empty());
}

#[tokio::test]
async fn a_renewed_cookie_goes_out_once() {
    let bench = Bench::new(Mode::Jwt);
    bench.renews(&bench.jwt(|_| {}));
    let spent = bench.jwt(|claims| {
        claims.iat = UnixTime::from_secs(NOW - 900);
        claims.exp = UnixTime::from_secs(NOW - 1);
    });
    let response = get_with_cookie(&bench, "/hr", &spent).await;
    assert_eq!((response.status(), response.headers().get_all(SET_COOKIE).iter().count()), (StatusCode::OK, 1));
    assert_eq!(bench.told.renewals.lock().len(), 1, "the extractor takes the word of the layer");
}

#[tokio::test]
async fn nobody_passes_a_requirement_they_do_not_fulfil() {
    let bench = Bench::new(Mode::Jwt);
    for (headers, status) in
        [(vec![], 401), (vec![("cookie", cookie("a.b.c"))], 401), (vec![("cookie", cookie(&bench.jwt(|_| {})))], 403)]
    {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let response = send(&router(&bench), request(Method::GET, "/admin", &headers)).await;
        assert_eq!(response.status(), status);
        assert!(!response.body().contains("reached"));
    }
}

/// Only a visitor is nobody: a request that cannot be judged is an error even where a login is optional.
#[tokio::test]
async fn an_optional_principal_is_none_for_visitors_only() {
    let bench = Bench::new(Mode::Jwt);
    let token = bench.jwt(|_| {});
    let duplicate = format!("{}; __Host-misario-web=x.y.z", cookie(&token));
    for (headers, status) in [
        (vec![], 200),
        (vec![("cookie", "__Host-misario-web=a.b.c")], 200),
        (vec![("cookie", duplicate.as_str())], 400),
        (vec![("misario-app", "nope")], 400),
    ] {
        let response = send(&router(&bench), request(Method::GET, "/maybe", &headers)).await;
        assert_eq!(response.status(), status, "{headers:?}");
        assert!(status != 200 || response.body() == "nobody");
    }
    let spent = bench.jwt(|claims| {
        claims.iat = UnixTime::from_secs(NOW - 900);
        claims.exp = UnixTime::from_secs(NOW - 1);
    });
    let bearer = format!("Bearer {spent}");
    let response = send(&router(&bench), request(Method::GET, "/maybe", &[("authorization", &bearer)])).await;
    assert_eq!(response.status(), 401, "its client has to learn that it must refresh");
    assert!(response.body().contains("token_expired"), "{}", response.body());
    bench.clock.advance(std::time::Duration::from_secs(3));
    let response = get_with_cookie(&bench, "/maybe", &token).await;
    assert_eq!(response.status(), 503, "no lease, no authority: not a logout");
}

#[tokio::test]
async fn an_unsafe_request_with_a_cookie_proves_where_it_came_from() {
    let bench = Bench::new(Mode::Jwt);
    let cookie = cookie(&bench.jwt(|_| {}));
    let token = CsrfToken::issue(bench.keys.replica(), CsrfBinding::Login(&sid(1)), &Counting::default()).unwrap();
    for (proof, status) in [
        (None, 403),
        (Some(("origin", OWN)), 200),
        (Some(("origin", "https://evil.example")), 403),
        (Some(("x-csrf-token", token.expose())), 200),
    ] {
        let headers: Vec<_> = [("cookie", cookie.as_str())].into_iter().chain(proof).collect();
        let response = send(&router(&bench), request(Method::POST, "/me", &headers)).await;
        assert_eq!(response.status(), status, "{proof:?}");
    }
    let bearer = format!("Bearer {}", bench.jwt(|_| {}));
    let response = send(&router(&bench), request(Method::POST, "/me", &[("authorization", &bearer)])).await;
    assert_eq!(response.status(), 200);
}

#[derive(Deserialize)]
struct Payment {
    amount: u32,
}

async fn pay(form: CsrfForm<Payment>) -> String {
    format!("{} pays {}", form.principal.subject(), form.form.amount)
}

async fn send_form(bench: &Bench, form: &str) -> Response<String> {
    let router = Router::new().route("/pay", post(pay)).layer(bench.guard.layer());
    let request = Request::builder()
        .method(Method::POST)
        .uri("/pay")
        .header("cookie", cookie(&bench.jwt(|_| {})))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    send(&router, request).await
}

#[tokio::test]
async fn a_form_proves_by_its_field_where_it_came_from() {
    let bench = Bench::new(Mode::Jwt);
    let token = |sid| {
        let token = CsrfToken::issue(bench.keys.replica(), CsrfBinding::Login(&sid), &Counting::default()).unwrap();
        token.expose().to_owned()
    };
    let (own, foreign) = (token(sid(1)), token(sid(2)));
    assert_eq!(send_form(&bench, &format!("amount=5&_csrf={own}")).await.body(), "alice pays 5");
    for (form, status) in [
        ("amount=5".to_owned(), 403),
        (format!("amount=5&_csrf={foreign}"), 403),
        (format!("_csrf={foreign}&_csrf={own}&amount=5"), 400),
        (format!("_csrf={own}&amount=much"), 400),
        (format!("_csrf={own}&amount=5&more={}", "x".repeat(64 * 1024)), 413),
    ] {
        assert_eq!(send_form(&bench, &form).await.status(), status, "{form:.40}");
    }
}

#[tokio::test]
async fn an_extractor_without_a_layer_lets_nobody_in() {
    let bench = Bench::new(Mode::Jwt);
    let router: Router = Router::new().route("/me", get(|_: Principal| async { "reached" }));
    let bearer = format!("Bearer {}", bench.jwt(|_| {}));
    let response = send(&router, request(Method::GET, "/me", &[("authorization", &bearer)])).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_client_of_its_own_has_no_login() {
    let bench = Bench::new(Mode::Jwt);
    let get = |token: String| {
        let router = router(&bench);
        async move { send(&router, request(Method::GET, "/login", &[("authorization", &format!("Bearer {token}"))])).await }
    };
    assert_eq!(get(bench.jwt(|_| {})).await.body(), &sid(1).to_string());
    assert_eq!(get(bench.jwt(|claims| claims.sid = None)).await.status(), 403);
}

#[tokio::test]
async fn the_layers_wrap_services_of_other_bodies_too() {
    type Full = http_body_util::Full<Bytes>;
    let bench = Bench::new(Mode::Jwt);
    let inner = tower::service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::from("reached"))) });
    let service = bench.guard.layer().layer(bench.guard.require(role("hr")).layer(inner));
    let bearer = format!("Bearer {}", bench.jwt(|_| {}));
    let request = |bearer: &str| Request::builder().header("authorization", bearer).body(()).unwrap();
    assert_eq!(service.clone().oneshot(request(&bearer)).await.unwrap().status(), 200);
    assert_eq!(service.oneshot(request("Bearer x")).await.unwrap().status(), 401);
}
