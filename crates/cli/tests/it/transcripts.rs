//! Commands and what they print, on one page each: `tests/transcripts/*.txt`.
//!
//! `-- name --` begins a file of the folder that the commands run in; a remark (`# …`) or a command ends it. `$ misario …`
//! is a command, followed by what it prints, and by `? code` if it does not exit with 0. After a change that is meant, `UPDATE_TRANSCRIPTS=1` writes the
//! pages anew, and the difference is read like code.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{misario, run_with, text};

/// The token of the seed and of countless articles, signed with `your-256-bit-secret`.
pub(crate) const SAMPLE: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.",
    "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
);

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

#[test]
fn every_command_prints_what_its_page_says() {
    #[expect(clippy::disallowed_methods, reason = "whether to write the pages anew is asked from outside")]
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let pages = pages();
    assert!(pages.len() >= 4, "the pages are found");
    for page in pages {
        let written = fs::read_to_string(&page).unwrap();
        let played = play(&written);
        if update {
            fs::write(&page, played).unwrap();
        } else {
            assert!(written == played, "{}:\n{played}", page.display());
        }
    }
}

/// A page can be written anew without being read; these are the reasons that a user of that token must be told.
#[test]
fn the_sample_token_is_refused_for_its_well_known_key_and_for_having_no_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "your-256-bit-secret\n").unwrap();
    let failures = |arguments: &[&str], list: &str| {
        let printed = run_with(folder.path(), arguments, SAMPLE).stdout;
        let said: Value = serde_json::from_slice(&printed).unwrap();
        let failed = said[list].as_array().unwrap().iter().filter(|line| line["outcome"] == "failed");
        let failed = failed.map(|line| json!([line["check"], line["code"]])).collect::<Vec<_>>();
        (said["verdict"].clone(), said["code"].clone(), failed)
    };
    let explain = ["token", "explain", "--json", "--secret-file", "secret"];
    let (verdict, code, failed) = failures(&explain, "checks");
    assert_eq!((verdict, code), (json!("reject"), json!("key_hmac_well_known")));
    let missing = |claim: &str| json!([claim, "jwt_claim_missing"]);
    let key = json!(["key", "key_hmac_well_known"]);
    assert_eq!(failed, [key.clone(), missing("exp"), missing("iss"), missing("aud")]);
    let verify =
        ["token", "verify", "--json", "--secret-file", "secret", "--iss", "https://i.test", "--aud", "app:web"];
    let (verdict, code, failed) = failures(&verify, "failed");
    assert_eq!((verdict, code), (json!("reject"), json!("key_hmac_well_known")));
    assert!(failed.contains(&key) && failed.contains(&missing("exp")), "{failed:?}");
}

/// With colours on, as on a terminal: without, escapes would be taken out together with our own colours.
#[test]
fn a_token_cannot_write_to_the_terminal() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/hostile-token.txt");
    let page = fs::read_to_string(page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| page.lines().skip_while(|line| *line != format!("-- {name} --")).nth(1).unwrap().to_owned();
    for name in ["token", "typ", "secret"] {
        fs::write(folder.path().join(name), file(name)).unwrap();
    }
    for token in ["token", "typ"] {
        let verify = ["token", "verify", "--secret-file", "secret", "--iss", "i", "--aud", "a", "--token-file", token];
        for arguments in [&["token", "explain", "--token-file", token][..], &verify] {
            let output = misario(folder.path()).env("CLICOLOR_FORCE", "1").args(arguments).output().unwrap();
            let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
            // A colour of ours is `ESC [ digits m`; nothing else that begins with an escape may be there.
            let ours =
                |rest: &str| rest.starts_with('[') && rest[1..].trim_start_matches(char::is_numeric).starts_with('m');
            let mut escapes = printed.split('\u{1b}').skip(1).peekable();
            assert!(escapes.peek().is_some(), "there are colours");
            assert!(escapes.all(ours), "{printed:?}");
            assert!(!printed.contains(['\u{7}', '\r', '\u{9b}', '\u{202e}']), "{printed:?}");
            assert!(!printed.lines().any(|line| line.starts_with("accepted")), "{printed}");
        }
    }
}

/// The page with what its commands print now.
fn play(page: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut played: Vec<String> = Vec::new();
    let (mut file, mut after_command): (Option<PathBuf>, bool) = (None, false);
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            (file, after_command) = (Some(path), false);
        } else if let Some(command) = line.strip_prefix("$ misario ") {
            played.push(line.to_owned());
            played.extend(output(folder.path(), command));
            (file, after_command) = (None, true);
            continue;
        } else if line.starts_with('#') {
            file = None;
        } else if let Some(path) = &file {
            let content = fs::read_to_string(path).unwrap();
            fs::write(path, format!("{content}{line}\n")).unwrap();
        }
        if !after_command || line.starts_with('#') {
            played.push(line.to_owned());
        }
    }
    played.join("\n") + "\n"
}

/// Words are separated by spaces; `< name` is standard input from a file.
fn output(folder: &Path, command: &str) -> Vec<String> {
    let (command, input) = match command.split_once(" < ") {
        Some((command, name)) => (command, fs::read_to_string(folder.join(name)).unwrap()),
        None => (command, String::new()),
    };
    let output = run_with(folder, &command.split(' ').collect::<Vec<_>>(), &input);
    // No page may depend on where it was played.
    let printed =
        format!("{}{}", text(&output.stdout), text(&output.stderr)).replace(&folder.display().to_string(), "FOLDER");
    let mut lines: Vec<String> = printed.lines().map(|line| line.trim_end().to_owned()).collect();
    match output.status.code().unwrap() {
        0 => {}
        code => lines.push(format!("? {code}")),
    }
    lines.push(String::new());
    lines
}
