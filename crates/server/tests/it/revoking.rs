//! Revoking: refused at once, in every mode, and only what was meant.

use misario_core::app::{Mode, Transport};
use misario_core::changes::ChangeKind;
use misario_core::store::ChangeLog as _;
use serde_json::{Value, json};

use crate::support::{Answer, Call, Health, Held, Host, PASSWORD, claims};

const APPS: [&str; 3] = ["web", "spa", "service"];

async fn logins(host: &Host, subject: &str) -> Vec<Held> {
    let mut all = Vec::new();
    for app in APPS {
        for transport in [Transport::Cookie, Transport::Bearer, Transport::Split] {
            let mut held = host.login(app, transport, subject).await;
            held.me(host).await.expect(200);
            all.push(held);
        }
    }
    all
}

/// Neither check nor refresh counts any more.
async fn is_over(host: &Host, held: &Held) -> bool {
    let (me, refresh) = (held.clone().me(host).await.status, held.clone().renew(host).await.status);
    assert!([200, 401].contains(&me) && [200, 401].contains(&refresh), "{me} {refresh}");
    me == 401 && refresh == 401
}

async fn lives(host: &Host, held: &Held) -> bool {
    held.clone().me(host).await.status == 200
}

#[tokio::test]
async fn a_revoked_login_is_refused_at_once_and_no_other() {
    let host = Host::start().await;
    let all = logins(&host, "s1").await;
    for (nth, held) in all.iter().enumerate() {
        host.revoke(json!({ "login": held.sid })).await;
        assert!(is_over(&host, held).await, "{} {}", held.app, held.transport);
        for other in &all[nth + 1..] {
            assert!(lives(&host, other).await);
        }
    }
    assert!(host.store.sessions().await.is_empty(), "the records are cleaned up");
}

#[tokio::test]
async fn a_revoked_user_is_refused_everywhere_and_can_sign_in_again_in_the_same_second() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let (own, others) = (logins(&host, &alice).await, logins(&host, "somebody-else").await);
    host.revoke(json!({ "user": "alice" })).await;
    for held in &own {
        assert!(is_over(&host, held).await, "{} {}", held.app, held.transport);
    }
    for held in &others {
        assert!(lives(&host, held).await);
    }
    for mut held in logins(&host, &alice).await {
        held.me(&host).await.expect(200);
        held.renew(&host).await.expect(200);
    }
    assert!(is_over(&host, &own[0]).await, "and what was revoked stays so");
}

