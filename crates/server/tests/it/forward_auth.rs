//! `/v1/check`: what a proxy asks. Its configuration decides; the client's own headers are passed on with it and decide
//! nothing.

use std::time::Duration;

use misario_core::app::Transport;
use misario_core::authn::role;
use misario_core::id::AppId;
use serde_json::json;

use crate::support::{Call, Host};

async fn host() -> Host {
    Host::with(|setup| {
        let web = AppId::new("web").unwrap();
        setup.config.policies =
            [("user".to_owned(), role("user").of_app(web)), ("any-admin".to_owned(), role("admin"))].into();
    })
    .await
}

#[tokio::test]
async fn a_proxy_learns_who_it_is() {
    let host = host().await;
    let alice = host.user("alice").await;
    for (app, transport) in [("web", Transport::Cookie), ("spa", Transport::Bearer), ("service", Transport::Cookie)] {
        let held = host.login(app, transport, &alice).await;
        let path = format!("/v1/check/some/path?app={app}");
        let answer = held.shows(Call::get(&path)).header("x-original-method", "GET").send(&host).await.expect(200);
        let told = ["misario-subject", "misario-app", "misario-sid", "misario-roles"].map(|name| answer.header(name));
        assert_eq!(told, [alice.as_str(), app, held.sid.as_str(), "user"]);
        assert_eq!(Call::get(&path).send(&host).await.status, 401);
    }
}

/// A client that is signed in to another app must not choose which app the proxy's route belongs to.
#[tokio::test]
async fn the_app_is_what_the_proxy_says_and_not_what_the_client_says() {
    let host = host().await;
    let alice = host.user("alice").await;
    let spa = host.login("spa", Transport::Bearer, &alice).await;
    let web = host.login("web", Transport::Bearer, &alice).await;
    let ask = |token: &str, path: &str| Call::get(path).bearer(token).header("x-original-method", "GET");
    for path in ["/v1/check?app=web", "/v1/check?app=web&policy=user", "/v1/check?policy=user"] {
        ask(&web.access_text(), path).send(&host).await.expect(200);
        for call in [
            ask(&spa.access_text(), path),
            ask(&spa.access_text(), path).app("spa"),
            ask(&spa.access_text(), path).header("origin", "https://spa.example.test"),
        ] {
            assert_eq!(call.send(&host).await.status, 401, "{path}");
        }
    }
    let unsaid = ask(&spa.access_text(), "/v1/check").app("spa").header("origin", "https://spa.example.test");
    assert_eq!(unsaid.send(&host).await.told(), (400, "app_ambiguous".to_owned()));
    assert_eq!(ask(&web.access_text(), "/v1/check?app=spa&policy=user").send(&host).await.status, 404);
}

#[tokio::test]
async fn a_policy_is_the_proxys_own() {
    let host = host().await;
    let alice = host.user("alice").await;
    let held = host.login("web", Transport::Bearer, &alice).await;
    let ask = |path: &str| held.shows(Call::get(path)).header("x-original-method", "GET");
    assert_eq!(ask("/v1/check?app=web&policy=any-admin").send(&host).await.told(), (403, "forbidden".to_owned()));
    assert_eq!(ask("/v1/check?app=web&policy=nope").send(&host).await.status, 404);
    assert_eq!(ask("/v1/check?app=web&policy=any-admin&policy=user").send(&host).await.status, 400);
    let by_header = ask("/v1/check?app=web&policy=any-admin").header("misario-policy", "user");
    assert_eq!(by_header.send(&host).await.status, 403);
}

/// Strict where the proxy says nothing, and where two words contradict each other.
#[tokio::test]
async fn a_cookie_needs_proof_unless_every_word_says_that_nothing_changes() {
    let host = host().await;
    let held = host.login("web", Transport::Cookie, "s1").await;
    let ask = |methods: &[(&str, &str)]| {
        let call = held.shows(Call::get("/v1/check?app=web")).without("origin").without("sec-fetch-site");
        methods.iter().fold(call, |call, (name, value)| call.header(name, value))
    };
    let (original, forwarded) = ("x-original-method", "x-forwarded-method");
    for safe in [vec![(original, "GET")], vec![(forwarded, "HEAD")], vec![(original, "GET"), (forwarded, "GET")]] {
        ask(&safe).send(&host).await.expect(200);
    }
    for strict in [
        vec![],
        vec![(original, "POST")],
        vec![(original, "get")],
        vec![(original, "GET"), (forwarded, "POST")],
        vec![(forwarded, "GET"), (original, "DELETE")],
        vec![(original, "GET"), (original, "POST")],
    ] {
        assert_eq!(ask(&strict).send(&host).await.told(), (403, "csrf_required".to_owned()), "{strict:?}");
    }
    ask(&[]).same_origin("web").send(&host).await.expect(200);
}

/// What was renewed in passing is not lost with a refusal: the old cookie is spent.
#[tokio::test]
async fn a_cookie_renewed_on_the_way_to_a_refusal_goes_out_with_it() {
    let host = host().await;
    let mut held = host.login("spa", Transport::Cookie, "s1").await;
    host.pass(1_000).await;
    let before = held.clone();
    let call = Call::get("/v1/check?app=spa&policy=any-admin").header("x-original-method", "GET");
    let answer = held.call(&host, call).await;
    assert_eq!(answer.told(), (403, "forbidden".to_owned()));
    assert_ne!(held.jar, before.jar, "{:?}", answer.headers);
    assert_eq!(held.me(&host).await.expect(200).json()["sid"], json!(held.sid));
}

/// The response that brings a renewed cookie may be lost, on a route that asks the authority each time as well: what was
/// renewed is in nobody's hands yet, and the old refresh cookie is no reuse however late it is shown.
#[tokio::test]
async fn a_renewal_that_never_arrived_ends_no_login_on_a_route_that_asks_each_time() {
    let host = Host::with(|setup| {
        let spa = AppId::new("spa").unwrap();
        let fresh = role("user").of_app(spa.clone()).fresh(Duration::from_hours(2));
        let authoritative = role("user").of_app(spa).authoritative();
        setup.config.policies = [("fresh".to_owned(), fresh), ("asked".to_owned(), authoritative)].into();
    })
    .await;
    let alice = host.user("alice").await;
    for policy in ["fresh", "asked"] {
        let mut held = host.login("spa", Transport::Cookie, &alice).await;
        host.pass(1_000).await;
        let path = format!("/v1/check?policy={policy}");
        let call = Call::get(&path).header("x-original-method", "GET");
        let lost = held.shows(call).send(&host).await.expect(200);
        assert_eq!(lost.cookies().len(), 2, "both cookies were renewed, and never arrived");
        host.pass(1_000).await;
        held.me(&host).await.expect(200);
        // That one arrived, and its use counts: a copy of the first refresh cookie is a thief's from here on.
        let before = held.refresh_text();
        host.pass(1_000).await;
        let call = Call::get(&path).header("x-original-method", "GET");
        held.call(&host, call.clone()).await.expect(200);
        assert_ne!(held.refresh_text(), before);
        held.shows(call).send(&host).await.expect(200);
        host.pass(1_000).await;
        let stolen = json!({ "refresh_token": before });
        let answer = Call::post("/v1/refresh").app("spa").json(&stolen).send(&host).await;
        assert_eq!(answer.status, 401, "{policy}: {}", answer.text());
    }
}
