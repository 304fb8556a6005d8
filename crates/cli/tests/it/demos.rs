//! The three promises, in a short form; each command exits with 1 if it sees one broken.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Server, json, run};

fn demo(folder: &Path, arguments: &[&str]) -> Value {
    let _server = Server::dev(folder);
    let mut all = vec!["demo"];
    all.extend(arguments);
    all.push("--json");
    json(&run(folder, &all))
}

#[test]
fn a_revoke_that_has_returned_is_true_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let report = demo(folder.path(), &["revoke", "--rounds", "3", "--callers", "2"]);
    assert_eq!(report["violations"], 0);
    let credentials = report["credentials"].as_array().unwrap();
    assert_eq!(credentials.len(), 2);
    for credential in credentials {
        assert_eq!(credential["accepted_after_return"], 0);
        assert_eq!(credential["stopped_process"]["refused"], true);
        assert_eq!(credential["stopped_process"]["published"]["acknowledged"], 0, "a stopped process says nothing");
    }
}

#[test]
fn parallel_lost_and_late_refreshes_end_no_login_and_an_old_token_does() {
    let folder = tempfile::tempdir().unwrap();
    let report = demo(folder.path(), &["refresh", "--parallel", "200", "--losses", "5"]);
    assert_eq!((report["rotations"].as_u64(), report["logouts"].as_u64()), (Some(1), Some(0)));
    assert_eq!(report["family"]["dead"], true);
    assert_eq!(report["violations"], 0);
}

#[test]
fn an_app_goes_through_all_modes_and_nobody_is_signed_out() {
    let folder = tempfile::tempdir().unwrap();
    let report = demo(folder.path(), &["switch", "--clients", "30", "--lifetimes", "1"]);
    assert_eq!(report["violations"], 0, "{report}");
    let counted = |name: &str| report[name].as_u64().unwrap();
    assert_eq!((counted("unexpected_401"), counted("new_sign_ins")), (0, 0));
    assert!(counted("refreshes") > 30 && counted("renewed_in_passing") > 10 && counted("expected_401") > 0, "{report}");
    let first = &report["recorded"][0]["requests"];
    assert_eq!(first.as_array().unwrap().len(), 2);
    for leg in report["recorded"].as_array().unwrap() {
        assert!(
            leg["requests"].as_array().unwrap().iter().all(|form| first.as_array().unwrap().contains(form)),
            "{leg}"
        );
    }
    assert_eq!(report["path"], json!(["session", "hybrid", "jwt", "session", "jwt", "hybrid", "jwt"]));
}
