//! `cargo xtask soak`: the tests that grow with the time they are given.
//!
//! A soak test is an ordinary test in a module or test binary whose name begins with `soak`. It runs with every other
//! test at a size that takes seconds; where `MISARIO_SOAK=1` it takes its full size.

use anyhow::Result;

use crate::{
    run::{cargo, run},
    tools,
};

const SOAK_TESTS: &str = "test(/(^|::)soak/) | binary(/^soak/)";

/// Runs the soak tests at full size, in the release profile, one after the other.
pub(crate) fn command(args: &[String]) -> Result<()> {
    tools::cargo_tool(&tools::NEXTEST)?;
    let mut soak = cargo(&["nextest", "run", "--workspace", "--release", "--profile", "soak"]);
    // One at a time: each loads the machine by itself, and a neighbour would blur whose fault a delay is.
    soak.args(["--test-threads", "1", "--no-capture", "--filterset", SOAK_TESTS]).args(args);
    run(soak.env("MISARIO_SOAK", "1"))
}
