//! A store that fails: nothing is known, nobody is let in, nobody is logged out, nothing is lost.

use std::task::Poll;
use std::time::Duration;

use misario_core::app::Transport;
use misario_core::client::Right;
use misario_core::store::{NewRecord, RecordKind, RecordStore as _};
use serde_json::json;

use crate::support::{Call, Health, Held, Host, PASSWORD, Probe, TRANSPORTS};

fn logout(held: &Held) -> Call {
    let call = held.shows(Call::post("/v1/logout"));
    match &held.refresh {
        Some(refresh) => call.json(&json!({ "refresh_token": refresh })),
        None => call,
    }
}

/// The row is written, and the process dies before the revocation.
#[tokio::test]
async fn a_user_who_was_half_disabled_renews_nothing_and_is_out_after_a_restart() {
    let host = Host::start().await;
    let (alice, bob) = (host.user("alice").await, host.user("bob").await);
    let mut all = Vec::new();
    for app in ["web", "spa", "service"] {
        all.push((host.login(app, Transport::Bearer, &alice).await, host.login(app, Transport::Bearer, &bob).await));
    }
    host.store.set(Health::Wordless);
    host.admin("POST", "/admin/v1/users/alice/disable", json!({})).await.expect(503);
    host.store.set(Health::Well);
    for (held, other) in &mut all {
        assert_eq!(held.clone().renew(&host).await.status, 401, "{}", held.app);
        other.renew(&host).await.expect(200);
    }
    host.server.shutdown().await;
    let (store, clock) = (host.store.clone(), host.clock.clone());
    let again = async || {
        Host::with(|setup| {
            setup.store = store.clone();
            setup.clock = clock.clone();
        })
        .await
    };
    let host = again().await;
    for (held, other) in &mut all {
        assert_eq!(held.clone().me(&host).await.status, 401, "{}", held.app);
        other.me(&host).await.expect(200);
    }
    host.admin("POST", "/admin/v1/users/alice/enable", json!({})).await.expect(200);
    let held = host.login("web", Transport::Bearer, &alice).await;
    host.server.shutdown().await;
    held.clone().me(&again().await).await.expect(200);
}

#[tokio::test]
async fn what_needs_the_store_gets_503_and_everything_is_there_afterwards() {
    let host = Host::start().await;
    host.user("alice").await;
    let mut all = Vec::new();
    for app in ["web", "spa"] {
        for transport in TRANSPORTS {
            all.push(host.login(app, transport, "s1").await);
        }
    }
    for health in [Health::Down, Health::Mute] {
        host.store.set(health);
        for held in &all {
            let what = format!("{} {} {health:?}", held.app, held.transport);
            if held.app == "web" {
                let me = held.shows(Call::get("/v1/me")).send(&host).await;
                assert_eq!(me.told(), (503, "unavailable".to_owned()), "{what}");
            }
            let refresh = held.shows(held.refresh_call()).send(&host).await;
            assert_eq!((refresh.told().0, refresh.cookies()), (503, vec![]), "{what}");
        }
        let sent = json!({ "app": "web", "username": "alice", "password": PASSWORD });
        let issued = json!({ "app": "web", "subject": "s1" });
        for call in [
            Call::post("/v1/login").json(&sent),
            Call::post("/v1/sessions").basic("ops", &host.ops).json(&issued),
            Call::post("/admin/v1/revoke").basic("ops", &host.ops).json(&json!({ "target": "everything" })),
            Call::get("/admin/v1/users").basic("ops", &host.ops),
        ] {
            let what = format!("{} {health:?}", call.path);
            assert_eq!(call.send(&host).await.status, 503, "{what}");
        }
        assert_eq!(Call::get("/readyz").send(&host).await.status, 503);
        assert_eq!(Call::get("/healthz").send(&host).await.status, 200);
        host.store.set(Health::Well);
        host.until_ready().await;
        for held in &all {
            held.clone().me(&host).await.expect(200);
            held.clone().renew(&host).await.expect(200);
        }
        // What a check has seen is known from memory; the next round begins without.
        for held in &mut all {
            *held = host.login(&held.app.clone(), held.transport, "s1").await;
        }
    }
}

/// O12: a sign-out that is not durable is no sign-out.
#[tokio::test]
async fn a_sign_out_that_failed_says_so_and_can_be_repeated() {
    let host = Host::start().await;
    for app in ["web", "spa", "service"] {
        for health in [Health::Down, Health::Mute] {
            let held = host.login(app, Transport::Bearer, "s1").await;
            host.store.set(health);
            let answer = logout(&held).send(&host).await;
            assert_eq!((answer.status, answer.cookies()), (503, vec![]), "{app} {health:?}");
            host.store.set(Health::Well);
            logout(&held).send(&host).await.expect(204);
            assert_eq!(held.clone().me(&host).await.status, 401, "{app} {health:?}");
        }
    }
}

