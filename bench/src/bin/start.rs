//! From the command to a server that is ready, and to the first answer that somebody who signed in gets.
//!
//! The time begins when the process is started and ends when its line says that it is ready, or when the answer was
//! read. A first start makes the master key, the store and the signing key; `dev` hashes its users' passwords as well,
//! and a sign-in hashes one, which is meant to be slow.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use misario_bench::{Contestant, Folder, Group, Options, Report, Server};
use serde_json::json;

const CONFIG: &str = "issuer = \"http://127.0.0.1:8420\"\n[app.api]\nmode = \"jwt\"\ntransports = [\"bearer\"]\n";
const SERVE: [&str; 4] = ["serve", "--listen", "127.0.0.1:0", "--json"];
const DEV: [&str; 4] = ["dev", "--listen", "127.0.0.1:0", "--json"];

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let mut report = Report::new(&options);
    let served = started_once(&SERVE)?;
    let tried = started_once(&DEV)?;
    let first =
        |arguments, until| move || timed(&folder().expect("a folder"), arguments, until).expect("a first start");
    Group::new(
        "serve",
        vec![
            Contestant::timed("restart, ready", || timed(&served, &SERVE, Until::Ready).expect("a restart")),
            Contestant::timed("first, ready", first(&SERVE, Until::Ready)),
        ],
    )
    .measure(&options, &mut report);
    Group::new(
        "dev",
        vec![
            Contestant::timed("restart, ready", || timed(&tried, &DEV, Until::Ready).expect("a restart")),
            Contestant::timed("restart, first 200", || timed(&tried, &DEV, Until::Authorised).expect("a restart")),
            Contestant::timed("first, ready", first(&DEV, Until::Ready)),
            Contestant::timed("first, first 200", first(&DEV, Until::Authorised)),
        ],
    )
    .measure(&options, &mut report);
    report.finish(&options)
}

/// When the clock stops.
#[derive(Clone, Copy)]
enum Until {
    /// The server says that it is ready.
    Ready,
    /// A user of `dev` has signed in, and their token was accepted.
    Authorised,
}

fn folder() -> Result<Folder> {
    let folder = Folder::new()?;
    fs::write(folder.path().join("misario.toml"), CONFIG)?;
    Ok(folder)
}

fn started_once(arguments: &[&str]) -> Result<Folder> {
    let folder = folder()?;
    Server::start(&folder, arguments)?.stop()?;
    Ok(folder)
}

fn timed(folder: &Folder, arguments: &[&str], until: Until) -> Result<Duration> {
    let start = Instant::now();
    let server = Server::start(folder, arguments)?;
    if let Until::Authorised = until {
        authorised(&server)?;
    }
    let took = start.elapsed();
    server.stop()?;
    Ok(took)
}

fn authorised(server: &Server) -> Result<()> {
    let users = server.ready["users"].as_array().context("no users")?;
    let alice = users.iter().find(|user| user["username"] == "alice").context("no alice")?;
    let body = json!({ "app": "service", "username": "alice", "password": alice["password"], "transport": "bearer" });
    let login = server.ask("POST", "/v1/login", "content-type: application/json\r\n", &body.to_string())?;
    let token = login["access_token"].as_str().context("no token")?;
    let headers = format!("misario-app: service\r\nauthorization: Bearer {token}\r\n");
    let me = server.ask("GET", "/v1/me", &headers, "")?;
    me["subject"].as_str().context("nobody").map(drop)
}
