//! The project's door: one command each to test, measure, generate and judge this repository.
//!
//! It builds nothing that ships. It calls cargo and the tools around it, installs those it may, and says what it left
//! out and why; where `CI=true`, leaving something out is a failure.
//!
//! | file | command |
//! |---|---|
//! | `test` | `cargo xtask test`: everything the tests need, then all tests |
//! | `ci` | `cargo xtask ci`: the gates, in order, with time used |
//! | `layers`, `wasm` | `cargo xtask layers`: who may depend on whom, and what the wasm imports |
//! | `generate` | `cargo xtask gen`: files made from code |
//! | `bench` | `cargo xtask bench`: figures beside those of peers |
//! | `soak` | `cargo xtask soak`: long faults and load |
//! | `fuzz` | `cargo xtask fuzz`: everything that parses, against arbitrary bytes |
//! | `tools`, `run` | what the above need on the machine, and how a program is called |

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a development tool talks to its user, reads the environment and times its stages"
)]

mod bench;
mod ci;
mod fuzz;
mod generate;
mod layers;
mod run;
mod soak;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [ARGS]          install or start what the tests need, then run all of them
                       (with ARGS: only `cargo nextest run --workspace ARGS`)
  ci [STAGE...]        every gate, in order (or only those named)
  layers               dependencies point down only; the wasm build imports nothing
  gen [--check]        write the generated files; with --check: fail if one would change
  bench [NAME...] [--smoke]
                       run the benchmarks; with --smoke: only show that they run
  soak [FILTER...]     the long tests, with faults and load
  fuzz [TARGET...] --smoke SECS
                       fuzz every target (or those named) for SECS seconds each";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((command, rest)) = args.split_first() else {
        bail!("no command\n\n{USAGE}");
    };
    match command.as_str() {
        "test" => test::command(rest),
        "ci" => ci::command(rest),
        "layers" => layers::command(rest),
        "gen" => generate::command(rest),
        "bench" => bench::command(rest),
        "soak" => soak::command(rest),
        "fuzz" => fuzz::command(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("unknown command `{other}`\n\n{USAGE}"),
    }
}
