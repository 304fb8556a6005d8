//! One command, one file.

pub(crate) mod app;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod internal;
pub(crate) mod keys;
mod published;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod token;
pub(crate) mod user;

use serde_json::Value;

use crate::admin::{Admin, segment};
use crate::cli::{Command, Context};

/// Does what was typed.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Dev(args) => wait(dev::run(args, context)),
        Command::Serve(args) => wait(serve::run(args, context)),
        Command::App(command) => wait(app::run(command, context)),
        Command::User(command) => wait(user::run(command, context)),
        Command::Client(command) => wait(client::run(command, context)),
        Command::Session(command) => wait(session::run(command, context)),
        Command::Config(command) => wait(config::run(&command, context)),
        Command::Demo(command) => wait(demo::run(command, context)),
        Command::Keys(command) => wait(keys::run(command, context)),
        Command::InternalDemoApp => wait(internal::app::run(context)),
        Command::InternalGen { topic } => internal::generate(topic, context),
        Command::Token(command) => wait(token::run(command, context)),
    }
}

/// Runs a command that talks to a server.
fn wait(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Everything that a listing holds, page by page.
async fn pages(admin: &Admin, path: &str, name: &str) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut next = path.to_owned();
    loop {
        let mut page = admin.get(&next).await?;
        if let Value::Array(items) = page[name].take() {
            found.extend(items);
        }
        match page["next"].as_str() {
            Some(after) => next = format!("{path}&after={}", segment(after)),
            None => return Ok(found),
        }
    }
}