#[tokio::test]
async fn an_app_and_everything_are_refused_at_once() {
    let host = Host::start().await;
    let all = logins(&host, "s1").await;
    host.revoke(json!({ "app": "spa" })).await;
    for held in &all {
        assert_eq!(lives(&host, held).await, held.app != "spa");
    }
    host.revoke(json!("everything")).await;
    for held in &all {
        assert!(is_over(&host, held).await, "{} {}", held.app, held.transport);
    }
    for held in logins(&host, "s1").await {
        assert!(lives(&host, &held).await, "what comes after is not meant");
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_its_login_goes_on() {
    let host = Host::start().await;
    for app in ["spa", "service"] {
        let mut held = host.login(app, Transport::Bearer, "s1").await;
        let jti = claims(&held.access_text())["jti"].clone();
        host.revoke(json!({ "token": jti })).await;
        assert_eq!(held.me(&host).await.told(), (401, "invalid_token".to_owned()));
        if app == "spa" {
            held.renew(&host).await.expect(200);
            held.me(&host).await.expect(200);
        } else {
            assert_eq!(held.renew(&host).await.status, 401, "it cannot renew itself either");
        }
    }
}

#[tokio::test]
async fn a_revoked_key_ends_the_tokens_it_signed() {
    let host = Host::start().await;
    let mut held = host.login("spa", Transport::Bearer, "s1").await;
    let mut lost = host.login("service", Transport::Bearer, "s1").await;
    let keys = host.admin("GET", "/admin/v1/keys", Value::Null).await.expect(200).json();
    let old = keys["keys"][0]["kid"].clone();
    host.admin("POST", "/admin/v1/keys", json!({ "alg": "ES256" })).await.expect(201);
    held.me(&host).await.expect(200);
    host.revoke(json!({ "key": old })).await;
    assert_eq!(held.me(&host).await.status, 401);
    held.renew(&host).await.expect(200);
    held.me(&host).await.expect(200);
    assert_eq!(lost.renew(&host).await.status, 401, "a token is all that a login of a jwt app has");
}

/// Its entry is pruned some day; nothing that was signed with it may verify then.
#[tokio::test]
async fn a_revoked_key_is_gone_and_what_it_signed_with_goes_on_with_another() {
    let host = Host::start().await;
    for alg in ["ES256", "HS256"] {
        host.admin("PATCH", "/admin/v1/apps/service", json!({ "signing_alg": alg })).await.expect(200);
        let held = host.login("service", Transport::Bearer, "s1").await;
        let named = |listed: &Value, kid: &str| listed["keys"].to_string().contains(kid);
        let keys = host.admin("GET", "/admin/v1/keys", Value::Null).await.expect(200).json();
        let signing = |key: &&Value| key["alg"] == alg && key["state"] == "signing";
        let kid = keys["keys"].as_array().unwrap().iter().find(signing).unwrap()["kid"].as_str().unwrap();
        host.revoke(json!({ "key": kid })).await;
        let keys = host.admin("GET", "/admin/v1/keys", Value::Null).await.expect(200).json();
        assert!(!named(&keys, kid), "{alg}");
        let published = Call::get("/.well-known/jwks.json").send(&host).await.expect(200).json();
        assert!(!named(&published, kid) && !published["keys"].as_array().unwrap().is_empty(), "{alg}");
        assert_eq!(held.clone().me(&host).await.status, 401, "{alg}");
        let mut again = host.login("service", Transport::Bearer, "s1").await;
        again.me(&host).await.expect(200);
        again.renew(&host).await.expect(200);
        host.revoke(json!({ "key": kid })).await;
        again.me(&host).await.expect(200);
    }
}

/// Without a fence, the entry itself has to outlive the time for which an ended token can be renewed.
#[tokio::test]
async fn a_revoked_token_is_not_renewed_when_it_has_long_ended() {
    let host = Host::with(|setup| {
        setup.app("service").lifetimes.renew_window = 20 * 86_400;
        setup.app("service").lifetimes.absolute = 30 * 86_400;
    })
    .await;
    let held = host.login("service", Transport::Bearer, "s1").await;
    host.revoke(json!({ "token": claims(&held.access_text())["jti"] })).await;
    host.admin("PATCH", "/admin/v1/apps/service", json!({ "renew_window": 0 })).await.expect(200);
    host.pass(15 * 86_400).await;
    while host.store.prune(host.clock.now(), 1_000).await.unwrap() > 0 {}
    let (_, changes) = host.store.snapshot().await.unwrap();
    let revoked = changes.iter().filter(|change| matches!(change.kind, ChangeKind::Revoked { .. }));
    assert_eq!(revoked.count(), 1, "an administrator may set the window back");
}

/// The log's last word on an app and on the keys is what the store says.
#[tokio::test]
async fn changes_at_once_leave_log_and_store_in_step() {
    let host = std::sync::Arc::new(Host::start().await);
    let racers: Vec<_> = (0..24_u64)
        .map(|nth| {
            let host = host.clone();
            tokio::spawn(async move {
                host.admin("PATCH", "/admin/v1/apps/web", json!({ "idle": 600 + nth })).await.expect(200);
                host.admin("POST", "/admin/v1/keys", json!({ "alg": "ES256" })).await.expect(201);
            })
        })
        .collect();
    for racer in racers {
        racer.await.unwrap();
    }
    let (_, changes) = host.store.snapshot().await.unwrap();
    let said = changes.iter().rev().find_map(|change| match &change.kind {
        ChangeKind::AppChanged { app } if app.id.as_str() == "web" => Some(app.lifetimes.idle),
        _ => None,
    });
    let stored = host.admin("GET", "/admin/v1/apps/web", Value::Null).await.expect(200).json();
    assert_eq!(said, stored["app"]["lifetimes"]["idle"].as_u64());
    let published = Call::get("/.well-known/jwks.json").send(&host).await.expect(200).json();
    assert_eq!(published["keys"].as_array().unwrap().len(), 25);
}

#[tokio::test]
async fn a_disabled_client_is_refused_at_once() {
    let host = Host::start().await;
    let secret = host.client("backend", Some("web"), &[misario_core::client::Right::Issue]).await;
    let issue = || Call::post("/v1/sessions").basic("backend", &secret).json(&json!({ "app": "web", "subject": "s1" }));
    issue().send(&host).await.expect(200);
    host.admin("POST", "/admin/v1/clients/backend/disable", Value::Null).await.expect(200);
    assert_eq!(issue().send(&host).await.told(), (401, "invalid_client".to_owned()));
}

async fn password_sign_in(host: &Host, app: &str) -> Answer {
    let sent = json!({ "username": "alice", "password": PASSWORD, "transport": "bearer" });
    Call::post("/v1/login").app(app).json(&sent).send(host).await
}

#[tokio::test]
async fn a_disabled_user_is_refused_everything_until_enabled() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let all = logins(&host, &alice).await;
    host.admin("POST", "/admin/v1/users/alice/disable", Value::Null).await.expect(200);
    for held in &all {
        assert!(is_over(&host, held).await, "{} {}", held.app, held.transport);
    }
    for app in APPS {
        assert_eq!(password_sign_in(&host, app).await.told(), (401, "invalid_credentials".to_owned()));
        let sent = json!({ "app": app, "subject": alice });
        let by_app = Call::post("/v1/sessions").basic("ops", &host.ops).json(&sent).send(&host).await;
        assert_eq!(by_app.status, 401, "{}", by_app.text());
    }
    let by_hand = host.admin("POST", "/admin/v1/tokens", json!({ "app": "service", "subject": alice })).await;
    assert_eq!(by_hand.status, 401, "{}", by_hand.text());
    host.admin("POST", "/admin/v1/users/alice/enable", Value::Null).await.expect(200);
    let answer = password_sign_in(&host, "web").await.expect(200);
    Held::of("web", Transport::Bearer, &answer).me(&host).await.expect(200);
    assert!(is_over(&host, &all[0]).await, "enabling brings nothing back");
}

#[tokio::test]
async fn a_new_password_ends_all_logins_that_the_old_one_made() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let all = logins(&host, &alice).await;
    let sent = json!({ "password": "another long password" });
    host.admin("POST", "/admin/v1/users/alice/password", sent).await.expect(200);
    for held in &all {
        assert!(is_over(&host, held).await, "{} {}", held.app, held.transport);
    }
    assert_eq!(password_sign_in(&host, "web").await.status, 401, "the old password is no more");
}

