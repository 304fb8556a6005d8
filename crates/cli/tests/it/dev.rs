//! `misario dev`, from its first start to the next.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Server, call, json, me, misario, run, run_with, text};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn without_volatile(ready: &Value) -> Value {
    let mut ready = ready.clone();
    ready["pid"] = Value::Null;
    ready
}

#[test]
fn the_lines_that_dev_prints_work_when_they_are_pasted() {
    let folder = folder();
    let server = Server::dev(folder.path());
    for app in ["web", "spa", "service"] {
        let lines = server.ready["curl"][app].as_array().unwrap();
        assert!(lines.len() >= 5, "{app}");
        let script: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
        // `-e` ends at the first line that fails, and every line fails on an answer that is no success.
        let shell = Command::new("sh").current_dir(folder.path()).args(["-ec", &script.join("\n")]).output().unwrap();
        assert!(shell.status.success(), "{app}: {}{}", text(&shell.stdout), text(&shell.stderr));
        assert!(text(&shell.stdout).contains("\"roles\":[\"hr\",\"user\"]"), "{app}");
    }
    for name in fs::read_dir(&server.data).unwrap().map(|entry| entry.unwrap().path()) {
        let mode = fs::metadata(&name).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} can be read by others: {mode:o}", name.display());
    }
    for jar in ["web.cookies", "spa.cookies"] {
        assert!(fs::metadata(server.data.join(jar)).unwrap().len() > 0, "curl kept its cookies in {jar}");
    }
}

#[test]
fn settings_count_in_dev_as_its_help_says() {
    let folder = folder();
    let dev = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = misario(folder.path());
        command.args(["dev", "--json"]).args(arguments).envs(variables.iter().copied());
        command
    };
    let listen = ("MISARIO_LISTEN__HTTP", "127.0.0.9:0");
    let server = Server::start(folder.path(), &mut dev(&[listen], &[]));
    assert!(server.url().starts_with("http://127.0.0.9:"), "{}", server.url());
    assert_eq!(server.login("web", "alice", "cookie").status, 200);
    server.stop();
    let server = Server::start(folder.path(), &mut dev(&[listen], &["--listen", "127.0.0.8:0"]));
    assert!(server.url().starts_with("http://127.0.0.8:"), "{}", server.url());
    server.stop();
    fs::write(folder.path().join("named.toml"), "[listen]\nhttp = \"127.0.0.7:0\"\n").unwrap();
    let server = Server::start(folder.path(), &mut dev(&[], &["--config", "named.toml"]));
    assert!(server.url().starts_with("http://127.0.0.7:"), "{}", server.url());
    server.stop();
    for (variable, code) in [
        (("MISARIO_LISTEN__HTTP", "0.0.0.0:0"), "usage"),
        (("MISARIO_ISSUER", "http://127.0.0.1:8420"), "config_invalid"),
    ] {
        let refused = dev(&[variable], &[]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{variable:?}");
        assert!(text(&refused.stderr).contains(&format!("\"code\":\"{code}\"")), "{}", text(&refused.stderr));
    }
}

#[test]
fn a_restart_keeps_everything() {
    let folder = folder();
    let first = Server::dev(folder.path());
    let before = without_volatile(&first.ready);
    let session = first.login("web", "alice", "cookie");
    let hybrid = first.login("spa", "bob", "bearer").json();
    let jwt = first.login("service", "alice", "bearer").json();
    let added = json(&run_with(
        folder.path(),
        &["user", "add", "carol", "--password-stdin", "--json"],
        "correct horse battery\n",
    ));
    assert_eq!((added["user"]["username"].as_str(), added["password"].is_null()), (Some("carol"), true));
    json(&run(folder.path(), &["app", "mode", "web", "hybrid", "--json"]));
    assert_eq!(first.stop().0, Some(0));

    let second = Server::dev(folder.path());
    let mut after = without_volatile(&second.ready);
    assert_eq!(after["apps"][0]["mode"], "hybrid", "what an administrator changed stays changed");
    after["apps"][0]["mode"] = json!("session");
    assert_eq!(after, before);
    let cookie = session.cookies();
    let who = call(second.url(), "GET", "/v1/me", &[("Misario-App", "web"), ("Cookie", &cookie)], None);
    assert_eq!((who.status, who.json()["subject"].is_string()), (200, true));
    let refreshed = json!({ "refresh_token": hybrid["refresh_token"] });
    let refreshed = call(second.url(), "POST", "/v1/refresh", &[("Misario-App", "spa")], Some(&refreshed));
    assert_eq!(refreshed.status, 200);
    assert_eq!(me(second.url(), "service", jwt["access_token"].as_str().unwrap()).status, 200);
    let carol = json!({ "app": "web", "username": "carol", "password": "correct horse battery" });
    assert_eq!(call(second.url(), "POST", "/v1/login", &[], Some(&carol)).status, 200);
}

