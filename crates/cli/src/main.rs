//! The `misario` binary: files, environment, signals and wiring. What it decides is which parts run and what people
//! read; what is true is decided in the layers below.
//!
//! | module | what is there |
//! |---|---|
//! | `cli` | the arguments as typed |
//! | `commands` | one command, one file |
//! | `config` | `misario.toml` and the environment above it |
//! | `data` | the data folder: master key, `run.json`, `dev.json` |
//! | `host` | a running server: start, listen, stop |
//! | `admin` | the server that a command works through |
//! | `http` | the one HTTP client |
//! | `output`, `failure` | what is printed, and how a command ends |

mod admin;
mod cli;
mod clock;
mod commands;
mod config;
mod data;
mod environment;
mod failure;
mod host;
mod http;
mod output;
mod pem;
mod prompt;
mod secrets;
mod when;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Arguments, Context};
use crate::environment::Environment;
use crate::output::{Form, Output};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    let output = Output::new(if arguments.json { Form::Json } else { Form::Text });
    let context = Context { output, environment: Environment::of_process(), config: arguments.config };
    match commands::run(arguments.command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let reports = failure::reports(&error);
            output.failure(&reports);
            ExitCode::from(reports.first().map_or(1, |report| report.exit))
        }
    }
}

/// Ends as clap would, with 0 for help and version and 2 for arguments that make no command; but whoever asked for JSON
/// is told in JSON.
fn not_understood(error: &clap::Error) -> ExitCode {
    // The arguments did not parse, so the flag has to be looked for.
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let report = failure::usage(error);
        Output::new(Form::Json).failure(std::slice::from_ref(&report));
        return ExitCode::from(report.exit);
    }
    error.exit()
}
