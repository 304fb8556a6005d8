//! Commands and what they print, on one page each: `tests/transcripts/*.txt`.
//!
//! `-- name --` begins a file of the folder that the commands run in; `$ misario …` is a command, followed by what it
//! prints, and by `? code` if it does not exit with 0. After a change that is meant, `UPDATE_TRANSCRIPTS=1` writes the
//! pages anew, and the difference is read like code.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{run_with, text};

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