#[test]
fn a_first_start_that_was_cut_off_goes_on_at_the_next() {
    let folder = folder();
    let dev = || {
        let mut command = misario(folder.path());
        command.args(["dev", "--listen", "127.0.0.1:0", "--json"]).env("MISARIO_STORAGE__RECORDS", "sqlite:later/a.db");
        command
    };
    // Its database has no folder to be in, so it comes as far as any start does before there is one.
    let cut_off = dev().output().unwrap();
    assert_eq!(cut_off.status.code(), Some(1), "{}", text(&cut_off.stderr));
    let none = run(folder.path(), &["user", "list", "--json"]);
    assert!(text(&none.stderr).contains("\"code\":\"server_not_found\""), "{}", text(&none.stderr));
    // And here a start ends that was killed while it opened the store.
    let data = folder.path().join("misario-data");
    fs::create_dir(data.join("later")).unwrap();
    fs::write(data.join("later/a.db"), b"").unwrap();
    assert!(!data.join("dev.json").exists());
    let server = Server::start(folder.path(), &mut dev());
    assert_eq!(server.login("web", "alice", "cookie").status, 200);
}

#[test]
fn passwords_that_dev_prints_work_even_if_it_lost_the_old_ones() {
    let folder = folder();
    let first = Server::dev(folder.path());
    let (old, file) = (first.password("alice"), first.data.join("dev.json"));
    let carried = first.login("web", "alice", "cookie").cookies();
    first.stop();
    fs::remove_file(&file).unwrap();
    let second = Server::dev(folder.path());
    assert_ne!(second.password("alice"), old);
    for name in ["admin", "alice", "bob"] {
        assert_eq!(second.login("web", name, "cookie").status, 200, "{name}");
    }
    let with_old = json!({ "app": "web", "username": "alice", "password": old });
    assert_eq!(call(second.url(), "POST", "/v1/login", &[], Some(&with_old)).status, 401);
    let headers = [("Misario-App", "web"), ("Cookie", carried.as_str())];
    assert_eq!(call(second.url(), "GET", "/v1/me", &headers, None).status, 401, "another password ends logins");
    let kept = second.login("web", "bob", "cookie").cookies();
    second.stop();
    let third = Server::dev(folder.path());
    let headers = [("Misario-App", "web"), ("Cookie", kept.as_str())];
    assert_eq!(call(third.url(), "GET", "/v1/me", &headers, None).status, 200, "once, not at every start");
}

#[test]
fn what_was_revoked_before_a_crash_stays_revoked() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let token = server.login("service", "bob", "bearer").json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(me(server.url(), "service", &token).status, 200);
    json(&run(folder.path(), &["session", "revoke", "--user", "bob", "--json"]));
    server.kill();
    assert!(folder.path().join("misario-data/run.json").exists(), "a crash removes nothing");
    let server = Server::dev(folder.path());
    assert_eq!(me(server.url(), "service", &token).status, 401);
    let again = server.login("service", "bob", "bearer").json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(me(server.url(), "service", &again).status, 200, "the user signs in again");
}

#[test]
fn one_process_has_the_store_and_commands_go_through_it() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let run_json = folder.path().join("misario-data/run.json");
    let mode = fs::metadata(&run_json).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let second = run(folder.path(), &["dev", "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(second.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&second.stderr).unwrap();
    assert_eq!(error["error"]["code"], "store_locked");
    assert!(error["error"]["what"].as_str().unwrap().contains(&format!("pid {}", server.pid())), "{error}");
    let published = json(&run(folder.path(), &["session", "revoke", "--everything", "--json"]));
    assert!(published["position"].is_string());
    assert_eq!(server.stop().0, Some(0));
    assert!(!run_json.exists(), "SIGTERM removes run.json");
}

#[test]
fn what_a_killed_server_left_is_shown_to_no_stranger() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let (address, file) = (server.url().strip_prefix("http://").unwrap().to_owned(), server.data.join("run.json"));
    server.kill();
    // Its number and its address are somebody else's by now, here this test's.
    let mut left: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    left["pid"] = std::process::id().into();
    fs::write(&file, left.to_string()).unwrap();
    let stranger = TcpListener::bind(address).unwrap();
    stranger.set_nonblocking(true).unwrap();
    let listed = run(folder.path(), &["user", "list", "--json"]);
    assert_eq!(json(&listed)["users"].as_array().unwrap().len(), 3);
    assert!(text(&listed.stderr).contains("no server runs"), "{}", text(&listed.stderr));
    assert!(stranger.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "nobody called");
}

