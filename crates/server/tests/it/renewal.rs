//! Refresh: what is answered again, what ends the login, and what renews nothing.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use misario_core::app::{Mode, Transport};
use serde_json::json;

use crate::support::{Answer, Call, Held, Host, TRANSPORTS, claims, counted};

const DAY: u64 = 86_400;
const INTERVAL: u64 = 10;

/// Logins that last for more than a year, used or not.
async fn long_lived() -> Host {
    let change = |lifetimes: &mut misario_core::app::Lifetimes| {
        lifetimes.absolute = 400 * DAY;
        lifetimes.idle = 400 * DAY;
    };
    Host::with(|setup| change(&mut setup.app("spa").lifetimes)).await
}

async fn show(host: &Host, refresh: &str) -> Answer {
    Call::post("/v1/refresh").app("spa").json(&json!({ "refresh_token": refresh })).send(host).await
}

fn refresh_of(answer: &Answer) -> String {
    answer.json()["refresh_token"].as_str().unwrap().to_owned()
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

async fn is_live(host: &Host, access: &str) -> bool {
    Call::get("/v1/me").app("spa").bearer(access).send(host).await.status == 200
}

#[tokio::test]
async fn a_lost_response_is_given_again_however_late() {
    let host = long_lived().await;
    let held = host.login("spa", Transport::Bearer, "s1").await;
    let first = held.refresh_text().unwrap();
    let second = refresh_of(&show(&host, &first).await.expect(200));
    for late in [0, 11, 3_600, 30 * DAY, 300 * DAY] {
        host.pass(late).await;
        assert_eq!(refresh_of(&show(&host, &first).await.expect(200)), second, "{late} s later");
    }
    assert!(refresh_of(&show(&host, &second).await.expect(200)) != second);
}

#[tokio::test]
async fn a_sibling_inside_the_interval_gets_the_head_even_if_it_was_used() {
    let host = long_lived().await;
    let held = host.login("spa", Transport::Bearer, "s1").await;
    let first = held.refresh_text().unwrap();
    let second = refresh_of(&show(&host, &first).await.expect(200));
    let third = refresh_of(&show(&host, &second).await.expect(200));
    host.pass(INTERVAL - 1).await;
    for old in [&first, &second] {
        assert_eq!(refresh_of(&show(&host, old).await.expect(200)), third);
    }
    host.pass(1).await;
    assert_eq!(show(&host, &first).await.told(), (401, "invalid_grant".to_owned()), "t + 10 s is outside");
}

#[tokio::test]
async fn reuse_ends_the_family_at_once_and_no_other_login() {
    let host = long_lived().await;
    let (held, mut other) =
        (host.login("spa", Transport::Bearer, "s1").await, host.login("spa", Transport::Bearer, "s1").await);
    let first = held.refresh_text().unwrap();
    let answer = show(&host, &first).await.expect(200);
    let (second, access) = (refresh_of(&answer), answer.json()["access_token"].as_str().unwrap().to_owned());
    let third = refresh_of(&show(&host, &second).await.expect(200));
    host.pass(INTERVAL).await;
    assert!(is_live(&host, &access).await);
    assert_eq!(show(&host, &first).await.told(), (401, "invalid_grant".to_owned()));
    for token in [&access, &held.access_text()] {
        assert!(!is_live(&host, token).await, "access tokens of the family are refused at once");
    }
    for token in [&first, &second, &third] {
        assert_eq!(show(&host, token).await.told(), (401, "invalid_grant".to_owned()));
    }
    other.me(&host).await.expect(200);
    other.renew(&host).await.expect(200);
}

/// The access token that came with the head was seen here, so its response arrived.
#[tokio::test]
async fn an_access_token_in_use_marks_the_head_used() {
    let host = long_lived().await;
    let held = host.login("spa", Transport::Bearer, "s1").await;
    let first = held.refresh_text().unwrap();
    let answer = show(&host, &first).await.expect(200);
    assert!(is_live(&host, answer.json()["access_token"].as_str().unwrap()).await);
    host.pass(INTERVAL).await;
    assert_eq!(show(&host, &first).await.told(), (401, "invalid_grant".to_owned()));
    assert_eq!(show(&host, &refresh_of(&answer)).await.status, 401, "the family is dead");
}

/// Two tabs wake up with the token whose successor was lost, and the first one is faster.
#[tokio::test]
async fn a_tab_may_come_second_with_what_a_lost_response_left() {
    let host = long_lived().await;
    let held = host.login("spa", Transport::Bearer, "s1").await;
    let first = held.refresh_text().unwrap();
    show(&host, &first).await.expect(200);
    host.pass(30 * DAY).await;
    let answer = show(&host, &first).await.expect(200);
    assert!(is_live(&host, answer.json()["access_token"].as_str().unwrap()).await);
    let head = refresh_of(&answer);
    assert_eq!(refresh_of(&show(&host, &first).await.expect(200)), head);
    // Ten seconds from the answer to the first tab, and not from the last one.
    host.pass(INTERVAL - 1).await;
    assert_eq!(refresh_of(&show(&host, &first).await.expect(200)), head);
    host.pass(1).await;
    assert_eq!(show(&host, &first).await.told(), (401, "invalid_grant".to_owned()));
}

/// The second tab's request is stopped at every point where it waits, while the first tab gets the head and uses it.
#[tokio::test]
async fn a_tab_that_is_overtaken_anywhere_is_answered() {
    let host = long_lived().await;
    for stop in 0..8 {
        let held = host.login("spa", Transport::Bearer, "s1").await;
        let first = held.refresh_text().unwrap();
        show(&host, &first).await.expect(200);
        host.pass(DAY).await;
        let mut slow = pin!(show(&host, &first));
        let mut answer = None;
        for _ in 0..stop {
            if answer.is_none() {
                answer = poll_fn(|context| Poll::Ready(ready(slow.as_mut().poll(context)))).await;
            }
        }
        let fast = show(&host, &first).await.expect(200);
        assert!(is_live(&host, fast.json()["access_token"].as_str().unwrap()).await);
        let answer = match answer {
            Some(answer) => answer,
            None => slow.await,
        };
        assert_eq!(answer.status, 200, "stopped at {stop}: {}", answer.text());
        assert_eq!(refresh_of(&answer), refresh_of(&fast));
    }
}

/// A laptop with many tabs wakes up: one write for all of them.
#[tokio::test]
async fn a_burst_after_a_lost_response_costs_one_write() {
    let host = long_lived().await;
    let held = host.login("spa", Transport::Bearer, "s1").await;
    let first = held.refresh_text().unwrap();
    show(&host, &first).await.expect(200);
    host.pass(DAY).await;
    let (_, asked) = counted(show(&host, &first)).await;
    assert_eq!(asked, ["load", "load_record", "swap"]);
    for _ in 0..20 {
        let (answer, asked) = counted(show(&host, &first)).await;
        assert_eq!((answer.status, asked.as_slice()), (200, ["load", "load_record"].as_slice()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_refreshes_make_one_rotation_and_all_get_it() {
    race_refreshes(Arc::new(Host::start().await)).await;
}

pub(crate) async fn race_refreshes(host: Arc<Host>) {
    for transport in [Transport::Bearer, Transport::Cookie] {
        let held = host.login("spa", transport, "s1").await;
        let racers: Vec<_> = (0..200)
            .map(|_| {
                let (host, mut held) = (Arc::clone(&host), held.clone());
                tokio::spawn(async move {
                    let answer = held.renew(&host).await;
                    assert!(answer.cookies().iter().all(|cookie| cookie.max_age() > 0), "no cookie is deleted");
                    answer.expect(200);
                    held.refresh_text().unwrap()
                })
            })
            .collect();
        let mut tokens = Vec::new();
        for racer in racers {
            tokens.push(racer.await.unwrap());
        }
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{transport}");
        assert_ne!(tokens[0], held.refresh_text().unwrap());
        let sessions = host.store.sessions().await;
        let session = sessions.iter().find(|session| session.sid.to_string() == held.sid).unwrap();
        assert_eq!(session.family.as_ref().unwrap().head().0, 2, "{transport}");
    }
}

#[tokio::test]
async fn a_refused_refresh_deletes_no_cookie() {
    let host = long_lived().await;
    let mut held = host.login("spa", Transport::Cookie, "s1").await;
    let stale = held.clone();
    held.renew(&host).await.expect(200);
    held.renew(&host).await.expect(200);
    host.pass(INTERVAL).await;
    let answer = stale.shows(Call::post("/v1/refresh")).send(&host).await;
    assert_eq!(answer.told(), (401, "invalid_grant".to_owned()));
    assert_eq!(answer.cookies(), []);
}

#[tokio::test]
async fn an_access_token_that_came_with_a_refresh_token_renews_nothing() {
    let host = Host::start().await;
    for transport in TRANSPORTS {
        let held = host.login("spa", transport, "s1").await;
        let by_header = Call::post("/v1/refresh").app("spa").bearer(&held.access_text());
        let by_body = Call::post("/v1/refresh").app("spa").json(&json!({ "access_token": held.access_text() }));
        for call in [by_header, by_body] {
            assert_eq!(call.send(&host).await.told(), (401, "invalid_grant".to_owned()), "{transport}");
        }
    }
}

#[tokio::test]
async fn a_jwt_renews_itself_within_its_window_and_never_beyond_the_login() {
    let host = Host::with(|setup| setup.app("service").lifetimes.renew_window = 3_600).await;
    let mut held = host.login("service", Transport::Bearer, "s1").await;
    let first = claims(&held.access_text());
    host.pass(900 + 3_599).await;
    assert_eq!(held.me(&host).await.told(), (401, "token_expired".to_owned()));
    held.renew(&host).await.expect(200);
    let renewed = claims(&held.access_text());
    for claim in ["sid", "auth_time", "login_exp", "sub", "trn"] {
        assert_eq!(renewed[claim], first[claim], "{claim}");
    }
    host.pass(900 + 3_600).await;
    assert_eq!(held.renew(&host).await.told(), (401, "invalid_grant".to_owned()));

    let mut held = host.login("service", Transport::Bearer, "s1").await;
    let end = claims(&held.access_text())["login_exp"].as_u64().unwrap();
    while host.clock.now().as_secs() + 800 < end {
        host.pass(800).await;
        held.renew(&host).await.expect(200);
        assert!(claims(&held.access_text())["exp"].as_u64().unwrap() <= end);
    }
    host.pass(end - host.clock.now().as_secs()).await;
    assert_eq!(held.renew(&host).await.told(), (401, "invalid_grant".to_owned()));
}

/// O05: a family ends at its absolute end however often it is rotated, and when it is not used.
#[tokio::test]
async fn a_family_ends_at_its_absolute_end_and_by_idleness() {
    let host = Host::start().await;
    let mut held = host.login("spa", Transport::Split, "s1").await;
    let idle = host.login("spa", Transport::Split, "s2").await;
    for day in 0..30 {
        let answer = held.renew(&host).await;
        assert_eq!(answer.status, 200, "day {day}");
        if day == 14 {
            assert_eq!(idle.clone().renew(&host).await.status, 401, "idle for fourteen days");
        }
        host.pass(DAY).await;
    }
    assert_eq!(held.renew(&host).await.told(), (401, "invalid_grant".to_owned()));
}

/// S04 for session tokens: one second before, at, and after.
#[tokio::test]
async fn a_session_ends_by_idleness_and_at_its_absolute_end_to_the_second() {
    let host = Host::start().await;
    let mut held = host.login("web", Transport::Bearer, "s1").await;
    host.pass(1_799).await;
    held.me(&host).await.expect(200);
    host.pass(1_799).await;
    held.me(&host).await.expect(200);
    host.pass(1_800).await;
    assert_eq!(held.me(&host).await.told(), (401, "invalid_token".to_owned()));

    let mut held = host.login("web", Transport::Bearer, "s1").await;
    for _ in 0..43 {
        host.pass(1_000).await;
        held.me(&host).await.expect(200);
    }
    host.pass(199).await;
    held.me(&host).await.expect(200);
    host.pass(1).await;
    assert_eq!(held.me(&host).await.told(), (401, "invalid_token".to_owned()));
}

/// A record's idle time is often shorter than an access token's life: after a switch, or by the app's settings.
#[tokio::test]
async fn whoever_is_active_is_not_logged_out_for_idleness() {
    let host = Host::with(|setup| setup.app("web").lifetimes.idle = 600).await;
    for mode in [Mode::Hybrid, Mode::Session, Mode::Jwt] {
        host.switch("web", Mode::Session).await;
        let mut all = Vec::new();
        for transport in TRANSPORTS {
            all.push(host.login("web", transport, "s1").await);
        }
        host.switch("web", mode).await;
        for held in &mut all {
            held.renew(&host).await.expect(200);
        }
        for minute in 0..60 {
            host.pass(60).await;
            for held in &mut all {
                let what = format!("{mode} {} after {minute} min", held.transport);
                if held.me(&host).await.status != 200 {
                    assert_ne!(held.transport, Transport::Cookie, "{what}");
                    assert_eq!(held.renew(&host).await.status, 200, "{what}");
                    assert_eq!(held.me(&host).await.status, 200, "{what}");
                }
            }
        }
    }
}

/// The uses since the last writing are not forgotten by a stop.
#[tokio::test]
async fn a_restart_shortens_no_idle_time() {
    let host = Host::start().await;
    let mut held = host.login("web", Transport::Bearer, "s1").await;
    host.pass(100).await;
    held.me(&host).await.expect(200);
    host.server.shutdown().await;
    let (store, clock) = (host.store.clone(), host.clock.clone());
    drop(host);
    let host = Host::with(|setup| (setup.store, setup.clock) = (store, clock)).await;
    host.pass(1_750).await;
    held.me(&host).await.expect(200);
}

/// O04: what a refresh hands out is what was granted, whatever it asks for.
#[tokio::test]
async fn a_refresh_widens_nothing() {
    let host = Host::start().await;
    let held = host.login("spa", Transport::Bearer, "s1").await;
    let sent = json!({ "refresh_token": held.refresh, "roles": ["admin"], "scope": "everything", "subject": "s2" });
    let answer = Call::post("/v1/refresh").app("spa").json(&sent).send(&host).await;
    if answer.status == 200 {
        let claims = claims(answer.json()["access_token"].as_str().unwrap());
        assert_eq!((&claims["sub"], claims.get("roles"), claims.get("scope")), (&json!("s1"), None, None));
    } else {
        assert_eq!(answer.status, 400);
    }
}

/// O01: RFC 9068 §2.2 names what an access token must carry.
#[tokio::test]
async fn every_access_token_carries_what_rfc_9068_demands() {
    let host = Host::start().await;
    for (app, mode) in [("spa", Mode::Hybrid), ("service", Mode::Jwt)] {
        let held: Held = host.login(app, Transport::Bearer, "s1").await;
        let claims = claims(&held.access_text());
        for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "sid", "pos", "login_exp"] {
            assert!(!claims[claim].is_null(), "{claim} in {mode}");
        }
        let header = held.access_text();
        let header = misario_jose::b64u::decode(header.split('.').next().unwrap()).unwrap();
        assert!(String::from_utf8(header).unwrap().contains(r#""typ":"at+jwt""#));
    }
}

/// A tab that holds one login's access token, in a browser that was signed in as somebody else since.
#[tokio::test]
async fn a_refresh_with_credentials_of_two_logins_renews_neither() {
    let host = Host::start().await;
    for app in ["web", "spa"] {
        let (alice, bob) =
            (host.login(app, Transport::Split, "s1").await, host.login(app, Transport::Split, "s2").await);
        let both = Held { jar: bob.jar.clone(), ..alice.clone() };
        let answer = both.shows(Call::post("/v1/refresh")).send(&host).await;
        assert_eq!(answer.told(), (400, "credentials_conflict".to_owned()), "{app}");
        for mut held in [alice.clone(), bob.clone()] {
            held.renew(&host).await.expect(200);
        }
        // A dead one beside a live one is not there: the tab goes on as whoever is signed in by now.
        host.revoke(json!({ "login": alice.sid })).await;
        let both = Held { jar: bob.jar.clone(), ..alice };
        let answer = both.shows(Call::post("/v1/refresh")).send(&host).await.expect(200);
        assert_eq!(answer.json()["sid"], json!(bob.sid), "{app}");
    }
}

/// PROTOCOL rule 22: `exp` counts from before the compare-and-swap, however long that takes.
#[tokio::test]
async fn lifetimes_count_from_before_the_decision() {
    let host = Host::start().await;
    for (app, verb) in [("spa", "swap"), ("service", "fences"), ("service", "load_record")] {
        let mut held = host.login(app, Transport::Bearer, "s1").await;
        let before = host.clock.now().as_secs();
        let clock = host.clock.clone();
        host.store.during(verb, move || clock.advance(std::time::Duration::from_secs(20)));
        held.renew(&host).await.expect(200);
        host.store.during("nothing", || ());
        host.until_ready().await;
        assert!(host.clock.now().as_secs() > before, "{verb}");
        let claims = claims(&held.access_text());
        assert_eq!(
            (claims["iat"].as_u64(), claims["exp"].as_u64()),
            (Some(before), Some(before + 900)),
            "{app} {verb}"
        );
    }
}