#[tokio::test]
async fn roles_taken_away_are_gone_at_the_next_request_and_end_no_login() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let all = logins(&host, &alice).await;
    for app in APPS {
        let path = format!("/admin/v1/users/alice/grants/{app}");
        host.admin("PUT", &path, json!({ "roles": ["reader"] })).await.expect(200);
    }
    for mut held in all {
        let what = format!("{} {}", held.app, held.transport);
        let me = held.me(&host).await;
        if held.app == "web" || held.transport == Transport::Cookie {
            assert_eq!(me.expect(200).json()["roles"], json!(["reader"]), "{what}: renewed in passing");
        } else {
            assert_eq!(me.told(), (401, "token_stale".to_owned()), "{what}");
            held.renew(&host).await.expect(200);
            assert_eq!(held.me(&host).await.expect(200).json()["roles"], json!(["reader"]), "{what}");
        }
    }
}

#[tokio::test]
async fn a_user_signs_out_everywhere_at_once() {
    let host = Host::start().await;
    let all = logins(&host, "s1").await;
    let mut here = host.login("web", Transport::Cookie, "s1").await;
    let token = here.csrf(&host).await;
    here.call(&host, Call::post("/v1/logout-all").header("x-csrf-token", token)).await.expect(200);
    assert!(here.jar.is_empty());
    for held in &all {
        assert!(is_over(&host, held).await, "{} {}", held.app, held.transport);
    }
}