#[test]
fn a_server_that_does_not_answer_is_told_from_none() {
    let folder = folder();
    let server = Server::dev(folder.path());
    server.signal(Signal::STOP);
    let listed = run(folder.path(), &["user", "list", "--json"]);
    server.signal(Signal::CONT);
    assert_eq!(listed.status.code(), Some(1));
    assert!(text(&listed.stderr).contains("\"code\":\"server_unreachable\""), "{}", text(&listed.stderr));
    assert_eq!(json(&run(folder.path(), &["user", "list", "--json"]))["users"].as_array().unwrap().len(), 3);
}

#[test]
fn without_a_server_commands_work_on_the_store_and_say_so() {
    let folder = folder();
    Server::dev(folder.path()).stop();
    let listed = run(folder.path(), &["user", "list", "--json"]);
    assert_eq!(json(&listed)["users"].as_array().unwrap().len(), 3);
    assert!(text(&listed.stderr).contains("no server runs"), "{}", text(&listed.stderr));
    json(&run(folder.path(), &["user", "disable", "bob", "--json"]));
    let demo = run(folder.path(), &["demo", "refresh", "--json"]);
    assert_eq!(demo.status.code(), Some(2));
    assert!(text(&demo.stderr).contains("\"code\":\"server_not_running\""), "{}", text(&demo.stderr));
    let server = Server::dev(folder.path());
    assert_eq!(server.login("web", "bob", "cookie").status, 401);
    assert_eq!(server.login("web", "alice", "cookie").status, 200);
}

#[test]
fn a_named_server_is_administered_by_a_client_from_the_environment() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let made = json(&run(folder.path(), &["client", "add", "ops", "--right", "admin", "--json"]));
    let token = folder.path().join("token");
    fs::write(&token, format!("ops:{}\n", made["secret"].as_str().unwrap())).unwrap();
    let list = || {
        let mut command = misario(folder.path());
        command.args(["client", "list", "--json", "--url", server.url()]);
        command
    };
    assert_eq!(list().output().unwrap().status.code(), Some(2), "no credential, no try");
    let listed = list().env("MISARIO_ADMIN_TOKEN_FILE", &token).output().unwrap();
    assert!(json(&listed)["clients"].as_array().unwrap().iter().any(|client| client["id"] == "ops"));
    let wrong = list().env("MISARIO_ADMIN_TOKEN", "ops:mcs_wrong").output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("\"code\":\"invalid_client\""), "{}", text(&wrong.stderr));
}

#[test]
fn a_token_is_issued_explained_verified_and_revoked() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let issued = json(&run(
        folder.path(),
        &["token", "issue", "--app", "service", "--subject", "job-1", "--role", "hr", "--json"],
    ));
    let token = issued["access_token"].as_str().unwrap();
    let explained = json(&run_with(folder.path(), &["token", "explain", "--json"], token));
    assert_eq!(explained["claims"]["sub"], "job-1");
    assert!(!explained.to_string().contains(token.rsplit('.').next().unwrap()), "never the signature");
    fs::write(folder.path().join("jwks.json"), call(server.url(), "GET", "/.well-known/jwks.json", &[], None).body)
        .unwrap();
    let issuer = server.url();
    let verify = ["token", "verify", "--json", "--jwks", "jwks.json", "--iss", issuer, "--aud", "app:service"];
    assert_eq!(json(&run_with(folder.path(), &verify, token))["verdict"], "accept");
    // Without keys, those of the server that runs here, and its issuer.
    let short = ["token", "verify", "--json", "--aud", "app:service"];
    assert_eq!(json(&run_with(folder.path(), &short, token))["verdict"], "accept");
    assert_eq!(explained["checks"][5], json!({ "check": "signature", "outcome": "passed" }), "{explained}");
    let other = run_with(folder.path(), &["token", "verify", "--json", "--aud", "a", "--iss", "https://i.test"], token);
    assert!(text(&other.stdout).contains("jwt_issuer_mismatch"), "{}", text(&other.stdout));
    let keys_alone = ["token", "verify", "--json", "--aud", "app:service", "--jwks", "jwks.json"];
    assert_eq!(run_with(folder.path(), &keys_alone, token).status.code(), Some(2), "whose they are is not known");
    assert_eq!(me(server.url(), "service", token).status, 200);
    json(&run_with(folder.path(), &["token", "revoke", "--json"], token));
    assert_eq!(me(server.url(), "service", token).status, 401);
}

