//! Signing in: throttled, uniform, and an administrator's first one.

use std::time::Duration;

use misario_core::app::{Mode, Transport};
use misario_core::client::Right;
use misario_core::secret::SecretText;
use serde_json::{Value, json};

use crate::support::{Answer, Call, Held, Host, PASSWORD, TRANSPORTS, basic};

async fn attempt(host: &Host, name: &str, password: &str, peer: &str) -> Answer {
    let sent = json!({ "app": "web", "username": name, "password": password, "transport": "bearer" });
    Call::post("/v1/login").json(&sent).peer(peer).send(host).await
}

/// N04: what cannot be told apart: unknown, wrong, disabled, too long, not even a name.
#[tokio::test]
async fn every_failed_sign_in_looks_the_same() {
    let host = Host::start().await;
    for name in ["alice", "gone"] {
        host.user(name).await;
    }
    host.admin("POST", "/admin/v1/users/gone/disable", Value::Null).await.expect(200);
    let long = "x".repeat(2_000);
    let mut seen = Vec::new();
    for (name, password) in [
        ("alice", "wrong password, long enough"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("alice", long.as_str()),
        ("a\u{0}b c", PASSWORD),
        ("", ""),
    ] {
        let answer = attempt(&host, name, password, "203.0.113.1").await;
        let mut body = answer.json();
        body["ref"] = Value::Null;
        seen.push((answer.status, body, answer.headers.len()));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!((seen[0].0, &seen[0].1["code"]), (401, &json!("invalid_credentials")));
}

/// N01, N02: one count per account, whatever its spelling and wherever it comes from; time and a success reset it.
#[tokio::test]
async fn an_account_is_throttled_whatever_its_spelling() {
    let host = Host::start().await;
    host.user("alice").await;
    for (nth, spelling) in ["alice", "ALICE", " alice", "Ａlice", "aLiCe"].into_iter().enumerate() {
        let peer = format!("203.0.{nth}.1");
        assert_eq!(attempt(&host, spelling, "wrong password, long enough", &peer).await.status, 401);
    }
    let answer = attempt(&host, "alice", PASSWORD, "198.51.100.1").await;
    assert_eq!(answer.told(), (429, "too_many_attempts".to_owned()));
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    host.clock.advance(Duration::from_secs(wait));
    attempt(&host, "alice", PASSWORD, "198.51.100.1").await.expect(200);
    assert_eq!(host.store.sessions().await[0].device.network, "198.51.100.0/24", "the network, never the address");
    assert_eq!(attempt(&host, "alice", "wrong password, long enough", "198.51.100.1").await.status, 401);
}

/// The count comes before the hashing, so parallel attempts do not slip under it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_attempts_do_not_pass_the_limit() {
    let host = std::sync::Arc::new(Host::start().await);
    host.user("alice").await;
    let attempts: Vec<_> = (0..100)
        .map(|nth| {
            let host = host.clone();
            let peer = format!("203.0.{nth}.1");
            tokio::spawn(async move { attempt(&host, "alice", "wrong password, long enough", &peer).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for attempt in attempts {
        statuses.push(attempt.await.unwrap());
    }
    let judged = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..=5).contains(&judged), "{judged} passwords were tried");
    assert!(statuses.iter().all(|status| [401, 429, 503].contains(status)));
}

#[tokio::test]
async fn one_address_is_throttled_over_all_accounts_and_nobody_can_lend_one() {
    let host = Host::start().await;
    let mut refused = None;
    for nth in 0..60 {
        let sent = json!({ "app": "web", "username": format!("u{nth}"), "password": "not the password, no" });
        let call = Call::post("/v1/login").json(&sent).peer("198.51.100.9");
        let answer = call.header("misario-forwarded-for", format!("192.0.2.{nth}")).send(&host).await;
        if answer.status == 429 {
            refused = Some(nth);
            break;
        }
    }
    assert_eq!(refused, Some(50), "a header that anybody can write changes no address");
}

/// A TLS proxy on this machine, and a connected app that does not know who its callers are, stand for everybody.
#[tokio::test]
async fn a_machine_in_between_is_no_address_to_throttle() {
    let host = Host::start().await;
    let secret = host.client("backend", None, &[Right::Feed]).await;
    let backend = basic("backend", &secret);
    for nth in 0..60 {
        let call = |name: &str| {
            let name = format!("{name}{nth}");
            Call::post("/v1/login").json(&json!({ "app": "web", "username": name, "password": "not the password, no" }))
        };
        let proxy = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"][nth % 3];
        call("u").peer(proxy).send(&host).await.expect(401);
        call("v").peer("198.51.100.10").header("misario-client", &backend).send(&host).await.expect(401);
    }
}

/// What is shown again to be let at something is throttled, too.
#[tokio::test]
async fn a_step_up_moves_the_authentication_on_and_leaves_the_old_token_dead() {
    let host = Host::start().await;
    host.user("alice").await;
    let answer = attempt(&host, "alice", PASSWORD, "203.0.113.1").await.expect(200);
    let mut held = Held::of("web", Transport::Bearer, &answer);
    let before = held.me(&host).await.json();
    host.pass(100).await;
    let old = held.access_text();
    let reauth = |password: &str| Call::post("/v1/reauth").json(&json!({ "password": password }));
    assert_eq!(held.call(&host, reauth("wrong password, long enough")).await.told().0, 401);
    held.call(&host, reauth(PASSWORD)).await.expect(200);
    let after = held.me(&host).await.expect(200).json();
    assert_eq!(after["auth_time"].as_u64(), before["auth_time"].as_u64().map(|at| at + 100));
    assert_eq!((&after["sid"], &after["login_expires_at"]), (&before["sid"], &before["login_expires_at"]));
    let old = Call::get("/v1/me").app("web").bearer(&old).send(&host).await;
    assert_eq!(old.told(), (401, "invalid_token".to_owned()), "S02: dead at once");
    for _ in 0..5 {
        held.call(&host, reauth("wrong password, long enough")).await;
    }
    assert_eq!(held.call(&host, reauth(PASSWORD)).await.status, 429);
}

#[tokio::test]
async fn a_step_up_leaves_a_copied_refresh_token_worth_nothing() {
    let host = Host::start().await;
    host.user("alice").await;
    for transport in [Transport::Bearer, Transport::Cookie] {
        let sign_in = json!({ "app": "spa", "username": "alice", "password": PASSWORD, "transport": transport });
        let answer = Call::post("/v1/login").same_origin("spa").json(&sign_in).send(&host).await.expect(200);
        let mut held = Held::of("spa", transport, &answer);
        let copied = held.refresh_text().unwrap();
        let csrf = held.csrf(&host).await;
        let reauth = Call::post("/v1/reauth").header("x-csrf-token", &csrf).json(&json!({ "password": PASSWORD }));
        held.call(&host, reauth).await.expect(200);
        assert_ne!(held.refresh_text().unwrap(), copied, "{transport}: the answer brings the next one");
        let theft = Call::post("/v1/refresh").app("spa").json(&json!({ "refresh_token": copied }));
        assert_eq!(theft.send(&host).await.status, 401, "{transport}");
        held.me(&host).await.expect(200);
        held.renew(&host).await.expect(200);
        held.me(&host).await.expect(200);
    }
}

fn bootstrap(secret: &str, name: &str) -> Call {
    Call::post("/admin/v1/bootstrap").json(&json!({ "secret": secret, "username": name, "password": PASSWORD }))
}

/// N09: no default accounts; one administrator by one secret, once, also if two come at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bootstrap_makes_one_administrator() {
    let secret = SecretText::new("a one-time bootstrap secret".to_owned());
    let host = Host::with(|setup| setup.config.bootstrap_secret = Some(secret)).await;
    let host = std::sync::Arc::new(host);
    assert_eq!(bootstrap("wrong", "root").send(&host).await.told(), (403, "bootstrap_refused".to_owned()));
    let from_a_site = bootstrap("a one-time bootstrap secret", "root").header("sec-fetch-site", "cross-site");
    assert_eq!(from_a_site.send(&host).await.told(), (403, "csrf_required".to_owned()));
    let racers = ["root", "boss", "chief", "head"].map(|name| {
        let host = host.clone();
        tokio::spawn(async move { bootstrap("a one-time bootstrap secret", name).send(&host).await.status })
    });
    let mut statuses = Vec::new();
    for racer in racers {
        statuses.push(racer.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403, 403, 403]);
    let users = host.admin("GET", "/admin/v1/users", Value::Null).await.expect(200).json();
    let is_admin = |user: &&Value| user["grants"]["misario"]["roles"] == json!(["admin"]);
    assert_eq!(users["users"].as_array().unwrap().iter().filter(is_admin).count(), 1);
    assert_eq!(bootstrap("a one-time bootstrap secret", "late").send(&host).await.status, 403);
}

#[tokio::test]
async fn without_a_secret_there_is_no_bootstrap_and_no_account() {
    let host = Host::start().await;
    for secret in ["", "a one-time bootstrap secret"] {
        assert_eq!(bootstrap(secret, "root").send(&host).await.told(), (403, "bootstrap_refused".to_owned()));
    }
    let users = host.admin("GET", "/admin/v1/users", Value::Null).await.expect(200).json();
    assert_eq!(users["users"], json!([]));
}

/// N05.
#[tokio::test]
async fn a_password_is_long_whole_and_free_in_its_characters() {
    let host = Host::start().await;
    let add = async |name: &str, password: &str| {
        host.admin("POST", "/admin/v1/users", json!({ "username": name, "password": password })).await.status
    };
    assert_eq!(add("a", "fourteen chars").await, 400);
    assert_eq!(add("averyveryveryverylongname", "averyveryveryverylongname").await, 400, "the name itself");
    assert_eq!(add("a", &"x".repeat(1_025)).await, 400);
    let long = format!("{}ÿ 密码 🔑", "x".repeat(200));
    assert_eq!(add("a", &long).await, 201);
    attempt(&host, "a", &long, "203.0.113.1").await.expect(200);
    assert_eq!(attempt(&host, "a", &long[..long.len() - 4], "203.0.113.1").await.status, 401, "nothing is cut off");
}

/// A write in administration needs a sign-in of the last 15 minutes (RFC 9470), a look does not.
#[tokio::test]
async fn an_administrator_proves_again_who_they_are_before_a_write() {
    let secret = SecretText::new("a one-time bootstrap secret".to_owned());
    let host = Host::with(|setup| setup.config.bootstrap_secret = Some(secret)).await;
    bootstrap("a one-time bootstrap secret", "root").send(&host).await.expect(201);
    let sent = json!({ "app": "misario", "username": "root", "password": PASSWORD, "transport": "cookie" });
    let answer = Call::post("/v1/login").json(&sent).send(&host).await.expect(200);
    let mut held = Held::of("misario", Transport::Cookie, &answer);
    let token = held.csrf(&host).await;
    let write = || Call::post("/admin/v1/users").json(&json!({ "username": "x" })).header("x-csrf-token", &token);
    held.call(&host, write()).await.expect(201);
    host.pass(15 * 60 + 1).await;
    held.call(&host, Call::get("/admin/v1/users")).await.expect(200);
    let answer = held.call(&host, write()).await;
    assert_eq!(answer.told(), (401, "insufficient_user_authentication".to_owned()));
    assert!(answer.header("www-authenticate").contains("max_age=\"900\""));
    let reauth = Call::post("/v1/reauth").json(&json!({ "password": PASSWORD }));
    held.call(&host, reauth).await.expect(200);
    assert_eq!(held.call(&host, write()).await.status, 409, "it goes on, and the name is taken");
}

/// After a switch, JWTs are out there that came without a refresh token, and a record stands behind their login: whoever
/// copied one must not get what the step-up opened.
#[tokio::test]
async fn a_step_up_leaves_a_copied_jwt_worth_nothing_for_what_it_opens() {
    for to in [Mode::Jwt, Mode::Hybrid, Mode::Session] {
        let host = Host::start().await;
        let alice = host.user("alice").await;
        let mut held = host.login("web", Transport::Bearer, &alice).await;
        host.switch("web", Mode::Jwt).await;
        held.renew(&host).await.expect(200);
        let copied = held.clone();
        host.switch("web", to).await;
        host.pass(60).await;
        held.call(&host, Call::post("/v1/reauth").json(&json!({ "password": PASSWORD }))).await.expect(200);
        assert_eq!(copied.clone().renew(&host).await.told(), (401, "invalid_grant".to_owned()), "{to}");
        held.renew(&host).await.expect(200);
        held.me(&host).await.expect(200);
    }
}

#[tokio::test]
async fn a_step_up_after_a_switch_ends_no_login() {
    for to in [Mode::Session, Mode::Hybrid] {
        for transport in TRANSPORTS {
            let host = Host::start().await;
            let alice = host.user("alice").await;
            let mut held = host.login("service", transport, &alice).await;
            host.switch("service", to).await;
            host.pass(60).await;
            held.call(&host, Call::post("/v1/reauth").json(&json!({ "password": PASSWORD }))).await.expect(200);
            let me = held.me(&host).await.expect(200).json();
            assert_eq!(
                (me["sid"].as_str(), me["auth_time"].as_u64()),
                (Some(&*held.sid), Some(host.clock.now().as_secs()))
            );
            held.renew(&host).await.expect(200);
        }
    }
}

/// Whoever knows a name can use up its attempts, but not those of a login that lives.
#[tokio::test]
async fn nobody_from_outside_keeps_a_user_from_a_step_up() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let mut held = host.login("web", Transport::Bearer, &alice).await;
    let guess = json!({ "app": "web", "username": "alice", "password": "not the right one at all" });
    for _ in 0..8 {
        Call::post("/v1/login").json(&guess).send(&host).await;
    }
    assert_eq!(Call::post("/v1/login").json(&guess).send(&host).await.status, 429);
    held.call(&host, Call::post("/v1/reauth").json(&json!({ "password": PASSWORD }))).await.expect(200);
}

/// S02: the login that the browser had before is over, not only forgotten.
#[tokio::test]
async fn a_sign_in_ends_the_login_that_the_browser_had() {
    let host = Host::start().await;
    host.user("bob").await;
    for app in ["web", "spa", "service"] {
        let alices = host.login(app, Transport::Cookie, "s1").await;
        let elsewhere = host.login(app, Transport::Cookie, "s1").await;
        let sent = json!({ "app": app, "username": "bob", "password": PASSWORD, "transport": "cookie" });
        let mut browser = alices.clone();
        browser.call(&host, Call::post("/v1/login").json(&sent)).await.expect(200);
        assert_eq!(alices.clone().me(&host).await.status, 401, "{app}");
        assert_eq!(alices.clone().renew(&host).await.status, 401, "{app}");
        browser.me(&host).await.expect(200);
        elsewhere.clone().me(&host).await.expect(200);
        // A client that keeps its credentials itself replaces no cookie.
        let by_script = json!({ "app": app, "username": "bob", "password": PASSWORD, "transport": "bearer" });
        browser.shows(Call::post("/v1/login").json(&by_script)).send(&host).await.expect(200);
        browser.me(&host).await.expect(200);
    }
}

/// N05: characters count, not octets.
#[tokio::test]
async fn a_password_is_as_long_as_its_characters() {
    let host = Host::start().await;
    let add = async |name: &str, password: &str| {
        host.admin("POST", "/admin/v1/users", json!({ "username": name, "password": password })).await.status
    };
    assert_eq!(add("short", "密码密码密").await, 400, "15 octets, 5 characters");
    assert_eq!(add("long", "密码密码密码密码密码密码密码密").await, 201);
    assert_eq!(add("ascii", "fourteen chars").await, 400);
}

/// A password brings back neither a login that ended nor a role that was taken away.
#[tokio::test]
async fn a_step_up_brings_nothing_back() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let reauth = || Call::post("/v1/reauth").json(&json!({ "password": PASSWORD }));
    for app in ["web", "spa", "service"] {
        let mut held = host.login(app, Transport::Bearer, &alice).await;
        held.me(&host).await.expect(200);
        host.admin("PUT", &format!("/admin/v1/users/alice/grants/{app}"), json!({ "roles": ["guest"] }))
            .await
            .expect(200);
        if app != "web" {
            // What it holds is stale by now, and so proves nothing.
            held.renew(&host).await.expect(200);
        }
        held.call(&host, reauth()).await.expect(200);
        assert_eq!(held.me(&host).await.expect(200).json()["roles"], json!(["guest"]), "{app}");
    }
    let mut idle = host.login("web", Transport::Bearer, &alice).await;
    host.pass(1_800).await;
    assert_eq!(idle.call(&host, reauth()).await.status, 401);
    assert_eq!(idle.me(&host).await.status, 401);
}

/// A connected app forwards the sign-in of one app: links to others would be dead on its origin.
#[tokio::test]
async fn the_page_on_a_connected_apps_origin_links_to_no_other_app() {
    let host = Host::start().await;
    let secret = host.client("web-backend", Some("web"), &[Right::Feed]).await;
    let page = || Call::get("/v1/login").app("web");
    let links = |answer: Answer| answer.text().contains("?app=spa");
    assert!(links(page().send(&host).await.expect(200)));
    let forwarded = page().header("misario-client", basic("web-backend", &secret));
    assert!(!links(forwarded.send(&host).await.expect(200)));
}
