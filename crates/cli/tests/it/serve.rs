//! `misario serve`: production.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;

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

/// Behind a proxy on another machine: an https issuer, and one of this machine's own addresses to listen on.
#[test]
fn a_server_on_another_address_than_loopback_starts_and_is_administered() {
    let address = address_of_this_machine();
    let folder = tempfile::tempdir().unwrap();
    let config = CONFIG.replace("http://127.0.0.1:8420", "https://auth.example.com");
    fs::write(folder.path().join("misario.toml"), config).unwrap();
    let listen = format!("{address}:0");
    let server = Server::start(folder.path(), misario(folder.path()).args(["serve", "--listen", &listen, "--json"]));
    assert!(server.url().starts_with(&format!("http://{address}:")), "{}", server.url());
    assert_eq!(call(server.url(), "GET", "/readyz", &[], None).status, 200);
    let added = json(&run(folder.path(), &["user", "add", "root", "--role", "misario:admin", "--json"]));
    assert!(added["password"].is_string());
    if !address.is_loopback() {
        let named = run(folder.path(), &["user", "list", "--url", server.url()]);
        assert_eq!(named.status.code(), Some(2), "a URL that somebody typed has to be on loopback");
    }
    server.stop();
    let server = Server::start(folder.path(), misario(folder.path()).args(["serve", "--listen", &listen, "--json"]));
    assert!(server.ready["hint"].is_null());
    json(&run(folder.path(), &["user", "disable", "root", "--json"]));
    server.stop();
    let server = Server::start(folder.path(), misario(folder.path()).args(["serve", "--listen", &listen, "--json"]));
    assert!(server.ready["hint"].is_string(), "a disabled administrator is none");
}

/// The address that this machine's packets leave with; loopback where there is no network at all. Nothing is sent: the
/// system is only asked for the route.
fn address_of_this_machine() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    match socket.connect("198.51.100.1:9") {
        Ok(()) => socket.local_addr().unwrap().ip(),
        Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}

#[test]
fn demo_accounts_do_not_leave_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    let refused = |arguments: &[&str], code: &str| {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(&format!("\"code\":\"{code}\"")), "{}", text(&output.stderr));
    };
    let dev = Server::dev(folder.path());
    let dev_json = dev.data.join("dev.json");
    dev.stop();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
    refused(&serve, "folder_of_dev");
    fs::remove_file(&dev_json).unwrap();
    refused(&serve, "folder_of_dev");
    json(&run(folder.path(), &["user", "list", "--json"]));
    refused(&serve, "folder_of_dev");
    assert!(!dev_json.exists());

    let own = ["serve", "--listen", "127.0.0.1:0", "--data", "own", "--json"];
    Server::start(folder.path(), misario(folder.path()).args(own)).stop();
    refused(&["dev", "--listen", "127.0.0.1:0", "--data", "own", "--json"], "folder_of_serve");
    assert!(!folder.path().join("own/dev.json").exists());
    Server::start(folder.path(), misario(folder.path()).args(own)).stop();
}

#[test]
fn a_start_that_failed_does_not_decide_whose_folder_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let dev = ["dev", "--listen", "127.0.0.1:0", "--json"];
    let fails = |arguments: &[&str], records: &str, code: &str| {
        let mut command = misario(folder.path());
        let output = command.args(arguments).env("MISARIO_STORAGE__RECORDS", records).output().unwrap();
        assert!(text(&output.stderr).contains(&format!("\"code\":\"{code}\"")), "{}", text(&output.stderr));
    };
    fails(&dev, "sqlite:nowhere/x.db", "store_unavailable");
    Server::start(folder.path(), misario(folder.path()).args(serve)).stop();
    // Nor does one with a store that is not there hide the one that is.
    fails(&serve, "sqlite:nowhere/x.db", "store_unavailable");
    json(&run(folder.path(), &["user", "list", "--json"]));
    fails(&dev, "sqlite:other.db", "folder_of_serve");
    Server::start(folder.path(), misario(folder.path()).args(serve)).stop();
}

#[test]
fn a_configuration_is_not_compared_with_the_store_of_dev() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    let has_store = |arguments: &[&str]| {
        let shown = json(&run(folder.path(), &[&["config", "show", "--json"], arguments].concat()));
        shown["settings"].as_array().unwrap().iter().any(|row| !row["stored"].is_null())
    };
    let dev = Server::dev(folder.path());
    assert_eq!((has_store(&[]), has_store(&["--data", "misario-data"])), (false, true), "while it runs");
    dev.stop();
    assert_eq!((has_store(&[]), has_store(&["--data", "misario-data"])), (false, true), "and when it does not");
}

#[test]
fn a_folder_has_one_server_wherever_its_database_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let serve = |name: &str| {
        let mut command = misario(folder.path());
        let records = format!("sqlite:{}", folder.path().join(name).join("misario.db").display());
        command.args(["serve", "--listen", "127.0.0.1:0", "--json"]).env("MISARIO_STORAGE__RECORDS", records);
        command
    };
    let first = Server::start(folder.path(), &mut serve("one"));
    let second = serve("two").output().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("store_locked"), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains(&format!("pid {}", first.pid())), "{}", text(&second.stderr));
    assert!(folder.path().join("misario-data/run.json").exists(), "the first is still found");
    json(&run(folder.path(), &["user", "list", "--json"]));
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
    let both = |key: &str| {
        let shown = json(&run(folder.path(), &["config", "show", "--json"]));
        let row = shown["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap();
        json!([row["value"], row["origin"], row["stored"]["value"], row["stored"]["origin"], row["differs"]])
    };
    assert_eq!(both("app.api.mode"), json!(["jwt", "misario.toml:6", "hybrid", "admin", true]));
    assert_eq!(both("app.api.access_ttl"), json!(["5m", "misario.toml:8", "5m", "admin", false]));
    assert_eq!(both("changes.lease"), json!(["1s", "misario.toml:4", null, null, false]));
    let page = text(&run(folder.path(), &["config", "show"]).stdout);
    assert!(page.contains("1 settings differ"), "{page}");
    server.stop();
    assert_eq!(both("app.api.mode"), json!(["jwt", "misario.toml:6", "hybrid", "admin", true]), "without a server");
    let aside = folder.path().join("misario-data/instance.json");
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        both("app.api.mode"),
        json!(["jwt", "misario.toml:6", null, null, null]),
        "the file is shown all the same"
    );
    let named = run(folder.path(), &["config", "show", "--data", "misario-data"]);
    assert_eq!(named.status.code(), Some(2), "{}", text(&named.stdout));
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o600)).unwrap();
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