#[test]
fn roles_and_passwords_are_changed_by_command() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let token = server.login("service", "bob", "bearer").json()["access_token"].as_str().unwrap().to_owned();
    json(&run(folder.path(), &["user", "role", "bob", "--app", "service", "--remove", "user", "--json"]));
    let stale = me(server.url(), "service", &token);
    assert_eq!((stale.status, stale.json()["code"].as_str()), (401, Some("token_stale")));
    let made = json(&run(folder.path(), &["user", "passwd", "bob", "--json"]));
    assert_eq!(server.login("service", "bob", "bearer").status, 401);
    let body = json!({ "app": "service", "username": "bob", "password": made["password"], "transport": "bearer" });
    let login = call(server.url(), "POST", "/v1/login", &[], Some(&body)).json();
    let who = me(server.url(), "service", login["access_token"].as_str().unwrap()).json();
    assert_eq!(who["roles"], json!([]));
}

#[test]
fn roles_given_at_the_same_time_are_all_there() {
    let folder = folder();
    let _server = Server::dev(folder.path());
    let names: Vec<String> = (0..8).map(|number| format!("role-{number}")).collect();
    let give = |name: &String| {
        let arguments = ["user", "role", "bob", "--app", "web", "--add", name, "--json"];
        misario(folder.path()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let given: Vec<_> = names.iter().map(give).collect();
    for child in given {
        json(&child.wait_with_output().unwrap());
    }
    let taken =
        json(&run(folder.path(), &["user", "role", "bob", "--app", "web", "--remove", "user", "--add", "x", "--json"]));
    let mut roles: Vec<&str> =
        taken["user"]["grants"]["web"]["roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
    roles.sort_unstable();
    let expected: Vec<&str> = names.iter().map(String::as_str).chain(["x"]).collect();
    assert_eq!(roles, expected);
    let absent = run(folder.path(), &["user", "role", "bob", "--app", "web", "--remove", "user", "--add", "y"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(text(&absent.stderr).contains("[not_found]"), "{}", text(&absent.stderr));
    let listed = json(&run(folder.path(), &["user", "list", "--json"])).to_string();
    assert!(!listed.contains("\"y\""), "all or nothing: {listed}");
}

#[test]
fn no_secret_is_in_the_arguments_of_any_process() {
    let folder = folder();
    let server = Server::dev(folder.path());
    let demo = misario(folder.path())
        .args(["demo", "revoke", "--rounds", "2", "--callers", "1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = 0;
    let mut demo = demo;
    // Looks until the demonstration, which has a process of its own, is over.
    while demo.try_wait().unwrap().is_none() {
        for line in command_lines().iter().filter(|line| line.contains("misario")) {
            seen += 1;
            assert!(!line.contains("mcs_") && !line.contains("mst_") && !line.contains("eyJ"), "{line}");
            assert!(!line.contains(&server.password("alice")), "{line}");
        }
    }
    assert!(seen > 0);
    assert!(demo.wait_with_output().unwrap().status.success());
}

/// What every user of the machine can read.
fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok()).map(|line| text(&line)).collect()
}

#[test]
fn a_lost_master_key_is_named_and_nothing_is_overwritten() {
    let folder = folder();
    Server::dev(folder.path()).stop();
    let key = folder.path().join("misario-data/master.key");
    let content = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let refused = run(folder.path(), &["dev", "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("master_key_missing") && !key.exists());
    fs::write(&key, content).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = run(folder.path(), &["dev", "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("master_key_exposed"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(Server::dev(folder.path()).login("web", "alice", "cookie").status, 200);
}
