//! Logs: everything that may be said about a day's work, and no credential in it.

use serde_json::{Value, json};

use crate::support::{Server, call, json, me, misario, run};

#[test]
fn a_log_at_its_finest_holds_no_credential() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["dev", "--listen", "127.0.0.1:0", "--json", "--log", "json"];
    let server = Server::start(folder.path(), misario(folder.path()).args(arguments).env("MISARIO_LOG", "trace"));
    let mut secrets = vec![server.ready["clients"][0]["secret"].as_str().unwrap().to_owned()];
    secrets.extend(["admin", "alice", "bob"].map(|name| server.password(name)));
    let cookie = server.login("web", "alice", "cookie");
    let cookies = cookie.cookies();
    let hybrid = server.login("spa", "bob", "bearer").json();
    keep(&mut secrets, &hybrid);
    let refresh = json!({ "refresh_token": hybrid["refresh_token"] });
    keep(&mut secrets, &call(server.url(), "POST", "/v1/refresh", &[("Misario-App", "spa")], Some(&refresh)).json());
    let jwt = server.login("service", "alice", "bearer").json();
    keep(&mut secrets, &jwt);
    keep(
        &mut secrets,
        &call(server.url(), "GET", "/v1/csrf", &[("Misario-App", "web"), ("Cookie", &cookies)], None).json(),
    );
    me(server.url(), "service", jwt["access_token"].as_str().unwrap());
    me(server.url(), "service", "mst_garbage-that-somebody-sent");
    call(server.url(), "GET", "/v1/me", &[("Misario-App", "web"), ("Cookie", &cookies)], None);
    let wrong = json!({ "app": "web", "username": "alice", "password": "a-wrong-canary-password" });
    assert_eq!(call(server.url(), "POST", "/v1/login", &[], Some(&wrong)).status, 401);
    secrets.push("a-wrong-canary-password".to_owned());
    secrets.extend(cookies.split("; ").filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()));
    // What is removed has no value.
    secrets.retain(|secret| !secret.is_empty());
    keep(&mut secrets, &json(&run(folder.path(), &["client", "add", "other", "--right", "feed", "--json"])));
    keep(&mut secrets, &json(&run(folder.path(), &["user", "passwd", "bob", "--json"])));
    let run_json = std::fs::read_to_string(server.data.join("run.json")).unwrap();
    let run_json: Value = serde_json::from_str(&run_json).unwrap();
    secrets.push(run_json["client"]["secret"].as_str().unwrap().to_owned());
    json(&run(folder.path(), &["demo", "revoke", "--rounds", "1", "--callers", "1", "--json"]));

    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(log.lines().count() > 10, "something was logged: {log}");
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "one JSON object per line");
    assert!(secrets.len() >= 14, "{}", secrets.len());
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
    for prefix in ["mst_", "mrt_", "mcs_", "mct_", "eyJ"] {
        assert!(!log.contains(prefix), "{prefix}… is in the log");
    }
}

/// Every secret that an answer hands out.
fn keep(secrets: &mut Vec<String>, answer: &Value) {
    let names = ["access_token", "refresh_token", "csrf_token", "secret", "password"];
    secrets.extend(names.iter().filter_map(|name| answer[name].as_str()).map(str::to_owned));
}
