//! The three promises, at the size that the demos have by themselves; each command exits with 1 if it sees one broken.
//! Where `MISARIO_SOAK=1`, larger.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Server, json, misario, run, text};

/// What a demo saw: at its own size, or with these arguments above it.
fn demo(folder: &Path, name: &str, large: &[&str]) -> Value {
    let _server = Server::dev(folder);
    let mut all = vec!["demo", name, "--json"];
    if is_soak() {
        all.extend(large);
    }
    let report = json(&run(folder, &all));
    left_tidy(folder);
    report
}

/// Nobody can sign in with what a demo worked with: its user is disabled, its clients are of one app each.
fn left_tidy(folder: &Path) {
    let users = json(&run(folder, &["user", "list", "--json"]));
    let of_demo: Vec<&Value> =
        users["users"].as_array().unwrap().iter().filter(|user| user["username"] == "demo").collect();
    assert!(of_demo.len() == 1 && of_demo[0]["state"] == "disabled", "{of_demo:?}");
    let clients = json(&run(folder, &["client", "list", "--json"]));
    for client in clients["clients"].as_array().unwrap() {
        let id = client["id"].as_str().unwrap();
        // `demo-backend` is the client that `dev` prints.
        assert!(!id.starts_with("demo-") || id == "demo-backend" || client["app"] == id, "{client}");
    }
}

#[test]
fn a_demo_that_is_interrupted_leaves_nothing_to_sign_in_with() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Server::dev(folder.path());
    let mut demo = misario(folder.path())
        .args(["demo", "switch", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let is_there = || json(&run(folder.path(), &["user", "list", "--json"])).to_string().contains("\"demo\"");
    while !is_there() {
        assert!(demo.try_wait().unwrap().is_none(), "the demo lasts longer than this");
    }
    kill_process(Pid::from_raw(demo.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let ended = demo.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0));
    assert!(text(&ended.stderr).contains("\"code\":\"interrupted\""), "{}", text(&ended.stderr));
    left_tidy(folder.path());
    json(&run(folder.path(), &["demo", "refresh", "--parallel", "10", "--losses", "1", "--json"]));
    left_tidy(folder.path());
}

#[expect(clippy::disallowed_methods, reason = "how long to test is asked from outside")]
fn is_soak() -> bool {
    std::env::var_os("MISARIO_SOAK").is_some_and(|value| value == "1")
}

#[test]
fn a_revoke_that_has_returned_is_true_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let report = demo(folder.path(), "revoke", &["--rounds", "50", "--callers", "8"]);
    assert_eq!(report["violations"], 0);
    let credentials = report["credentials"].as_array().unwrap();
    assert_eq!(credentials.len(), 2);
    assert!(credentials.iter().all(|credential| credential["rounds"].as_array().unwrap().len() >= 5));
    for credential in credentials {
        assert_eq!(credential["accepted_after_return"], 0);
        assert_eq!(credential["failures"], 0);
        assert_eq!(credential["stopped_process"]["refused"], true);
        assert!([401, 503].map(Value::from).contains(&credential["stopped_process"]["first_answer"]), "{credential}");
        assert_eq!(credential["stopped_process"]["published"]["acknowledged"], 0, "a stopped process says nothing");
    }
}

#[test]
fn parallel_lost_and_late_refreshes_end_no_login_and_an_old_token_does() {
    let folder = tempfile::tempdir().unwrap();
    let report = demo(folder.path(), "refresh", &["--parallel", "2500", "--losses", "100"]);
    assert!(report["parallel"].as_u64().unwrap() >= 1_000);
    assert_eq!((report["rotations"].as_u64(), report["logouts"].as_u64()), (Some(1), Some(0)));
    assert_eq!(report["family"]["dead"], true);
    assert_eq!(report["violations"], 0);
}

#[test]
fn an_app_goes_through_all_modes_and_nobody_is_signed_out() {
    let folder = tempfile::tempdir().unwrap();
    let report = demo(folder.path(), "switch", &["--clients", "250", "--lifetimes", "15"]);
    assert_eq!(report["violations"], 0, "{report}");
    let counted = |name: &str| report[name].as_u64().unwrap();
    assert_eq!((counted("unexpected_401"), counted("new_sign_ins")), (0, 0));
    assert!(counted("clients") >= 200 && counted("lifetimes") >= 3, "{report}");
    assert!(
        counted("refreshes") > 200 && counted("renewed_in_passing") > 100 && counted("expected_401") > 0,
        "{report}"
    );
    assert_eq!(report["never_let_in"], 0, "every client that was awake was let in, in every leg");
    assert_eq!((counted("failures"), counted("code_path_changes")), (0, 0));
    // Nothing but the one client rule: a call, and a refresh with what it holds.
    let legs = report["recorded"].as_array().unwrap();
    let forms: BTreeSet<&str> =
        legs.iter().flat_map(|leg| leg["requests"].as_array().unwrap()).map(|form| form.as_str().unwrap()).collect();
    let headers = "(content-type, misario-app)";
    let path = if forms.contains("GET /private (authorization, misario-app) {}") { "/private" } else { "/v1/me" };
    let rule = [
        format!("GET {path} (authorization, misario-app) {{}}"),
        format!("POST /v1/refresh {headers} {{access_token}}"),
        format!("POST /v1/refresh {headers} {{refresh_token}}"),
    ];
    assert_eq!(forms.into_iter().collect::<Vec<_>>(), rule);
    assert!(legs.iter().all(|leg| leg["requests"].as_array().unwrap().len() >= 2), "it worked in every leg: {report}");
    assert_eq!(report["path"], json!(["session", "hybrid", "jwt", "session", "jwt", "hybrid", "jwt"]));
}
