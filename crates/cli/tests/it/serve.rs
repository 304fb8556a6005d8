//! `misario serve`: production.

use std::fs;

use serde_json::json;

use crate::support::{Server, call, json, misario, run, run_with, text};

const CONFIG: &str = r#"
issuer = "http://127.0.0.1:8420"
[changes]
lease = "1s"
[app.api]
mode = "jwt"
transports = ["bearer"]
access_ttl = "5m"
"#;

#[test]
fn serve_makes_no_accounts_and_names_the_way_to_the_first_administrator() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    fs::write(folder.path().join("secret"), "a-bootstrap-secret-of-the-operator\n").unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let server = Server::start(folder.path(), misario(folder.path()).args(arguments));
    assert!(server.ready["hint"].as_str().unwrap().contains("misario user add"));
    assert_eq!(json(&run(folder.path(), &["user", "list", "--json"]))["users"], json!([]));
    assert_eq!(server.stop().0, Some(0));

    let with_secret = || {
        let mut command = misario(folder.path());
        command.args(arguments).env("MISARIO_BOOTSTRAP__SECRET_FILE", folder.path().join("secret"));
        command
    };
    let server = Server::start(folder.path(), &mut with_secret());
    assert!(server.ready["hint"].as_str().unwrap().contains("/admin/v1/bootstrap"));
    let body = json!({
        "secret": "a-bootstrap-secret-of-the-operator", "username": "root", "password": "correct horse battery",
    });
    assert_eq!(call(server.url(), "POST", "/admin/v1/bootstrap", &[], Some(&body)).status, 201);
    assert_eq!(call(server.url(), "POST", "/admin/v1/bootstrap", &[], Some(&body)).status, 403, "once");
    server.stop();
    let server = Server::start(folder.path(), &mut with_secret());
    assert!(server.ready["hint"].is_null());
}

#[test]
fn what_the_file_says_is_applied_and_what_an_administrator_says_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("misario.toml");
    fs::write(&file, CONFIG).unwrap();
    let start =
        || Server::start(folder.path(), misario(folder.path()).args(["serve", "--listen", "127.0.0.1:0", "--json"]));
    let app = || json(&run(folder.path(), &["app", "show", "api", "--json"]))["app"].clone();
    let server = start();
    assert_eq!(app()["lifetimes"]["access"], 300);
    json(&run(folder.path(), &["app", "mode", "api", "hybrid", "--json"]));
    server.stop();
    fs::write(&file, CONFIG.replace("5m", "7m")).unwrap();
    let _server = start();
    assert_eq!((app()["lifetimes"]["access"].as_u64(), app()["mode"].as_str()), (Some(420), Some("hybrid")));
}

#[test]
fn a_password_is_read_from_where_nobody_else_reads() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    fs::write(folder.path().join("password"), "correct horse battery staple\n").unwrap();
    let server =
        Server::start(folder.path(), misario(folder.path()).args(["serve", "--listen", "127.0.0.1:0", "--json"]));
    json(&run(folder.path(), &["user", "add", "alice", "--password-file", "password", "--json"]));
    let body = json!({ "app": "api", "username": "alice", "password": "correct horse battery staple" });
    assert_eq!(call(server.url(), "POST", "/v1/login", &[], Some(&body)).status, 200);
    let short = run_with(folder.path(), &["user", "add", "bob", "--password-stdin"], "short\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(text(&short.stderr).contains("[password_unsuitable]"), "{}", text(&short.stderr));
    let again = run(folder.path(), &["user", "add", "alice"]);
    assert!(text(&again.stderr).contains("[exists]"), "{}", text(&again.stderr));
}
