//! The product's binary as a child, and as much HTTP as it takes to ask it something.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A folder of its own for each server; it goes with this value.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("misario-bench-{}-{number}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that is ready.
pub struct Server {
    child: Child,
    /// What it printed when it was.
    pub ready: Value,
}

impl Server {
    /// Starts `misario ARGUMENTS` in the folder and waits until it says that it is ready.
    ///
    /// # Errors
    /// When the binary is not beside this one, or does not become ready.
    pub fn start(folder: &Folder, arguments: &[&str]) -> Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("misario");
        let mut child = Command::new(&binary)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}; `cargo xtask bench` builds it", binary.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let ready = serde_json::from_str(&line).with_context(|| format!("`misario {arguments:?}` is not ready"))?;
        Ok(Self { child, ready })
    }

    /// The JSON that a request is answered with, which has to be a success.
    ///
    /// # Errors
    /// On any other answer.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Result<Value> {
        let host = self.ready["url"].as_str().and_then(|url| url.strip_prefix("http://")).context("no URL")?;
        let mut stream = TcpStream::connect(host)?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("{method} {path}: {head}");
        }
        Ok(serde_json::from_str(body)?)
    }

    /// Stops it as whoever runs services does, and waits for its end.
    ///
    /// # Errors
    /// When it ends otherwise than well.
    pub fn stop(mut self) -> Result<()> {
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status()?;
        ensure!(told.success(), "the server cannot be told to stop");
        let ended = self.child.wait()?;
        ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
