//! The built binary as a user has it, servers that end with their test, and a small HTTP client.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long anything may take before it counts as never.
const DEADLINE: Duration = Duration::from_mins(1);

/// The binary, in `folder`, with nothing of this machine's settings.
pub(crate) fn misario(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_misario"));
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    command
}

/// Runs the binary to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    misario(folder).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// As [`run`], with this on standard input.
pub(crate) fn run_with(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = misario(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The JSON that a command printed; it has to have ended well.
pub(crate) fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Octets as text.
pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A server as a child; it is killed when this is dropped.
pub(crate) struct Server {
    child: Option<Child>,
    /// The line that it printed when it was ready.
    pub(crate) ready: Value,
    /// Its data folder.
    pub(crate) data: PathBuf,
    log: PathBuf,
}

impl Server {
    /// `misario dev` on a free port with its data in `folder`.
    pub(crate) fn dev(folder: &Path) -> Self {
        Self::start(folder, misario(folder).args(["dev", "--listen", "127.0.0.1:0", "--json"]))
    }

    /// Starts `command`, which runs in `folder`, and waits until it is ready.
    pub(crate) fn start(folder: &Path, command: &mut Command) -> Self {
        let log = folder.join("log");
        let file = std::fs::File::create(&log).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("not ready: {line}{}", std::fs::read_to_string(&log).unwrap()));
        Self { child: Some(child), ready, data: folder.join("misario-data"), log }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The password of a demo user.
    pub(crate) fn password(&self, name: &str) -> String {
        let users = self.ready["users"].as_array().unwrap();
        users.iter().find(|user| user["username"] == name).unwrap()["password"].as_str().unwrap().to_owned()
    }

    /// Signs a demo user in.
    pub(crate) fn login(&self, app: &str, name: &str, transport: &str) -> Answer {
        let body = serde_json::json!({
            "app": app, "username": name, "password": self.password(name), "transport": transport,
        });
        call(self.url(), "POST", "/v1/login", &[], Some(&body))
    }

    /// Asks the process to stop, and returns its exit code and what it logged.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal(Signal::TERM);
        let mut child = self.child.take().unwrap();
        let (sender, receiver) = mpsc::channel();
        let pid = child.id();
        std::thread::spawn(move || sender.send(child.wait()));
        let Ok(status) = receiver.recv_timeout(DEADLINE) else {
            let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
            panic!("the server does not stop");
        };
        (status.unwrap().code(), std::fs::read_to_string(&self.log).unwrap())
    }

    /// Kills the process as a crash would.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid().cast_signed()).unwrap(), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An answer.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its head, as sent.
    pub(crate) head: String,
    /// Its body.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    /// The cookies that it sets, as a browser sends them back.
    pub(crate) fn cookies(&self) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        set.filter_map(|(_, value)| value.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}

/// One request on a connection of its own.
pub(crate) fn call(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let body = body.map(ToString::to_string).unwrap_or_default();
    let mut head = vec![
        format!("{method} {path} HTTP/1.1"),
        format!("host: {host}"),
        "connection: close".to_owned(),
        format!("content-length: {}", body.len()),
    ];
    if !body.is_empty() {
        head.push("content-type: application/json".to_owned());
    }
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    stream.write_all(format!("{}\r\n\r\n{body}", head.join("\r\n")).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// `GET /v1/me` with an access token.
pub(crate) fn me(url: &str, app: &str, token: &str) -> Answer {
    call(url, "GET", "/v1/me", &[("Misario-App", app), ("Authorization", &format!("Bearer {token}"))], None)
}
