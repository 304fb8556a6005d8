//! The arguments as typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{app, client, config, demo, dev, internal, keys, serve, session, token, user};
use crate::config::FILE;
use crate::environment::Environment;
use crate::output::Output;

/// Sign-in state for your apps: JWTs, sessions, or both, checked locally and revoked everywhere.
#[derive(Debug, Parser)]
#[command(
    name = "misario",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 usage or configuration.\n\
                  Settings come from misario.toml and, above it, MISARIO_SECTION__KEY; logging by MISARIO_LOG."
)]
pub(crate) struct Arguments {
    /// Print one JSON value instead of text; failures too, on standard error
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// The configuration file [default: misario.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "MISARIO_CONFIG", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine, with demo apps, demo users and lines to paste
    Dev(dev::Args),
    /// Run the server
    Serve(serve::Args),
    /// What users log in to
    #[command(subcommand)]
    App(app::Command),
    /// People who sign in here
    #[command(subcommand)]
    User(user::Command),
    /// Everything that signs in without being a person
    #[command(subcommand)]
    Client(client::Command),
    /// Logins
    #[command(subcommand)]
    Session(session::Command),
    /// Check and show the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Signing keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Issue, verify, explain and revoke tokens
    #[command(subcommand)]
    Token(token::Command),
    /// See the promises kept, on a running server
    #[command(subcommand)]
    Demo(demo::Command),
    /// The app of a demonstration
    #[command(hide = true)]
    InternalDemoApp,
    /// Files that are made from code
    #[command(hide = true)]
    InternalGen {
        /// Which
        topic: internal::Topic,
    },
}

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where results go.
    pub(crate) output: Output,
    /// The environment.
    pub(crate) environment: Environment,
    /// The configuration file that was named.
    pub(crate) config: Option<PathBuf>,
}

impl Context {
    /// The configuration file to read: the one named, else `misario.toml` if it is there.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        self.config.clone().or_else(|| Some(PathBuf::from(FILE)).filter(|standard| standard.exists()))
    }
}
