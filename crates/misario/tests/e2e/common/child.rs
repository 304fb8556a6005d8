//! A second process: this test binary again, with a part to play.
//!
//! A child says in one line what it is ready with, and ends when its standard input does: a test that fails leaves no
//! process behind.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child as Process, Command};

use super::app::App;
use super::authority::{Authority, embedded};
use super::site::Site;

/// The test that plays a part when it is told one.
const TEST: &str = "common::child::a_child_plays_the_part_that_it_is_told";
const VARIABLE: &str = "MISARIO_E2E_PART";
/// What the line of a child begins with; the test harness writes others.
const MARK: &str = "@ready ";

/// The user who owns nothing.
const NOBODY: u32 = 65_534;

/// What a child is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// It says hello.
    Echo { word: String },
    /// The embedded authority on the files in a folder.
    Authority { folder: PathBuf },
    /// An embedded authority that cannot start, and says why.
    Refused { folder: PathBuf },
    /// The app `web`, connected to an authority.
    App { url: String, secret: String },
}

/// A child that is ready.
pub(crate) struct Child {
    pub(crate) ready: Value,
    process: Process,
}

impl Child {
    pub(crate) async fn start(part: &Part) -> Self {
        Self::run(part, Command::new(std::env::current_exe().unwrap())).await
    }

    /// As the user `nobody`, who may not do everything; where the tests themselves may not, as who they are.
    pub(crate) async fn start_without_privileges(part: &Part, folder: &Path) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::start(part).await;
        }
        // Where this binary is, nobody else may look.
        let program = folder.join("program");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).chain([folder.to_owned()]) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut command = Command::new(&program);
        command.uid(NOBODY).gid(NOBODY).current_dir(folder);
        Self::run(part, command).await
    }

    async fn run(part: &Part, mut command: Command) -> Self {
        let mut process = command
            .args(["--exact", TEST, "--nocapture"])
            .env(VARIABLE, serde_json::to_string(part).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, said)) = line.split_once(MARK) {
                    return serde_json::from_str(said).unwrap();
                }
            }
            panic!("{part:?} ended before it was ready");
        };
        let ready = tokio::time::timeout(Duration::from_secs(20), said).await.expect("a child is ready in time");
        // Whatever else it says has somewhere to go.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { ready, process }
    }

    /// An authority in a process of its own.
    pub(crate) async fn authority(folder: &Path) -> (Self, Site) {
        let child = Self::start(&Part::Authority { folder: folder.to_owned() }).await;
        let site = Site::new(&child.said("url"), &child.said("secret"));
        (child, site)
    }

    pub(crate) fn said(&self, key: &str) -> String {
        self.ready[key].as_str().unwrap().to_owned()
    }

    /// `kill -9`; returns when it is gone.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Stops the process, and returns once none of its threads runs.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        let stopped = rustix::process::waitid(WaitId::Pid(self.pid()), WaitIdOptions::STOPPED).unwrap();
        assert!(stopped.is_some_and(|status| status.stopped()));
    }

    /// How large its files may become, as if the disk ended there; `None`: no limit.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(Some(self.pid()), Resource::Fsize, limit).unwrap();
    }

    fn pid(&self) -> Pid {
        let id = self.process.id().expect("the child runs");
        Pid::from_raw(id.try_into().unwrap()).unwrap()
    }
}

/// The part that this process was told to play.
fn part() -> Option<Part> {
    #[expect(clippy::disallowed_methods, reason = "a child of a test is told its part by its environment")]
    let told = std::env::var(VARIABLE).ok()?;
    Some(serde_json::from_str(&told).unwrap())
}

/// Whether long tests take their full size.
pub(crate) fn is_soak() -> bool {
    #[expect(clippy::disallowed_methods, reason = "`cargo xtask soak` says so by the environment")]
    std::env::var_os("MISARIO_SOAK").is_some()
}

async fn play(part: Part) -> (Value, Box<dyn std::any::Any>) {
    match part {
        Part::Echo { word } => (json!({ "word": word }), Box::new(())),
        Part::Authority { folder } => {
            // A file at its limit is an error of the write, as on a full disk, and no reason to die.
            let limit = tokio::signal::unix::SignalKind::from_raw(Signal::XFSZ.as_raw());
            let stays = tokio::signal::unix::signal(limit).unwrap();
            let authority = Authority::start(&folder).await;
            let said = json!({ "url": authority.site.url, "secret": authority.site.secret });
            (said, Box::new((authority, stays)))
        }
        Part::Refused { folder } => {
            let error = embedded(&folder).await.err().unwrap();
            (json!({ "code": error.code(), "text": error.to_string() }), Box::new(()))
        }
        Part::App { url, secret } => {
            let app = App::connect(&url, ("web-backend", &secret), "web").await.unwrap();
            (json!({ "url": app.url }), Box::new(app))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_plays_the_part_that_it_is_told() {
    if let Some(part) = part() {
        let (said, _running) = play(part).await;
        println!("{MARK}{said}");
        // Until the parent closes the other end, or is gone.
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        std::process::exit(0);
    }
    let child = Child::start(&Part::Echo { word: "hello".to_owned() }).await;
    assert_eq!(child.said("word"), "hello");
    child.kill().await;
}
