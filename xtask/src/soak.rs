//! `cargo xtask soak`: the tests that grow with the time they are given.
//!
//! A soak test is an ordinary test in a module whose name begins with `soak`. It runs with every other
//! test at a size that takes seconds; where `MISARIO_SOAK=1` it takes its full size.

use anyhow::Result;

use crate::{
    run::{cargo, run},
    tools,
};

const SOAK_TESTS: &str = "test(/(^|::)soak\\w*::/)";

/// Runs the soak tests at full size, one after the other, in the build that all tests use: its overflow checks and
/// debug assertions are what long runs are for.
pub(crate) fn command(args: &[String]) -> Result<()> {
    tools::cargo_tool(&tools::NEXTEST)?;
    let mut soak = cargo(&["nextest", "run", "--workspace", "--profile", "soak"]);
    // One at a time: each loads the machine by itself, and a neighbour would blur whose fault a delay is.
    soak.args(["--test-threads", "1", "--no-capture", "--filterset", SOAK_TESTS]).args(args);
    run(soak.env("MISARIO_SOAK", "1"))
}
