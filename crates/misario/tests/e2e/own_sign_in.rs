//! Users whom the app has authenticated itself, and users that its code adds.

use std::time::Duration;

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use misario::{Misario, Mode, Principal, Transport, role};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::common::authority::{Authority, embedded};
use crate::common::eventually;

const WITHIN: Duration = Duration::from_secs(10);
const REFRESH: &str = "__Host-misario-web-refresh";

/// The app `web`, which lets in whoever comes to `/callback`.
fn app(misario: &Misario) -> Router {
    let of_page = misario.clone();
    let callback =
        async move |request: Parts| of_page.login("usr_42").app("web").roles(["hr"]).into_response(&request).await;
    let split = {
        let misario = misario.clone();
        async move |request: Parts| {
            let login = misario.login("usr_42").app("web").transport(Transport::Split).amr(["otp"]);
            login.into_response(&request).await
        }
    };
    let who =
        |who: Principal| async move { Json(json!({ "subject": who.subject(), "amr": who.amr(), "app": who.app() })) };
    Router::new()
        .route("/callback", get(callback))
        .route("/split", get(split))
        .route("/who", get(who))
        .route("/hr", post(|| async { "hr" }).layer(misario.require(role("hr").of_app("web".parse().unwrap()))))
        .merge(misario.routes())
        .layer(misario.layer())
}

async fn send(app: &Router, request: http::request::Builder) -> (Response<()>, Value) {
    let request: Request<Body> = request.header("misario-app", "web").body(Body::empty()).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let octets = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (Response::from_parts(parts, ()), serde_json::from_slice(&octets).unwrap_or_default())
}

fn cookies(response: &Response<()>) -> Vec<String> {
    response.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
}

/// What holds wherever the authority is.
async fn signs_in(app: &Router) {
    let browser = || Request::get("/callback").header("sec-fetch-mode", "navigate");
    let (response, body) = send(app, browser().header(COOKIE, format!("{REFRESH}=earlier"))).await;
    assert_eq!(response.status(), StatusCode::OK, "{body}");
    assert!(body["access_token"].is_null() && body["sid"].is_string(), "{body}");
    assert_eq!(response.headers()["cache-control"], "private, no-store");
    let lines = cookies(&response);
    let line = lines.iter().find(|line| line.starts_with("__Host-misario-web=")).unwrap();
    assert!(["Secure", "HttpOnly", "Path=/"].iter().all(|part| line.contains(part)), "{line}");
    assert!(lines.iter().any(|line| line.starts_with(REFRESH) && line.ends_with("Max-Age=0")), "{lines:?}");
    let cookie = line.split(';').next().unwrap();
    let (response, who) = send(app, Request::get("/who").header(COOKIE, cookie)).await;
    assert_eq!((response.status(), &who["subject"]), (StatusCode::OK, &json!("usr_42")));
    let hr = Request::post("/hr").header(COOKIE, cookie).header("sec-fetch-site", "same-origin");
    assert_eq!(send(app, hr).await.0.status(), StatusCode::OK);

    // Who signs in over a login ends it: whoever copied its cookie is out too.
    let (response, body) = send(app, browser().header(COOKIE, cookie)).await;
    assert_eq!(response.status(), StatusCode::OK, "{body}");
    let lines = cookies(&response);
    let next = lines.iter().find(|line| line.starts_with("__Host-misario-web=")).unwrap().split(';').next().unwrap();
    assert_ne!(next, cookie);
    // A connected app hears of it; the sign-in does not wait until it has.
    eventually("the earlier login is over", WITHIN, async || {
        send(app, Request::get("/who").header(COOKIE, cookie)).await.0.status() == StatusCode::UNAUTHORIZED
    })
    .await;
    assert_eq!(send(app, Request::get("/who").header(COOKIE, next)).await.0.status(), StatusCode::OK);

    let (response, body) = send(app, Request::get("/callback")).await;
    assert!(cookies(&response).is_empty());
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let (response, _) = send(app, Request::get("/who").header(AUTHORIZATION, bearer)).await;
    assert_eq!(response.status(), StatusCode::OK);

    let (_, body) = send(app, Request::get("/split")).await;
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let (_, who) = send(app, Request::get("/who").header(AUTHORIZATION, &bearer)).await;
    assert_eq!(who["amr"], json!(["otp"]));
    let hr = Request::post("/hr").header(AUTHORIZATION, bearer);
    assert_eq!(send(app, hr).await.0.status(), StatusCode::FORBIDDEN, "no role was given");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_signs_in_whom_it_has_authenticated() {
    let folder = tempfile::tempdir().unwrap();
    let misario = embedded(folder.path()).await.unwrap();
    signs_in(&app(&misario)).await;
    // Which app is meant, nobody can guess.
    let parts = Request::new(()).into_parts().0;
    let unnamed = misario.login("usr_42").into_response(&parts).await;
    assert_eq!(unnamed.status(), StatusCode::BAD_REQUEST);
    let unnameable = misario.login("").app("web").into_response(&parts).await;
    assert_eq!(unnameable.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_app_signs_in_whom_it_has_authenticated() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let secret = site.client("web-backend", "web", &["feed", "issue"]).await;
    let connect =
        async |id: &str, secret: &str| Misario::connect(&site.url).client(id, secret).app("web").start().await;
    signs_in(&app(&connect("web-backend", &secret).await.unwrap())).await;

    let secret = site.client("reader", "web", &["feed"]).await;
    let reader = app(&connect("reader", &secret).await.unwrap());
    let (response, body) = send(&reader, Request::get("/callback").header("sec-fetch-mode", "navigate")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert!(cookies(&response).is_empty(), "its own fault is no word about the user");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_adds_a_user_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    let misario = Misario::embedded(database).app("web", Mode::Session).start().await.unwrap();
    let added = misario.add_user("alice").roles(["hr"]).if_absent().await.unwrap().unwrap();
    assert!(misario.add_user("Alice").if_absent().await.unwrap().is_none());
    assert_eq!(misario.add_user("alice").create().await.unwrap_err().code(), "exists");
    assert_eq!(misario.add_user("bob").password("short").create().await.unwrap_err().code(), "password_unsuitable");
    assert_eq!(misario.add_user("two words").create().await.unwrap_err().code(), "name_invalid");
    let bob = misario.add_user("bob").password("a passphrase of bob's").create().await.unwrap();
    assert_eq!(bob.password(), "a passphrase of bob's");

    let app = app(&misario);
    let body = json!({ "username": "alice", "password": added.password(), "transport": "bearer" }).to_string();
    let request = Request::post("/v1/login").header("content-type", "application/json").body(Body::from(body)).unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let octets = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let answer: Value = serde_json::from_slice(&octets).unwrap();
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let (_, who) = send(&app, Request::get("/who").header(AUTHORIZATION, &bearer)).await;
    assert_eq!(who["subject"], json!(added.subject));
    assert_eq!(send(&app, Request::post("/hr").header(AUTHORIZATION, bearer)).await.0.status(), StatusCode::OK);
}
