//! An app in a second process, which knows the server by `connect` only.

use std::process::Stdio;

use misario_core::secret::SecretText;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::stage::Stage;
use crate::data::run_file::Credential;
use crate::failure::CliError;
use crate::http::Base;

/// The process; it ends when this is dropped.
pub(super) struct SecondProcess {
    child: Child,
    /// Where it listens.
    pub(super) base: Base,
}

impl SecondProcess {
    /// Starts the app `app` beside the server of `stage`, as this client, and waits until it answers checks.
    pub(super) async fn start(stage: &Stage, app: &str, client: &Credential) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("internal-demo-app")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        // Standard input, because every user of the machine can read arguments.
        let told = json!({
            "url": stage.base.as_str(), "app": app,
            "client": client.id, "secret": client.secret.expose(),
        });
        let told = SecretText::new(format!("{told}\n"));
        // It stays open: the process ends when it is closed, even if this one is killed.
        if let Some(stdin) = child.stdin.as_mut() {
            stdin.write_all(told.expose().as_bytes()).await?;
        }
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).await?;
        }
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let Some(url) = said["url"].as_str() else {
            return Err(process("did not start").into());
        };
        Ok(Self { base: Base::parse(url)?, child })
    }

    /// Stops the process as a debugger or a frozen container does, and returns when it stands still.
    pub(super) async fn freeze(&self) -> anyhow::Result<()> {
        let pid = self.signal(Signal::STOP)?;
        let stopped = move || waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT);
        tokio::task::spawn_blocking(stopped).await??;
        Ok(())
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<Pid> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let pid = pid.ok_or_else(|| process("has ended"))?;
        kill_process(pid, signal)?;
        Ok(pid)
    }
}

fn process(why: &str) -> CliError {
    CliError::DemoProcess { why: why.to_owned() }
}