#[tokio::test]
async fn a_jwt_goes_on_while_the_lease_holds_and_no_longer() {
    let host = Host::start().await;
    let all = [
        host.login("service", Transport::Bearer, "s1").await,
        host.login("service", Transport::Cookie, "s1").await,
        host.login("spa", Transport::Split, "s1").await,
    ];
    let known = host.login("web", Transport::Bearer, "s1").await;
    known.clone().me(&host).await.expect(200);
    host.store.set(Health::Down);
    for held in all.iter().chain([&known]) {
        held.clone().me(&host).await.expect(200);
    }
    host.clock.advance(Duration::from_secs(1));
    for held in all.iter().chain([&known]) {
        assert_eq!(held.clone().me(&host).await.told(), (503, "unavailable".to_owned()), "{}", held.app);
    }
    host.store.set(Health::Well);
    for held in all.iter().chain([&known]) {
        held.clone().me(&host).await.expect(200);
    }
}

/// A cookie that could not be renewed: not needed is not noticed, needed is 503, never a sign-out.
#[tokio::test]
async fn a_cookie_is_not_lost_because_it_could_not_be_renewed() {
    let host = Host::start().await;
    for app in ["spa", "service"] {
        let mut held = host.login(app, Transport::Cookie, "s1").await;
        let before = held.jar.clone();
        host.pass(500).await;
        host.store.set(Health::Down);
        held.me(&host).await.expect(200);
        assert_eq!(held.jar, before, "{app}");
        host.clock.advance(Duration::from_secs(500));
        let answer = held.me(&host).await;
        assert_eq!((answer.told().0, answer.cookies()), (503, vec![]), "{app}");
        host.store.set(Health::Well);
        host.until_ready().await;
        held.me(&host).await.expect(200);
        assert_ne!(held.jar, before, "{app}");
    }
}

/// A rotation that happened and was not answered is answered to whoever asks again.
#[tokio::test]
async fn a_refresh_whose_answer_was_lost_inside_is_given_again() {
    let host = Host::start().await;
    let mut held = host.login("spa", Transport::Bearer, "s1").await;
    let first = held.refresh_text();
    for _ in 0..3 {
        host.store.set(Health::Mute);
        assert_eq!(held.renew(&host).await.status, 503);
        host.store.set(Health::Well);
        host.until_ready().await;
    }
    assert_eq!(held.refresh_text(), first);
    held.renew(&host).await.expect(200);
    host.pass(3_600).await;
    held.renew(&host).await.expect(200);
    held.me(&host).await.expect(200);
}

/// What was revoked while the answer was lost stays revoked, and an error is never "not revoked".
#[tokio::test]
async fn a_revocation_whose_answer_was_lost_holds_when_it_is_repeated() {
    let host = Host::start().await;
    let all = [host.login("web", Transport::Bearer, "s1").await, host.login("service", Transport::Bearer, "s1").await];
    for held in &all {
        held.clone().me(&host).await.expect(200);
    }
    host.store.set(Health::Mute);
    let revoke = Call::post("/admin/v1/revoke").basic("ops", &host.ops).json(&json!({ "target": { "user": "s1" } }));
    assert_eq!(revoke.clone().send(&host).await.status, 503);
    host.store.set(Health::Well);
    revoke.send(&host).await.expect(200);
    for held in &all {
        assert_eq!(held.clone().me(&host).await.status, 401, "{}", held.app);
        assert_eq!(held.clone().renew(&host).await.status, 401, "{}", held.app);
    }
}

