//! One's own logins, their number, and logins that an app's own server makes.

use std::sync::Arc;

use misario_core::app::{Mode, Transport};
use misario_core::client::Right;
use serde_json::{Value, json};

use crate::support::{Call, Held, Host, claims};

async fn listed(host: &Host, held: &mut Held) -> Vec<Value> {
    let answer = held.call(host, Call::get("/v1/sessions")).await.expect(200);
    answer.json()["sessions"].as_array().unwrap().clone()
}

/// S11, S12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_logins_live_than_the_app_allows() {
    race_sign_ins(Arc::new(Host::with(|setup| setup.app("web").max_logins = Some(5)).await)).await;
}

/// `web` allows five logins.
pub(crate) async fn race_sign_ins(host: Arc<Host>) {
    let elsewhere = host.login("spa", Transport::Bearer, "s1").await;
    let other = host.login("web", Transport::Bearer, "s2").await;
    let racers: Vec<_> = (0..50)
        .map(|_| {
            let host = host.clone();
            tokio::spawn(async move {
                let sent = json!({ "app": "web", "subject": "s1", "transport": "bearer" });
                Call::post("/v1/sessions").basic("ops", &host.ops).json(&sent).send(&host).await
            })
        })
        .collect();
    let (mut live, mut dead) = (0, 0);
    let mut all = Vec::new();
    for racer in racers {
        all.push(racer.await.unwrap());
    }
    for answer in all {
        // Another of those at once had ended it before it was handed out: nobody gets what is worth nothing.
        if answer.status == 503 {
            assert_eq!((answer.told().1.as_str(), answer.header("retry-after")), ("busy", "1"));
            continue;
        }
        match Held::of("web", Transport::Bearer, &answer.expect(200)).me(&host).await.status {
            200 => live += 1,
            401 => dead += 1,
            other => panic!("{other}"),
        }
    }
    assert!(live == 5 && dead <= 45, "{live} live, {dead} dead");
    for mut held in [elsewhere, other] {
        held.me(&host).await.expect(200);
    }
    host.clock.advance(std::time::Duration::from_secs(1));
    host.login("web", Transport::Bearer, "s1").await.me(&host).await.expect(200);
}

/// Times are in seconds, and people are faster.
#[tokio::test]
async fn of_two_sign_ins_within_a_second_the_older_one_ends() {
    let host = Host::with(|setup| setup.app("web").max_logins = Some(1)).await;
    let mut last = host.login("web", Transport::Bearer, "s1").await;
    for _ in 0..20 {
        host.clock.advance(std::time::Duration::from_millis(1));
        let mut next = host.login("web", Transport::Bearer, "s1").await;
        assert_eq!(last.me(&host).await.status, 401);
        next.me(&host).await.expect(200);
        last = next;
    }
}

