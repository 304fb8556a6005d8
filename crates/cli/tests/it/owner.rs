//! Whose the data folder is, whoever runs a command over it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use rustix::process::geteuid;

use crate::support::{Server, json, misario, run, text};

const CONFIG: &str = "issuer = \"http://127.0.0.1:8420\"\n[app.api]\nmode = \"jwt\"\ntransports = [\"bearer\"]\n";
/// Users without any right, by their numbers; they need no names.
const SERVICE: u32 = 64_101;
const OTHER: u32 = 64_102;
const ROOT: u32 = 0;

#[test]
fn a_command_leaves_the_marker_alone_that_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let marker = server.data.join("instance.json");
    server.stop();
    let which = || fs::metadata(&marker).map(|found| (found.ino(), found.mtime(), found.mtime_nsec())).unwrap();
    let before = which();
    json(&run(folder.path(), &["user", "list", "--json"]));
    assert_eq!(which(), before);
}

/// Another user runs the binary from where they may: the build folder may be closed to them.
fn as_user(folder: &Path, user: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new(folder.join("misario"));
    command.current_dir(folder).env_clear().env("LC_ALL", "C").args(arguments).uid(user).gid(user);
    command
}

fn owners(data: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(data).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().uid())).collect()
}

#[test]
fn a_folder_is_used_by_its_user_alone() {
    if !geteuid().is_root() {
        println!("SKIPPED: only root can act as another user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_misario"), folder.path().join("misario")).unwrap();
    fs::write(folder.path().join("misario.toml"), CONFIG).unwrap();
    let data = folder.path().join("misario-data");
    let fresh = || {
        let _ = fs::remove_dir_all(&data);
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&data, Some(SERVICE), Some(SERVICE)).unwrap();
    };
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let refused = |user: u32, owner: u32| {
        for arguments in [&["user", "list", "--json"][..], &serve, &["dev", "--listen", "127.0.0.1:0", "--json"]] {
            let Output { status, stderr, .. } = as_user(folder.path(), user, arguments).output().unwrap();
            let said = text(&stderr);
            assert_eq!(status.code(), Some(2), "{user} {arguments:?} {said}");
            assert!(said.contains("\"code\":\"folder_of_another\""), "{user} {arguments:?} {said}");
            assert!(said.contains(&format!("'#{owner}'")), "{said}");
        }
    };

    fresh();
    let server = Server::start(folder.path(), &mut as_user(folder.path(), SERVICE, &serve));
    refused(OTHER, SERVICE);
    refused(ROOT, SERVICE);
    server.stop();
    refused(ROOT, SERVICE);
    let owners = owners(&data);
    assert!(owners.iter().all(|(_, owner)| *owner == SERVICE), "{owners:?}");
    Server::start(folder.path(), &mut as_user(folder.path(), SERVICE, &serve)).stop();

    // A fresh volume is whose server comes first.
    fresh();
    Server::start(folder.path(), misario(folder.path()).args(serve)).stop();
    json(&run(folder.path(), &["user", "list", "--json"]));
    refused(SERVICE, ROOT);
}
