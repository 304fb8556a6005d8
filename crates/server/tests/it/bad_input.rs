//! Bad input: what cannot be judged is refused with its status, what is no credential is refused with one answer.

use misario_core::app::Transport;
use serde_json::json;

use crate::support::{Answer, Call, Held, Host, PASSWORD};

async fn me(host: &Host, app: &str, token: &str) -> Answer {
    Call::get("/v1/me").app(app).bearer(token).send(host).await
}

/// Everything that a client could tell a refusal by.
fn visible(answer: &Answer) -> (u16, String, String, String) {
    let mut body = answer.json();
    body["ref"] = json!("");
    (
        answer.status,
        body.to_string(),
        answer.header("www-authenticate").to_owned(),
        answer.header("cache-control").to_owned(),
    )
}

fn flipped(token: &str, at: usize) -> String {
    let mut octets = token.as_bytes().to_vec();
    octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(octets).unwrap()
}

/// O19: one body for all of them.
#[tokio::test]
async fn all_invalid_credentials_get_one_answer() {
    let host = Host::start().await;
    let (session, jwt) =
        (host.login("web", Transport::Bearer, "s1").await, host.login("service", Transport::Bearer, "s1").await);
    let (session, jwt) = (session.access_text(), jwt.access_text());
    let revoked = host.login("web", Transport::Bearer, "s1").await;
    host.revoke(json!({ "login": revoked.sid })).await;
    let expected = visible(&me(&host, "web", "garbage").await.expect(401));
    let csrf = Call::get("/v1/csrf").app("web").send(&host).await.json()["csrf_token"].as_str().unwrap().to_owned();
    let none = format!("{}.{}.", "eyJhbGciOiJub25lIn0", jwt.split('.').nth(1).unwrap());
    let mut bad = vec!["..".to_owned(), "a.b.c".into(), "mst_".into(), format!("mst_{}", "A".repeat(91)), none, csrf];
    bad.extend([revoked.access_text(), host.ops.clone(), jwt.clone(), revoked.sid, format!("{session}A")]);
    bad.extend((0..session.len()).step_by(7).map(|at| flipped(&session, at)));
    let signature = jwt.rfind('.').unwrap();
    bad.extend((signature + 1..jwt.len() - 1).step_by(9).map(|at| flipped(&jwt, at)));
    for token in &bad {
        assert_eq!(visible(&me(&host, "web", token).await), expected, "{token}");
    }
    for token in bad.iter().filter(|token| **token != jwt) {
        assert_eq!(visible(&me(&host, "service", token).await), expected, "{token}");
    }
    me(&host, "web", &session).await.expect(200);
    me(&host, "service", &jwt).await.expect(200);
}

#[tokio::test]
async fn oversized_repeated_and_malformed_headers_are_faults_of_the_request() {
    let host = Host::start().await;
    let held = host.login("web", Transport::Bearer, "s1").await;
    let token = format!("Bearer {}", held.access_text());
    let call = || Call::get("/v1/me").app("web");
    let long = "a".repeat(16 * 1024 + 1);
    let cases = [
        (call().bearer(&long), 431, "credential_too_large"),
        (call().cookie(&format!("__Host-misario-web={long}")), 431, "credential_too_large"),
        (call().header("authorization", &token).header("authorization", &token), 400, "invalid_request"),
        (call().header("authorization", b"Bearer \xff\xfe"), 400, "invalid_request"),
        (call().app("web").bearer(&held.access_text()), 400, "invalid_request"),
        (call().cookie("__Host-misario-web=a; __Host-misario-web=b"), 400, "cookie_duplicate"),
        (call().cookie("__Host-misario-web=a").cookie("__Host-misario-web=b"), 400, "cookie_duplicate"),
        (Call::get("/v1/me").bearer(&held.access_text()), 400, "app_ambiguous"),
        (Call::get("/v1/me").app("nope"), 400, "app_unknown"),
        (Call::get("/v1/me").app("../web"), 400, "app_unknown"),
        (Call::get("/v1/me?app=nope").bearer(&held.access_text()), 400, "app_unknown"),
    ];
    for (call, status, code) in cases {
        let what = format!("{call:.200?}");
        assert_eq!(call.send(&host).await.told(), (status, code.to_owned()), "{what}");
    }
}

