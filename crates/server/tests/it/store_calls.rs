//! What a check costs the store: nothing for a JWT, one read for a session token that is not known yet.

use misario_core::app::Transport;
use serde_json::json;

use crate::support::{Call, Host, counted};

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn a_jwt_costs_no_store_call_the_first_time_and_ten_thousand_times_later() {
    let host = Host::start().await;
    for (app, transport, times) in
        [("service", Transport::Bearer, 10_000), ("service", Transport::Cookie, 100), ("spa", Transport::Split, 100)]
    {
        let held = host.login(app, transport, "s1").await;
        for nth in 0..=times {
            let (answer, asked) = counted(held.shows(Call::get("/v1/me")).send(&host)).await;
            assert_eq!((answer.status, asked.as_slice()), (200, NOTHING.as_slice()), "{app} {transport} {nth}");
        }
    }
}

#[tokio::test]
async fn a_session_token_costs_one_read_the_first_time_and_nothing_later() {
    let host = Host::start().await;
    for transport in [Transport::Bearer, Transport::Cookie, Transport::Split] {
        let held = host.login("web", transport, "s1").await;
        let (answer, asked) = counted(held.shows(Call::get("/v1/me")).send(&host)).await;
        assert_eq!((answer.status, asked.as_slice()), (200, ["load"].as_slice()), "{transport}");
        for _ in 0..500 {
            let (answer, asked) = counted(held.shows(Call::get("/v1/me")).send(&host)).await;
            assert_eq!((answer.status, asked.as_slice()), (200, NOTHING.as_slice()), "{transport}");
        }
    }
}

/// A change of roles costs one more read and one write, once.
#[tokio::test]
async fn a_session_is_read_again_only_when_something_of_it_changed() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let held = host.login("web", Transport::Bearer, &alice).await;
    let bystander = host.login("web", Transport::Bearer, "s2").await;
    let ask = async |held: &crate::support::Held| counted(held.shows(Call::get("/v1/me")).send(&host)).await.1;
    ask(&held).await;
    ask(&bystander).await;
    host.admin("PUT", "/admin/v1/users/alice/grants/web", json!({ "roles": ["x"] })).await.expect(200);
    assert_eq!(ask(&held).await, ["load", "load_record", "swap"]);
    assert_eq!(ask(&held).await, NOTHING);
    assert_eq!(ask(&bystander).await, NOTHING);
}

/// Garbage, forged and foreign: refused before anybody is asked (S03, and CVE-2026-48524 as a class).
#[tokio::test]
async fn what_was_not_made_here_costs_no_store_call_on_any_endpoint() {
    let host = Host::start().await;
    let (session, jwt) =
        (host.login("web", Transport::Bearer, "s1").await, host.login("spa", Transport::Bearer, "s1").await);
    let forged = |text: &str| format!("{}AAAA", &text[..text.len() - 4]);
    let strange_key = jwt.access_text().replacen("eyJ", "eyK", 1);
    let shown = [
        "garbage".to_owned(),
        forged(&session.access_text()),
        forged(&jwt.access_text()),
        strange_key,
        forged(&jwt.refresh_text().unwrap()),
        forged(&host.ops),
    ];
    for text in &shown {
        let calls = [
            Call::get("/v1/me").app("web").bearer(text),
            Call::get("/v1/me").app("spa").cookie(&format!("__Host-misario-spa={text}")),
            Call::get("/v1/sessions").app("web").bearer(text),
            Call::get("/v1/check?app=web").bearer(text),
            Call::get("/v1/csrf").app("web").bearer(text),
            Call::post("/v1/refresh").app("spa").json(&json!({ "refresh_token": text })),
            Call::post("/v1/refresh").app("web").bearer(text),
            Call::post("/v1/logout").app("spa").json(&json!({ "refresh_token": text, "access_token": text })),
            Call::get("/admin/v1/apps").basic("ops", text),
            Call::post("/v1/sessions").basic("ops", text).json(&json!({ "app": "web", "subject": "s1" })),
        ];
        for call in calls {
            let what = format!("{} {} {text}", call.method, call.path);
            let (answer, asked) = counted(call.send(&host)).await;
            // Whoever is nobody gets the token of a visitor, and a sign-out always works.
            let fine = [200, 204].contains(&answer.status) == (what.contains("csrf") || what.contains("logout"));
            assert!(fine, "{what}: {}", answer.text());
            assert_eq!(asked, NOTHING, "{what}");
        }
    }
}