#[tokio::test]
async fn a_damaged_record_keeps_no_other_from_being_written() {
    let host = Host::start().await;
    let mut all = Vec::new();
    for _ in 0..40 {
        let held = host.login("web", Transport::Bearer, "s1").await;
        held.clone().me(&host).await.expect(200);
        all.push(held);
    }
    host.pass(300).await;
    for held in &mut all {
        held.me(&host).await.expect(200);
    }
    let damaged = host.store.sessions().await[0].sid;
    host.store.damage(damaged);
    host.server.shutdown().await;
    for session in host.store.sessions().await {
        assert_eq!(session.last_seen == host.clock.now(), session.sid != damaged, "{}", session.sid);
    }
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_logins_only() {
    let host = Host::start().await;
    let mut here = host.login("web", Transport::Cookie, "s1").await;
    let there = host.login("web", Transport::Bearer, "s1").await;
    let foreign = host.login("web", Transport::Bearer, "s2").await;
    let sessions = listed(&host, &mut here).await;
    let mut seen: Vec<_> =
        sessions.iter().map(|s| (s["sid"].as_str().unwrap(), s["current"].as_bool().unwrap())).collect();
    let mut expected = vec![(here.sid.as_str(), true), (there.sid.as_str(), false)];
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    let token = here.csrf(&host).await;
    let end = |sid: &str| Call::new("DELETE", &format!("/v1/sessions/{sid}")).header("x-csrf-token", &token);
    for nobodys in [foreign.sid.as_str(), "00000000000000000000000000000000", "garbage", "..%2f"] {
        assert_eq!(here.clone().call(&host, end(nobodys)).await.told(), (404, "not_found".to_owned()), "{nobodys}");
    }
    foreign.clone().me(&host).await.expect(200);
    here.call(&host, end(&there.sid)).await.expect(204);
    assert_eq!(there.clone().me(&host).await.status, 401);
    assert_eq!(listed(&host, &mut here).await.len(), 1);
    here.call(&host, end(&here.sid.clone())).await.expect(204);
    assert_eq!(here.clone().me(&host).await.status, 401);
}

#[tokio::test]
async fn an_app_in_jwt_mode_says_that_it_keeps_no_list() {
    let host = Host::start().await;
    let mut held = host.login("service", Transport::Bearer, "s1").await;
    let answer = held.call(&host, Call::get("/v1/sessions")).await;
    assert_eq!(answer.told(), (409, "not_available_in_mode".to_owned()));
}

/// O09 and A04 for clients: the right, and the app.
#[tokio::test]
async fn a_client_makes_logins_for_its_own_app_if_it_has_the_right() {
    let host = Host::start().await;
    let secret = host.client("web-backend", Some("web"), &[Right::Issue]).await;
    let feeder = host.client("feeder", Some("web"), &[Right::Feed]).await;
    let make = |id: &str, secret: &str, app: &str| {
        Call::post("/v1/sessions")
            .basic(id, secret)
            .json(&json!({ "app": app, "subject": "s1", "transport": "bearer" }))
    };
    make("web-backend", &secret, "web").send(&host).await.expect(200);
    for app in ["spa", "misario"] {
        assert_eq!(make("web-backend", &secret, app).send(&host).await.told(), (403, "right_missing".to_owned()));
    }
    assert_eq!(make("feeder", &feeder, "web").send(&host).await.told(), (403, "right_missing".to_owned()));
    assert_eq!(make("feeder", &secret, "web").send(&host).await.told(), (401, "invalid_client".to_owned()));
    assert_eq!(make("web-backend", "mcs_x", "web").send(&host).await.status, 401);
    let by_header = Call::post("/v1/sessions").app("spa").basic("web-backend", &secret);
    let answer = by_header.json(&json!({ "subject": "s1" })).send(&host).await.expect(200);
    assert_eq!(answer.json()["app"], "web", "its own app, whatever the header says");
}

#[tokio::test]
async fn a_login_made_by_the_app_is_what_the_app_says_and_no_younger() {
    let host = Host::start().await;
    let now = host.clock.now().as_secs();
    for (app, mode) in [("web", Mode::Session), ("spa", Mode::Hybrid), ("service", Mode::Jwt)] {
        let sent = json!({
            "app": app, "subject": "ext|42", "auth_time": now + 1_000, "amr": ["hwk"], "roles": ["r"],
            "permissions": ["p"], "org": "o", "transport": "bearer", "device": "Mozilla/5.0 (X11; Linux) Firefox/140.0",
        });
        let answer = Call::post("/v1/sessions").basic("ops", &host.ops).json(&sent).send(&host).await.expect(200);
        let me = Held::of(app, Transport::Bearer, &answer).me(&host).await.expect(200).json();
        let told = ["subject", "amr", "roles", "permissions", "org"].map(|name| me[name].clone());
        assert_eq!(told, [json!("ext|42"), json!(["hwk"]), json!(["r"]), json!(["p"]), json!("o")], "{mode}");
        assert_eq!(me["auth_time"], now, "nobody proved anything in the future");
    }
}

/// The client matrix: each right opens its own routes and no others.
#[tokio::test]
async fn a_right_opens_its_own_routes_only() {
    let host = Host::start().await;
    let administration = [("GET", "/admin/v1/users"), ("GET", "/admin/v1/config"), ("POST", "/admin/v1/revoke")];
    for right in Right::ALL {
        let id = format!("c-{}", right.name());
        let secret = host.client(&id, None, &[right]).await;
        for (method, path) in administration {
            let answer = Call::new(method, path).basic(&id, &secret).json(&json!({ "target": { "app": "web" } }));
            let status = answer.send(&host).await.status;
            assert_eq!(status, if right == Right::Admin { 200 } else { 403 }, "{id} {method} {path}");
        }
        let sent = json!({ "app": "web", "subject": "s1" });
        let issue = Call::post("/v1/sessions").basic(&id, &secret).json(&sent).send(&host).await.status;
        assert_eq!(issue, if right == Right::Issue { 200 } else { 403 }, "{id}");
        let as_person = Call::get("/v1/me").app("web").basic(&id, &secret).send(&host).await;
        assert_eq!(as_person.status, 401, "a client is no person");
    }
    let bound = host.client("of-web", Some("web"), &[Right::Admin]).await;
    assert_eq!(Call::get("/admin/v1/users").basic("of-web", &bound).send(&host).await.status, 403);
}

#[tokio::test]
async fn a_secret_is_told_once_and_rotates_with_an_overlap() {
    let host = Host::start().await;
    let sent = json!({ "id": "backend", "app": "web", "rights": ["issue"] });
    let first = host.admin("POST", "/admin/v1/clients", sent).await.expect(201).json()["secret"].clone();
    let rotate = async |sent: Value| {
        host.admin("POST", "/admin/v1/clients/backend/rotate", sent).await.expect(200).json()["secret"].clone()
    };
    let counts = async |secret: &Value| {
        let call = Call::post("/v1/sessions").basic("backend", secret.as_str().unwrap());
        call.json(&json!({ "app": "web", "subject": "s1" })).send(&host).await.status == 200
    };
    let second = rotate(json!({})).await;
    assert!(counts(&first).await && counts(&second).await);
    let third = rotate(json!({ "drop_old": true })).await;
    assert!(!counts(&first).await && !counts(&second).await && counts(&third).await);
    let listed = host.admin("GET", "/admin/v1/clients", Value::Null).await.expect(200).text();
    assert!(!listed.contains("mcs_") && !listed.contains("digest"), "{listed}");
}

/// A token made by hand: of a login of its own, that nothing renews.
#[tokio::test]
async fn a_token_by_hand_counts_until_its_end_and_is_not_renewed() {
    let host = Host::start().await;
    let sent = json!({ "app": "service", "subject": "job-1", "roles": ["batch"], "ttl": 60 });
    let answer = host.admin("POST", "/admin/v1/tokens", sent).await.expect(200).json();
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["exp"].as_u64().unwrap() - claims(token)["iat"].as_u64().unwrap(), 60);
    Call::get("/v1/me").app("service").bearer(token).send(&host).await.expect(200);
    host.pass(60).await;
    assert_eq!(Call::get("/v1/me").app("service").bearer(token).send(&host).await.status, 401);
    assert_eq!(Call::post("/v1/refresh").app("service").bearer(token).send(&host).await.status, 401);
    let too_long = json!({ "app": "service", "subject": "job-1", "ttl": 100_000 });
    assert_eq!(host.admin("POST", "/admin/v1/tokens", too_long).await.status, 400);
}
