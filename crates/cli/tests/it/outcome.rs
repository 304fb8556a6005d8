//! How commands end: the exit code is the command's verdict, whoever reads what it prints.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{misario, run, text};
use crate::transcripts::SAMPLE;

#[test]
fn a_reader_that_is_gone_does_not_change_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "your-256-bit-secret").unwrap();
    fs::write(folder.path().join("set.json"), "[]").unwrap();
    let verify = ["token", "verify", "--secret-file", "secret", "--iss", "https://i.test", "--aud", "a"];
    for (arguments, code) in [
        (&verify[..], 1),
        (&["token", "explain"], 0),
        (&["token", "verify", "--batch"], 0),
        (&["keys", "check", "set.json"], 1),
        (&["keys", "check", "absent.json"], 2),
    ] {
        for form in [&[][..], &["--json"]] {
            let mut child = misario(folder.path())
                .args(arguments)
                .args(form)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            // Before it can have anything to print: it still waits for the token, or finds nobody at the other end.
            drop(child.stdout.take());
            // A command that reads no standard input may be gone by now.
            let _ = child.stdin.take().unwrap().write_all(SAMPLE.as_bytes());
            let ended = child.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), Some(code), "{arguments:?} {form:?}: {}", text(&ended.stderr));
            assert!(!text(&ended.stderr).to_lowercase().contains("pipe"), "{}", text(&ended.stderr));
        }
    }
}

#[test]
fn arguments_that_make_no_command_are_told_in_json_too() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, what, fix) in [
        (&["tokn", "--json"][..], "unrecognized subcommand 'tokn'", "a similar subcommand exists: 'token'"),
        (
            &["--json", "app", "mode", "web", "cookie"],
            "invalid value 'cookie' for '<MODE>' [possible values: session, jwt, hybrid]",
            "",
        ),
        (
            &["token", "verify", "--json"],
            "the following required arguments were not provided: --aud <NAME>",
            "misario token verify --json --aud <NAME>",
        ),
        (&["--json"], "a command is missing", "misario [OPTIONS] <COMMAND>"),
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(2), 0), "{arguments:?}");
        let said: Value = serde_json::from_slice(&ended.stderr).unwrap();
        let mut error = json!({ "code": "usage", "exit": 2, "what": what });
        if !fix.is_empty() {
            error["fix"] = fix.into();
        }
        assert_eq!(said, json!({ "error": error }), "{arguments:?}");
    }
    let help = run(folder.path(), &["--json", "--help"]);
    assert_eq!((help.status.code(), help.stderr.len()), (Some(0), 0));
}
