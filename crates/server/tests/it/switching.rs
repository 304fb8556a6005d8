//! The switch of mode while people are logged in: no unexpected 401, the same login before and after.

use std::sync::Arc;
use std::time::Duration;

use misario_core::app::{Mode, Transport};
use serde_json::{Value, json};

use crate::support::{Call, Held, Host, MODES, TRANSPORTS, claims};

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

/// A host on the same store, with other settings in its configuration.
async fn again(host: Host, change: impl FnOnce(&mut crate::support::Setup)) -> Host {
    host.server.shutdown().await;
    let (store, clock) = (host.store.clone(), host.clock.clone());
    drop(host);
    let host = Host::with(|setup| {
        (setup.store, setup.clock) = (store, clock);
        change(setup);
    })
    .await;
    // The leases of the process before may be out as long.
    host.pass(1).await;
    host
}

/// What an app ever issued counts until it ends, whatever its audience is called by now.
#[tokio::test]
async fn an_edited_audience_ends_no_login() {
    let host = Host::start().await;
    let mut all = Vec::new();
    for app in ["web", "spa", "service"] {
        for transport in TRANSPORTS {
            all.push(host.login(app, transport, "s1").await);
        }
    }
    let host = again(host, |setup| {
        for app in ["web", "spa", "service"] {
            setup.app(app).audience = format!("https://{app}.example.test");
        }
    })
    .await;
    for held in &mut all {
        let what = format!("{} {}", held.app, held.transport);
        assert_eq!(held.me(&host).await.status, 200, "{what}");
        assert_eq!(held.renew(&host).await.status, 200, "{what}");
        held.me(&host).await.expect(200);
        if held.app == "service" {
            let audience = &claims(&held.access_text())["aud"];
            assert_eq!(audience, "https://service.example.test", "what is issued from here on");
        }
    }
    // And back.
    let host = again(host, |_| {}).await;
    for held in &mut all {
        held.me(&host).await.expect(200);
    }
    let app = host.admin("GET", "/admin/v1/apps/web", json!({})).await.expect(200).json();
    assert_eq!(app["app"]["former_audiences"], json!(["https://web.example.test"]));

    // No token can name it any more, and nobody edits the app.
    host.pass(90 * 86_400).await;
    tokio::time::pause();
    let forgotten = async {
        let app = async || host.admin("GET", "/admin/v1/apps/web", json!({})).await.expect(200).json()["app"].clone();
        while !app().await["former_audiences"].is_null() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(10), forgotten).await.unwrap();
}

/// An edit of the file counts, also one that takes a setting out; and an administrator can say "none", too.
#[tokio::test]
async fn a_limit_can_be_taken_away_again() {
    let host = Host::with(|setup| setup.app("web").max_logins = Some(1)).await;
    let limit = async |host: &Host| {
        host.admin("GET", "/admin/v1/apps/web", json!({})).await.expect(200).json()["app"]["max_logins"].clone()
    };
    assert_eq!(limit(&host).await, json!(1));
    let host = again(host, |_| {}).await;
    assert_eq!(limit(&host).await, Value::Null, "taken out of the file");
    host.admin("PATCH", "/admin/v1/apps/web", json!({ "max_logins": 7 })).await.expect(200);
    let host = again(host, |_| {}).await;
    assert_eq!(limit(&host).await, json!(7), "the file says what it said before");
    host.admin("PATCH", "/admin/v1/apps/web", json!({ "idle": 900 })).await.expect(200);
    assert_eq!(limit(&host).await, json!(7), "not said");
    host.admin("PATCH", "/admin/v1/apps/web", json!({ "max_logins": null })).await.expect(200);
    assert_eq!(limit(&host).await, Value::Null);
}

/// Where an app moves from this machine to its own name, its cookies get the protection that they need there.
#[tokio::test]
async fn an_app_moves_from_loopback_to_https() {
    let host = Host::start().await;
    let app = json!({ "id": "new", "mode": "session", "transports": ["cookie"], "origins": ["http://localhost:3000"] });
    let made = host.admin("POST", "/admin/v1/apps", app).await.expect(201).json();
    assert_eq!(made["app"]["cookies"]["access"], "misario-new");
    let moved = host.admin("PATCH", "/admin/v1/apps/new", json!({ "origins": ["https://new.example.test"] })).await;
    assert_eq!(moved.expect(200).json()["app"]["cookies"]["access"], "__Host-misario-new");
}

#[tokio::test]
async fn two_apps_of_one_origin_share_no_cookie() {
    let host = Host::start().await;
    let app =
        |origin: &str| json!({ "id": "web-refresh", "mode": "session", "transports": ["cookie"], "origins": [origin] });
    let refused = host.admin("POST", "/admin/v1/apps", app("https://web.example.test")).await;
    assert_eq!(refused.told(), (400, "app_cookie_shared".to_owned()));
    host.admin("POST", "/admin/v1/apps", app("https://other.example.test")).await.expect(201);
    let moved = json!({ "origins": ["https://web.example.test"] });
    let refused = host.admin("PATCH", "/admin/v1/apps/web-refresh", moved).await;
    assert_eq!(refused.told(), (400, "app_cookie_shared".to_owned()));
}

/// Whoever is last in the store is last in the log, or replicas would go on with what was overwritten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logs_last_word_on_an_app_and_on_keys_is_the_stores() {
    let host = Arc::new(Host::start().await);
    let changes: Vec<_> = (0..40)
        .map(|n| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                host.admin("PATCH", "/admin/v1/apps/web", json!({ "idle": 600 + n })).await.expect(200);
                if n % 8 == 0 {
                    host.admin("POST", "/admin/v1/keys", json!({ "alg": "ES256" })).await.expect(201);
                }
            })
        })
        .collect();
    for change in changes {
        change.await.unwrap();
    }
    let stored = host.admin("GET", "/admin/v1/apps/web", json!({})).await.expect(200).json();
    let id = misario_core::id::AppId::new("web").unwrap();
    let known = host.server.guard().memory().read().apps()[&id].lifetimes.idle;
    assert_eq!(stored["app"]["lifetimes"]["idle"], known);
    let keys = host.admin("GET", "/admin/v1/keys", json!({})).await.expect(200).json();
    let kids: std::collections::BTreeSet<_> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    let published: Value = serde_json::from_str(&host.server.instance().jwks()).unwrap();
    let published = published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
    assert_eq!(published.collect::<std::collections::BTreeSet<_>>(), kids);
    assert_eq!(kids.len(), 6);
}
