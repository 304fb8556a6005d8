//! What each mode hands to each transport, and that a login goes through its life in each of them.

use misario_core::app::{Mode, Transport};
use serde_json::{Value, json};

use crate::support::{Answer, Call, Held, Host, MODES, PASSWORD, TRANSPORTS};

fn app_of(mode: Mode) -> &'static str {
    match mode {
        Mode::Session => "web",
        Mode::Hybrid => "spa",
        Mode::Jwt => "service",
    }
}

/// The table of the design: what is in the body, what is in cookies.
fn handed(answer: &Answer) -> (Option<&'static str>, bool, Option<&'static str>, bool) {
    let kind = |text: &str| if text.starts_with("mst_") { "session" } else { "jwt" };
    let body = answer.json();
    let in_body = body["access_token"].as_str().map(kind);
    let live = |suffix: &str| {
        let cookies = answer.cookies();
        cookies.into_iter().find(|c| c.name.ends_with(suffix) && c.max_age() > 0).map(|c| kind(&c.value))
    };
    let app = format!("misario-{}", body["app"].as_str().unwrap());
    (in_body, body["refresh_token"].is_string(), live(&app), live("-refresh").is_some())
}

#[tokio::test]
async fn the_table_of_modes_and_transports_over_http() {
    let host = Host::start().await;
    let (session, jwt) = (Some("session"), Some("jwt"));
    let table = [
        (Mode::Session, Transport::Cookie, (None, false, session, false)),
        (Mode::Session, Transport::Bearer, (session, false, None, false)),
        (Mode::Session, Transport::Split, (session, false, None, true)),
        (Mode::Jwt, Transport::Cookie, (None, false, jwt, false)),
        (Mode::Jwt, Transport::Bearer, (jwt, false, None, false)),
        (Mode::Jwt, Transport::Split, (jwt, false, None, false)),
        (Mode::Hybrid, Transport::Cookie, (None, false, jwt, true)),
        (Mode::Hybrid, Transport::Bearer, (jwt, true, None, false)),
        (Mode::Hybrid, Transport::Split, (jwt, false, None, true)),
    ];
    for (mode, transport, expected) in table {
        let sent = json!({ "app": app_of(mode), "subject": "s1", "transport": transport });
        let answer = Call::post("/v1/sessions").basic("ops", &host.ops).json(&sent).send(&host).await.expect(200);
        assert_eq!(handed(&answer), expected, "{mode} {transport}");
        assert_eq!(answer.json()["transport"], transport.name());
        let again = Held::of(app_of(mode), transport, &answer).renew(&host).await.expect(200);
        assert_eq!(handed(&again), expected, "{mode} {transport}, refreshed");
    }
}

#[tokio::test]
async fn a_login_lives_from_sign_in_to_logout_in_each_mode_and_transport() {
    let host = Host::start().await;
    let subject = host.user("alice").await;
    for (mode, transport) in MODES.into_iter().flat_map(|mode| TRANSPORTS.map(|transport| (mode, transport))) {
        let app = app_of(mode);
        let sent = json!({ "username": "alice", "password": PASSWORD, "transport": transport });
        let answer = Call::post("/v1/login").app(app).json(&sent).send(&host).await.expect(200);
        let mut held = Held::of(app, transport, &answer);
        let me = held.me(&host).await.expect(200).json();
        assert_eq!((&me["subject"], &me["sid"], &me["amr"]), (&json!(subject), &json!(held.sid), &json!(["pwd"])));
        assert_eq!((&me["roles"], &me["transport"]), (&json!(["user"]), &json!(transport)));
        held.renew(&host).await.expect(200);
        assert_eq!(held.me(&host).await.expect(200).json()["sid"], json!(held.sid), "{mode} {transport}");
        let before = held.clone();
        held.logout(&host).await.expect(204);
        assert!(held.jar.is_empty());
        assert_eq!(before.clone().me(&host).await.status, 401, "{mode} {transport}");
        assert_eq!(before.clone().renew(&host).await.status, 401, "{mode} {transport}");
    }
}

/// R03: the route does not see which form the credential had.
#[tokio::test]
async fn one_route_sees_the_same_principal_behind_a_session_token_and_a_jwt() {
    let host = Host::start().await;
    let subject = host.user("alice").await;
    let mut seen = Vec::new();
    for mode in MODES {
        host.switch("web", mode).await;
        for transport in TRANSPORTS {
            let mut me = host.login("web", transport, &subject).await.me(&host).await.expect(200).json();
            for of_this_login in ["sid", "transport", "mode", "kind"] {
                me[of_this_login] = Value::Null;
            }
            me["login_expires_at"] =
                json!(me["login_expires_at"].as_u64().unwrap() - me["auth_time"].as_u64().unwrap());
            me["auth_time"] = Value::Null;
            seen.push(me);
        }
    }
    assert!(seen.iter().all(|me| *me == seen[0]), "{seen:?}");
    assert_eq!(seen[0]["roles"], json!(["user"]));
}

#[tokio::test]
async fn the_transport_follows_from_who_asks() {
    let host = Host::start().await;
    host.user("alice").await;
    let sent = json!({ "app": "web", "username": "alice", "password": PASSWORD });
    let script = Call::post("/v1/login").json(&sent);
    assert_eq!(script.clone().send(&host).await.expect(200).json()["transport"], "bearer");
    assert_eq!(script.same_origin("web").send(&host).await.expect(200).json()["transport"], "split");
    let form = [("app", "web"), ("username", "alice"), ("password", PASSWORD)];
    let answer = Call::post("/v1/login").same_origin("web").form(&form).send(&host).await.expect(303);
    assert!(answer.cookies().iter().any(|cookie| cookie.name == "__Host-misario-web"));
}

#[tokio::test]
async fn a_transport_that_the_app_does_not_list_is_neither_handed_out_nor_accepted() {
    let host = Host::with(|setup| setup.app("service").transports = [Transport::Bearer].into()).await;
    host.user("alice").await;
    let sent = json!({ "app": "service", "username": "alice", "password": PASSWORD, "transport": "cookie" });
    let answer = Call::post("/v1/login").json(&sent).send(&host).await;
    assert_eq!(answer.told(), (400, "transport_not_listed".to_owned()));
    let held = host.login("service", Transport::Bearer, "s1").await;
    let as_cookie = format!("__Host-misario-service={}", held.access_text());
    let answer = Call::get("/v1/me").app("service").cookie(&as_cookie).send(&host).await;
    assert_eq!(answer.told(), (401, "credential_missing".to_owned()));
}