/// Which app is meant is never guessed from one of two words.
#[tokio::test]
async fn an_app_named_twice_is_refused() {
    let host = Host::with(|setup| setup.config.apps.truncate(1)).await;
    let held = host.login("web", Transport::Bearer, "s1").await;
    Call::get("/v1/me").bearer(&held.access_text()).send(&host).await.expect(200);
    for path in ["/v1/me?app=nope&app=web", "/v1/me?app=web&app=web", "/v1/check?app=nope&app=web"] {
        let answer = Call::get(path).bearer(&held.access_text()).send(&host).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn two_live_credentials_of_different_logins_conflict_and_a_dead_one_is_not_there() {
    let host = Host::start().await;
    let mut cookie = host.login("web", Transport::Cookie, "s1").await;
    let bearer = host.login("web", Transport::Bearer, "s2").await;
    let both = || cookie.shows(Call::get("/v1/me")).bearer(&bearer.access_text());
    assert_eq!(both().send(&host).await.told(), (400, "credentials_conflict".to_owned()));
    let same = cookie.shows(Call::get("/v1/me")).bearer(&cookie.access_text());
    same.send(&host).await.expect(200);
    host.revoke(json!({ "login": cookie.sid })).await;
    assert_eq!(both().send(&host).await.expect(200).json()["subject"], "s2", "a stale cookie beside a live bearer");
    assert_eq!(cookie.shows(Call::get("/v1/me")).bearer("garbage").send(&host).await.status, 401);
    cookie = host.login("web", Transport::Cookie, "s1").await;
    host.revoke(json!({ "login": bearer.sid })).await;
    let dead_bearer = cookie.shows(Call::get("/v1/me")).bearer(&bearer.access_text()).send(&host).await;
    assert_eq!(dead_bearer.status, 401, "what the client chose to send is what it is judged by");
}

/// A browser that got two cookies of one name must be able to get rid of both.
#[tokio::test]
async fn sign_out_clears_cookies_whatever_state_they_are_in() {
    let host = Host::start().await;
    for pairs in [
        "__Host-misario-spa=a; __Host-misario-spa=b; __Host-misario-spa-refresh=c; __Host-misario-spa-refresh=d",
        "__Host-misario-spa=garbage; __Host-misario-spa-refresh=garbage",
        "",
    ] {
        let call = Call::post("/v1/logout").app("spa").same_origin("spa");
        let call = if pairs.is_empty() { call } else { call.cookie(pairs) };
        let cleared: Vec<_> = call.send(&host).await.expect(204).cookies();
        let names: Vec<_> = cleared.iter().map(|cookie| cookie.name.as_str()).collect();
        assert_eq!(names, ["__Host-misario-spa", "__Host-misario-spa-refresh"], "{pairs}");
        assert!(cleared.iter().all(|cookie| cookie.max_age() == 0 && cookie.value.is_empty()));
    }
    let (one, two) =
        (host.login("spa", Transport::Cookie, "s1").await, host.login("spa", Transport::Cookie, "s2").await);
    let call = one.shows(Call::post("/v1/logout")).bearer(&two.access_text());
    assert_eq!(call.send(&host).await.expect(204).cookies().len(), 2, "in a conflict, too");
}

/// C07, C11: a sibling domain or a look-alike name gets nothing in.
#[tokio::test]
async fn only_cookies_of_exactly_our_name_are_read() {
    let host = Host::start().await;
    let held = host.login("web", Transport::Cookie, "s1").await;
    let token = held.access_text();
    for name in [
        "__host-misario-web",
        "__HOST-MISARIO-WEB",
        "misario-web",
        "sid",
        "__Host-misario-web2",
        "__Secure-misario-web",
    ] {
        let call = Call::get("/v1/me").app("web").cookie(&format!("{name}={token}"));
        assert_eq!(call.send(&host).await.told(), (401, "credential_missing".to_owned()), "{name}");
    }
    let amid = Call::get("/v1/me").app("web").cookie(&format!("a=1;;=; \"; __Host-misario-web={token} ;b"));
    amid.cookie("theme=dark").send(&host).await.expect(200);
}

/// O18, S17: one way in.
#[tokio::test]
async fn a_credential_in_query_or_body_is_not_there() {
    let host = Host::start().await;
    for app in ["web", "service"] {
        let token = host.login(app, Transport::Bearer, "s1").await.access_text();
        for parameter in ["access_token", "token", "session", "sid", "authorization"] {
            let answer = Call::get(&format!("/v1/me?{parameter}={token}")).app(app).send(&host).await;
            assert_eq!(answer.told(), (401, "credential_missing".to_owned()));
        }
        let call = Call::post("/v1/reauth").app(app).json(&json!({ "access_token": token, "password": "x" }));
        assert_eq!(call.send(&host).await.status, 401);
        let call = Call::get("/v1/me").app(app).header("x-access-token", &token).header("misario-token", &token);
        assert_eq!(call.send(&host).await.status, 401);
    }
}

/// J16: each kind of secret counts at its own door only.
#[tokio::test]
async fn every_kind_of_token_counts_only_where_it_belongs() {
    let host = Host::start().await;
    let mut hybrid = host.login("spa", Transport::Bearer, "s1").await;
    let session = host.login("web", Transport::Bearer, "s1").await;
    let kinds = [
        ("session", session.access_text()),
        ("jwt", hybrid.access_text()),
        ("refresh", hybrid.refresh_text().unwrap()),
        ("client", host.ops.clone()),
        ("csrf", hybrid.csrf(&host).await),
        ("sid", session.sid.clone()),
    ];
    for (kind, token) in &kinds {
        for app in ["web", "spa"] {
            let expected = matches!((*kind, app), ("session", "web") | ("jwt", "spa"));
            assert_eq!(me(&host, app, token).await.status == 200, expected, "{kind} as a bearer token of {app}");
            let cookie = Call::get("/v1/me").app(app).cookie(&format!("__Host-misario-{app}={token}"));
            assert_eq!(cookie.send(&host).await.status == 200, expected, "{kind} as a cookie of {app}");
        }
        let at = Call::post("/v1/refresh").app("spa").json(&json!({ "refresh_token": token }));
        assert_eq!(at.send(&host).await.status == 200, *kind == "refresh", "{kind} as a refresh token");
        let at = Call::get("/admin/v1/apps").basic("ops", token).send(&host).await;
        assert_eq!(at.status == 200, *kind == "client", "{kind} as a client's secret");
        let at = hybrid.shows(Call::post("/v1/refresh")).without("authorization").same_origin("spa");
        let at = at.cookie(&format!("__Host-misario-spa-refresh={token}"));
        assert_eq!(at.send(&host).await.status == 200, *kind == "refresh", "{kind} as a refresh cookie");
        let web = host.login("web", Transport::Cookie, "s2").await;
        let at = web.shows(Call::post("/v1/refresh")).without("origin").without("sec-fetch-site");
        assert_eq!(at.header("x-csrf-token", token).send(&host).await.status, 403, "{kind} as a foreign CSRF token");
    }
}

/// X07: what a form on any site can send is no JSON.
#[tokio::test]
async fn bodies_are_what_their_content_type_says() {
    let host = Host::start().await;
    let sent = json!({ "app": "web", "username": "a", "password": PASSWORD }).to_string();
    let login = |kind: &str, body: &[u8]| Call::post("/v1/login").raw(kind, body);
    let admin = |body: &[u8]| Call::post("/admin/v1/users").basic("ops", &host.ops).raw("application/json", body);
    let deep = format!("{{\"username\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = vec![b' '; 64 * 1024 + 1];
    let cases = [
        (login("text/plain", sent.as_bytes()), 415),
        (login("multipart/form-data; boundary=x", sent.as_bytes()), 415),
        (login("application/jsonp", sent.as_bytes()), 415),
        (login("", sent.as_bytes()), 415),
        (login("text/plain; application/json", sent.as_bytes()), 415),
        (login("application/json", &huge), 413),
        (login("application/x-www-form-urlencoded", &huge), 413),
        (login("application/json", b"\xff\xfe{}"), 400),
        (login("application/json", b"{\"username\":\"a\xff\",\"password\":\"b\"}"), 400),
        (login("application/json", b""), 400),
        (login("application/json", b"[]"), 400),
        (login("application/json", format!("{sent}{sent}").as_bytes()), 400),
        (login("application/json", br#"{"username":"a","username":"b","password":"c"}"#), 400),
        (login("application/json", br#"{"username":1,"password":"c"}"#), 400),
        (admin(deep.as_bytes()), 400),
        (admin(br#"{"username":"x","state":"active"}"#), 400),
        (admin(br#"{"username":"x","subject":"usr_chosen"}"#), 400),
        (admin(br#"{"username":"x","roles":["admin"]}"#), 400),
    ];
    for (call, status) in cases {
        let answer = call.clone().send(&host).await;
        assert_eq!(answer.status, status, "{:.120?} -> {}", call, answer.text());
        assert!(!answer.text().contains(PASSWORD));
    }
}

/// A05: nobody says in a body who they are.
#[tokio::test]
async fn no_identity_comes_from_a_body() {
    let host = Host::start().await;
    let alice = host.user("alice").await;
    let extra = json!({
        "app": "web", "username": "alice", "password": PASSWORD, "subject": "root", "sub": "root", "roles": ["admin"],
        "is_admin": true, "auth_time": 1, "login_exp": 9_999_999_999_u64, "amr": ["hwk"], "transport": "bearer",
    });
    let answer = Call::post("/v1/login").json(&extra).send(&host).await;
    if answer.status == 200 {
        let me = Held::of("web", Transport::Bearer, &answer).me(&host).await.json();
        assert_eq!((&me["subject"], &me["roles"], &me["amr"]), (&json!(alice), &json!(["user"]), &json!(["pwd"])));
    } else {
        assert_eq!(answer.status, 400);
    }
}
