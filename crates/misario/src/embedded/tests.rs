use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt as _;

use super::*;

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

/// An app whose code is edited: each start on the same database, and its outcome.
async fn started(database: &Path, change: impl FnOnce(Embedded) -> Embedded) -> Result<(), EmbeddedError> {
    let misario = change(Misario::embedded(database).app("web", Mode::Session)).start().await?;
    misario.shutdown().await;
    drop(misario);
    Ok(())
}

#[tokio::test]
async fn a_second_origin_is_not_another_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    let (one, two) = (origin("https://one.example.com"), origin("https://two.example.com"));
    started(&database, |embedded| embedded.origin(one.clone())).await.unwrap();
    started(&database, |embedded| embedded.origin(one.clone()).origin(two.clone())).await.unwrap();
    let error = started(&database, |embedded| embedded.origin(two.clone()).origin(one.clone())).await.unwrap_err();
    assert_eq!(error.code(), "issuer_changed");
    let text = error.to_string();
    assert!([one.as_str(), two.as_str(), ".issuer(", ".issuer_was("].iter().all(|part| text.contains(part)), "{text}");
    started(&database, |embedded| embedded.origin(two.clone()).issuer(one.clone())).await.unwrap();
    started(&database, |embedded| embedded.origin(two.clone()).issuer_was(one.clone())).await.unwrap();
    started(&database, |embedded| embedded.origin(two.clone())).await.unwrap();
    assert!(started(&database, |embedded| embedded.origin(one.clone())).await.is_err(), "it was handed over");
}

#[tokio::test]
async fn an_app_without_an_https_origin_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Misario::embedded(folder.path().join("plain.db")).app("web", Mode::Session).start().await.unwrap();
    let error = plain.serve("0.0.0.0:0", axum::Router::new()).await.unwrap_err();
    assert_eq!(error.code(), "serve_origin_missing");
    assert!(error.to_string().contains(".origin("), "{error}");
    let other = tempfile::tempdir().unwrap();
    let served = Misario::embedded(other.path().join("app.db")).app("web", Mode::Session);
    let served = served.origin(origin("https://app.example.com")).start().await.unwrap();
    for (misario, address) in [(&plain, "127.0.0.1:0"), (&served, "0.0.0.0:0")] {
        // Served until it is told to stop, which nobody does: the refusal would be there at once.
        let serving = misario.serve(address, axum::Router::new());
        assert!(tokio::time::timeout(Duration::from_millis(1), serving).await.is_err(), "{address}");
    }
}

/// The authority runs for as long as a router that was made from it, and no longer.
#[tokio::test]
async fn a_router_goes_on_when_the_handle_is_dropped() {
    async fn routed(database: &Path) -> (axum::Router, String) {
        let misario = Misario::embedded(database).app("web", Mode::Session).start().await.unwrap();
        let who = |who: crate::Principal| async move { who.subject().to_owned() };
        let body = br#"{"app":"web","subject":"usr_x","transport":"bearer"}"#;
        let signed_in = misario.server().unwrap().sign_in_by_app(body).await;
        let signed_in = axum::body::to_bytes(signed_in.into_body(), 1 << 16).await.unwrap();
        let signed_in: serde_json::Value = serde_json::from_slice(&signed_in).unwrap();
        let router = axum::Router::new().route("/who", axum::routing::get(who)).layer(misario.layer());
        (router, signed_in["access_token"].as_str().unwrap().to_owned())
    }
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    let (router, token) = routed(&database).await;
    // A session that this memory has not seen: the authority has to be there.
    let request = Request::get("/who").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    drop(router);
    // Nothing holds the authority any more, and with it the store; what goes on by itself lets it go in a moment.
    let again = async {
        while Misario::embedded(&database).app("web", Mode::Session).start().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("the store is still in use");
}

#[tokio::test]
async fn whoever_signs_out_by_a_form_lands_on_a_page_of_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let misario = Misario::embedded(folder.path().join("app.db")).app("web", Mode::Session).start().await.unwrap();
    let app: axum::Router = misario.routes().layer(misario.layer());
    let form = "application/x-www-form-urlencoded";
    let sign_out = Request::post("/v1/logout").header(header::CONTENT_TYPE, form).body(Body::from("app=web"));
    let answer = app.clone().oneshot(sign_out.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let page = Request::get(location.as_str()).body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(page).await.unwrap().status(), StatusCode::OK, "{location}");
    misario.shutdown().await;
}
