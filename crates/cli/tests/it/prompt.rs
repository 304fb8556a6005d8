//! The password prompt, on a terminal of its own.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Output, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::json;

use crate::support::{Server, call, json, misario, text};

/// A terminal: what is typed goes in at one end.
struct Terminal {
    keyboard: File,
    screen: File,
}

impl Terminal {
    fn open() -> Self {
        let keyboard: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let screen = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        Self { keyboard: keyboard.into(), screen }
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.screen).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Adds a user whose password is typed once it is asked for.
    fn add(&mut self, folder: &Path, user: &str, keys: &str) -> Output {
        let mut child = misario(folder)
            .args(["user", "add", user, "--ask-password", "--json"])
            .stdin(self.screen.try_clone().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut asked = [0; "password: ".len()];
        child.stderr.as_mut().unwrap().read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"password: ");
        assert!(!self.shows_what_is_typed());
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

#[test]
fn a_prompt_leaves_the_terminal_as_it_was_however_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::dev(folder.path());
    let mut terminal = Terminal::open();
    assert!(terminal.shows_what_is_typed());
    let given_up = terminal.add(folder.path(), "carol", "half a pass\u{3}");
    assert_eq!(given_up.status.code(), Some(1));
    assert!(text(&given_up.stderr).contains("\"code\":\"interrupted\""), "{}", text(&given_up.stderr));
    assert!(terminal.shows_what_is_typed());
    let arrow = terminal.add(folder.path(), "carol", "correct horse\u{1b}[D battery\n");
    assert_eq!(arrow.status.code(), Some(2));
    assert!(text(&arrow.stderr).contains("\"code\":\"usage\""), "{}", text(&arrow.stderr));
    assert!(terminal.shows_what_is_typed());
    json(&terminal.add(folder.path(), "carol", " correct horse batteryy\u{7f} \n"));
    assert!(terminal.shows_what_is_typed());
    let body = json!({ "app": "web", "username": "carol", "password": " correct horse battery " });
    assert_eq!(call(server.url(), "POST", "/v1/login", &[], Some(&body)).status, 200);
}