/// The row is written and the log does not take the change: it is announced as soon as the log does, without a restart.
#[tokio::test]
async fn what_was_half_done_is_announced_by_the_running_server() {
    let host = Host::start().await;
    let (alice, bob) = (host.user("alice").await, host.user("bob").await);
    let secret = host.client("spa", Some("spa"), &[Right::Feed]).await;
    let (mut disabled, mut demoted) =
        (host.login("web", Transport::Bearer, &alice).await, host.login("web", Transport::Bearer, &bob).await);
    for held in [&mut disabled, &mut demoted] {
        assert_eq!(held.me(&host).await.expect(200).json()["roles"], json!(["user"]));
    }
    let head = host.store.head_sequence().await;
    host.store.set(Health::Wordless);
    host.admin("POST", "/admin/v1/users/alice/disable", json!({})).await.expect(503);
    host.admin("PUT", "/admin/v1/users/bob/grants/web", json!({ "roles": [] })).await.expect(503);
    host.admin("POST", "/admin/v1/clients/spa/disable", json!({})).await.expect(503);
    host.store.set(Health::Well);
    let announced = async {
        while host.store.head_sequence().await < head + 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), announced).await.unwrap();
    host.until_ready().await;
    assert_eq!(disabled.me(&host).await.status, 401);
    assert_eq!(demoted.me(&host).await.expect(200).json()["roles"], json!([]));
    assert_eq!(Call::get("/v1/feed").basic("spa", &secret).send(&host).await.status, 401);
    let notes = host.store.dump().await;
    assert!(!notes.contains("intent:"), "{notes}");
}

/// Roles that were taken away by a process that died are gone after a restart, too.
#[tokio::test]
async fn a_role_that_was_half_taken_away_is_gone_after_a_restart() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let mut held = host.login("web", Transport::Bearer, &alice).await;
    held.me(&host).await.expect(200);
    host.store.set(Health::Wordless);
    host.admin("PUT", "/admin/v1/users/alice/grants/web", json!({ "roles": [] })).await.expect(503);
    host.server.shutdown().await;
    host.store.set(Health::Well);
    let (store, clock) = (host.store.clone(), host.clock.clone());
    drop(host);
    let host = Host::with(|setup| (setup.store, setup.clock) = (store, clock)).await;
    assert_eq!(held.me(&host).await.expect(200).json()["roles"], json!([]));
}

/// Whoever hangs up in the middle of it leaves nothing half done.
#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_what_was_begun() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let mut begun = 0;
    for polls in 1..60 {
        let held = host.login("web", Transport::Bearer, &alice).await;
        held.clone().me(&host).await.expect(200);
        let call = Call::post("/admin/v1/users/alice/disable").basic("ops", &host.ops).json(&json!({}));
        let mut hung_up = Box::pin(call.send(&host));
        let mut is_answered = false;
        for _ in 0..polls {
            is_answered = is_answered
                || std::future::poll_fn(|context| Poll::Ready(hung_up.as_mut().poll(context).is_ready())).await;
            tokio::task::yield_now().await;
            if is_answered {
                break;
            }
        }
        drop(hung_up);
        let is_disabled = async || {
            let row = host.admin("GET", "/admin/v1/users/alice", json!({})).await.expect(200).json();
            assert!(row["user"]["state"].is_string(), "{row}");
            row["user"]["state"] == "disabled"
        };
        // Either nothing was begun, or it comes to its end, which takes its note away.
        let ended = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            while host.store.dump().await.contains("intent:") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(4), ended).await.expect("begun, and nobody was told");
        let is_out = held.clone().me(&host).await.status == 401;
        assert_eq!(is_disabled().await, is_out, "{polls}");
        begun += u32::from(is_out && !is_answered);
        host.admin("POST", "/admin/v1/users/alice/enable", json!({})).await.expect(200);
        if is_answered {
            break;
        }
    }
    assert!(begun > 5, "{begun} were hung up in the middle");
}

/// What cannot be read is no word that nobody was ever granted a lease.
#[tokio::test]
async fn a_damaged_lease_record_is_an_error_at_start() {
    let store = Probe::default();
    let record =
        NewRecord { kind: RecordKind::Instance, key: "lease_ms".to_owned(), alias: None, body: "soon".to_owned() };
    store.insert_record(record).await.unwrap();
    let error = Host::refused(|setup| setup.store = store).await;
    assert_eq!(error.code(), "store_corrupt");
}

/// Whoever repeats a call that failed half way finds the record changed. They are told so when it is true everywhere, and
/// the first call's note goes for nobody's sake but its own.
#[tokio::test]
async fn a_call_that_is_repeated_after_it_failed_half_way_loses_no_change() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let mut held = host.login("web", Transport::Bearer, &alice).await;
    held.me(&host).await.expect(200);
    let path = "/admin/v1/users/alice/grants/web";
    let remove = || json!({ "add": [], "remove": ["user"] });
    host.store.set(Health::Wordless);
    host.admin("PUT", path, remove()).await.expect(503);
    host.admin("PUT", path, remove()).await.expect(503);
    host.store.set(Health::Well);
    assert_eq!(host.admin("PUT", path, remove()).await.told(), (404, "not_found".to_owned()), "it is gone already");
    assert_eq!(held.me(&host).await.expect(200).json()["roles"], json!([]), "everywhere");
}