/// A renewal that was under way when the login was revoked brings nothing back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_racing_a_revocation_never_revives_the_login() {
    let host = std::sync::Arc::new(Host::start().await);
    for mode in [Mode::Session, Mode::Hybrid, Mode::Jwt] {
        host.switch("web", mode).await;
        for _ in 0..30 {
            let held = host.login("web", Transport::Bearer, "s1").await;
            let racers: Vec<_> = (0..4)
                .map(|_| {
                    let (host, mut held) = (host.clone(), held.clone());
                    tokio::spawn(async move {
                        held.renew(&host).await;
                        held
                    })
                })
                .collect();
            host.revoke(json!({ "login": held.sid })).await;
            for racer in racers {
                let racer = racer.await.unwrap();
                assert!(is_over(&host, &racer).await, "{mode}");
            }
        }
    }
    assert!(host.store.sessions().await.is_empty());
}

/// One token, shown again and again, must not fill the log.
#[tokio::test]
async fn signing_out_again_writes_nothing() {
    let host = Host::start().await;
    for app in ["web", "spa", "service"] {
        let held = host.login(app, Transport::Bearer, "s1").await;
        held.clone().logout(&host).await.expect(204);
        let before = host.store.dump().await;
        for _ in 0..5 {
            held.clone().logout(&host).await.expect(204);
        }
        assert_eq!(host.store.dump().await, before, "{app}");
    }
}

/// Two cookies of one name: nobody knows which login they mean; the header's is known.
#[tokio::test]
async fn signing_out_with_contradicting_cookies_ends_the_bearers_login() {
    let host = Host::start().await;
    let mut held = host.login("web", Transport::Bearer, "s1").await;
    let twice = "__Host-misario-web=a; __Host-misario-web=b";
    held.shows(Call::post("/v1/logout")).cookie(twice).same_origin("web").send(&host).await.expect(204);
    assert_eq!(held.me(&host).await.status, 401);
}

/// An app may sign in a subject that reads like somebody's user name.
#[tokio::test]
async fn a_subject_is_revoked_whoever_is_named_like_it() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let mut named = host.login("web", Transport::Bearer, &alice).await;
    let mut subject = host.login("web", Transport::Bearer, "alice").await;
    let listed = host.admin("GET", "/admin/v1/sessions?subject=alice", Value::Null).await.expect(200).json();
    assert_eq!(listed["sessions"][0]["sid"], json!(subject.sid));
    host.revoke(json!({ "subject": "alice" })).await;
    assert_eq!(subject.me(&host).await.status, 401);
    named.me(&host).await.expect(200);
    host.revoke(json!({ "user": "alice" })).await;
    assert_eq!(named.me(&host).await.status, 401);
}

/// The record of a login that was revoked may be there until somebody comes to remove it.
#[tokio::test]
async fn what_was_revoked_is_listed_nowhere() {
    let host = Host::start().await;
    let (gone, mut left) =
        (host.login("web", Transport::Bearer, "s1").await, host.login("web", Transport::Bearer, "s1").await);
    let record = host.store.sessions().await.into_iter().find(|session| session.sid.to_string() == gone.sid).unwrap();
    host.store.set(Health::Untidy);
    host.revoke(json!({ "login": gone.sid })).await;
    assert!(host.store.sessions().await.contains(&record), "its record is still there");
    let own = left.call(&host, Call::get("/v1/sessions")).await.expect(200).json();
    let all = host.admin("GET", "/admin/v1/sessions", Value::Null).await.expect(200).json();
    for sessions in [own, all] {
        let sids: Vec<_> =
            sessions["sessions"].as_array().unwrap().iter().map(|session| session["sid"].clone()).collect();
        assert_eq!(sids, [json!(left.sid)]);
    }
}

/// One dead token is no dead login: whoever signs out with it means the login.
#[tokio::test]
async fn signing_out_with_a_revoked_token_ends_the_login() {
    let host = Host::start().await;
    let held = host.login("service", Transport::Bearer, "s1").await;
    let mut other = held.clone();
    other.renew(&host).await.expect(200);
    host.revoke(json!({ "token": claims(&held.access_text())["jti"] })).await;
    other.me(&host).await.expect(200);
    held.clone().logout(&host).await.expect(204);
    assert_eq!(other.me(&host).await.status, 401);
}
