//! The switch of mode while people are logged in: no unexpected 401, the same login before and after.

use std::sync::Arc;

use misario_core::app::{Mode, Transport};
use serde_json::{Value, json};

use crate::support::{Call, Held, Host, MODES, TRANSPORTS};

const HALF_A_LIFE: u64 = 8 * 60;

/// What a switch must never change.
fn lasting(me: &Value) -> [Value; 5] {
    ["sid", "subject", "auth_time", "login_expires_at", "transport"].map(|name| me[name].clone())
}

fn form_of(mode: Mode) -> &'static str {
    if mode == Mode::Session { "session" } else { "jwt" }
}

#[tokio::test]
async fn a_login_goes_on_through_every_switch_and_back() {
    let host = Host::start().await;
    let subject = host.user("alice").await;
    let pairs = MODES.into_iter().flat_map(|from| MODES.map(|to| (from, to))).filter(|(from, to)| from != to);
    for (from, to) in pairs {
        for transport in TRANSPORTS {
            let what = format!("{from} -> {to}, {transport}");
            host.switch("web", from).await;
            let mut held = host.login("web", transport, &subject).await;
            let before = held.me(&host).await.expect(200).json();
            for mode in [to, from] {
                host.switch("web", mode).await;
                let me = held.me(&host).await.expect(200).json();
                assert_eq!(lasting(&me), lasting(&before), "{what}: what is held goes on");
                held.renew(&host).await.expect(200);
                let me = held.me(&host).await.expect(200).json();
                assert_eq!(lasting(&me), lasting(&before), "{what}: refreshed");
                assert_eq!((&me["kind"], &me["mode"]), (&json!(form_of(mode)), &json!(mode)), "{what}");
                assert_eq!(me["roles"], before["roles"], "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_sleeps_through_switches_is_not_logged_out() {
    let host = Host::start().await;
    for transport in TRANSPORTS {
        for asleep in [[Mode::Session, Mode::Jwt, Mode::Hybrid], [Mode::Jwt, Mode::Hybrid, Mode::Session]] {
            host.switch("web", asleep[2]).await;
            let mut held = host.login("web", transport, "s1").await;
            for mode in asleep {
                host.switch("web", mode).await;
                host.pass(HALF_A_LIFE).await;
            }
            let first = held.me(&host).await;
            if transport == Transport::Cookie || first.status == 200 {
                first.expect(200);
            } else {
                assert_eq!(first.told(), (401, "token_expired".to_owned()), "{transport} {asleep:?}");
            }
            held.renew(&host).await.expect(200);
            held.me(&host).await.expect(200);
        }
    }
}

#[tokio::test]
async fn cookies_are_exchanged_in_passing_and_the_browser_notices_nothing() {
    let host = Host::start().await;
    for (from, to) in [(Mode::Session, Mode::Jwt), (Mode::Jwt, Mode::Session), (Mode::Session, Mode::Hybrid)] {
        host.switch("web", from).await;
        let mut held = host.login("web", Transport::Cookie, "s1").await;
        let before = held.access_text();
        host.switch("web", to).await;
        let me = held.me(&host).await.expect(200).json();
        assert_eq!(me["kind"], form_of(from), "answered from what was shown");
        assert_ne!(held.access_text(), before, "{from} -> {to}: and exchanged");
        let me = held.me(&host).await.expect(200).json();
        assert_eq!((&me["kind"], &me["sid"]), (&json!(form_of(to)), &json!(held.sid)));
    }
}

#[tokio::test]
async fn every_credential_ever_issued_counts_until_its_end() {
    let host = Host::start().await;
    let mut held = host.login("web", Transport::Bearer, "s1").await;
    let mut all = vec![held.access_text()];
    for mode in [Mode::Jwt, Mode::Hybrid, Mode::Session] {
        host.switch("web", mode).await;
        held.renew(&host).await.expect(200);
        all.push(held.access_text());
    }
    for token in &all {
        let me = Call::get("/v1/me").app("web").bearer(token).send(&host).await.expect(200).json();
        assert_eq!(me["sid"], json!(held.sid));
    }
    host.revoke(json!({ "login": held.sid })).await;
    for token in &all {
        assert_eq!(Call::get("/v1/me").app("web").bearer(token).send(&host).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_racing_exchanges_of_one_jwt_make_one_session() {
    race_exchanges(Arc::new(Host::start().await)).await;
}

pub(crate) async fn race_exchanges(host: Arc<Host>) {
    let held = host.login("service", Transport::Bearer, "s1").await;
    assert!(host.store.sessions().await.is_empty(), "no record stands behind a login of a jwt app");
    host.switch("service", Mode::Session).await;
    let racers: Vec<_> = (0..50)
        .map(|_| {
            let (host, mut held) = (host.clone(), held.clone());
            tokio::spawn(async move {
                held.renew(&host).await.expect(200);
                held
            })
        })
        .collect();
    let mut tokens = Vec::new();
    for racer in racers {
        tokens.push(racer.await.unwrap().access_text());
    }
    assert!(tokens.iter().all(|token| *token == tokens[0] && token.starts_with("mst_")), "{tokens:?}");
    let sessions = host.store.sessions().await;
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].sid.to_string(), held.sid);
}

/// A session made from a JWT inherits, and never gets more.
#[tokio::test]
async fn a_session_made_from_a_jwt_inherits_its_times() {
    let host = Host::start().await;
    let mut held = host.login("service", Transport::Bearer, "s1").await;
    let before = held.me(&host).await.json();
    host.switch("service", Mode::Session).await;
    host.pass(HALF_A_LIFE).await;
    held.renew(&host).await.expect(200);
    assert_eq!(lasting(&held.me(&host).await.expect(200).json()), lasting(&before));
    let stored = host.store.sessions().await;
    assert_eq!(json!(stored[0].login_exp), before["login_expires_at"]);
    let end = before["login_expires_at"].as_u64().unwrap() - host.clock.now().as_secs();
    for _ in 0..=(end / 1_500) {
        host.pass(1_500).await;
        held.me(&host).await;
    }
    assert_eq!(held.renew(&host).await.told(), (401, "invalid_grant".to_owned()), "its end did not move");
}

#[tokio::test]
async fn a_switch_back_and_forth_leaves_no_second_login() {
    let host = Host::start().await;
    let mut held: Held = host.login("web", Transport::Split, "s1").await;
    for mode in [Mode::Jwt, Mode::Hybrid, Mode::Session, Mode::Jwt, Mode::Session] {
        host.switch("web", mode).await;
        held.renew(&host).await.expect(200);
    }
    assert_eq!(host.store.sessions().await.len(), 1);
    let listed = held.call(&host, Call::get("/v1/sessions")).await.expect(200).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
}
