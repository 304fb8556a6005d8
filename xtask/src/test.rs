//! `cargo xtask test`: what the tests need is installed or started, then all of them run.

use anyhow::{Context, Result, bail};

use crate::{
    run::{capture, cargo, program, root, run, target_dir},
    tools,
};

/// The sources of the browser tests; the folder may be absent.
const BROWSER: &str = "interop/browser";

/// The release of Node that `interop/browser/package.json` asks for: distributions may have an older one.
const NODE: u32 = 20;

/// Runs every test; with arguments, only those that the test runner selects by them.
pub(crate) fn command(args: &[String]) -> Result<()> {
    tools::cargo_tool(&tools::NEXTEST)?;
    if !args.is_empty() {
        return run(nextest().args(args));
    }
    if !tools::from_apt("curl", "curl") {
        // Not left out: what `misario dev` prints to be pasted is half of what a newcomer does first.
        bail!("the tests paste lines with curl into a shell, and apt cannot add it: install curl");
    }
    run(&mut nextest())?;
    portable_backend()?;
    run(&mut cargo(&["test", "--doc", "--workspace", "--quiet"]))?;
    browser()
}

fn nextest() -> std::process::Command {
    let profile = if tools::on_ci() { "ci" } else { "default" };
    cargo(&["nextest", "run", "--workspace", "--profile", profile])
}

/// The tokens' tests once more, on the cryptography that the wasm build uses.
///
/// A folder of its own: the flag concerns every crate, so in the shared one each run would rebuild all of them.
fn portable_backend() -> Result<()> {
    println!("jose on the portable backend:");
    let mut tests = cargo(&["nextest", "run", "--package", "misario-jose", "--target-dir", "target/portable"]);
    // What must not compile does not depend on the backend, and takes longer than all others together.
    tests.args(["--filterset", "not test(/^misuse::/)"]).env("RUSTFLAGS", "--cfg misario_portable");
    run(&mut tests)
}

/// The tests that need a real browser: the built binary, driven by Node and Chromium.
fn browser() -> Result<()> {
    let folder = root().join(BROWSER);
    if !folder.is_dir() {
        return Ok(());
    }
    if !tools::from_apt("node", "nodejs") || !tools::from_apt("npm", "npm") {
        return tools::skip("browser tests", "node and npm are not installed and apt cannot add them");
    }
    if !node_is_at_least(NODE)? {
        return tools::skip("browser tests", &format!("node is older than {NODE}, which they are written for"));
    }
    if !tools::from_apt("chromium", "chromium") {
        return tools::skip("browser tests", "chromium is not installed and apt cannot add it");
    }
    run(&mut cargo(&["build", "--workspace", "--bin", "misario"]))?;
    let install = if folder.join("package-lock.json").is_file() { "ci" } else { "install" };
    run(program("npm", &[install, "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let binary = target_dir().join("debug/misario");
    if !binary.is_file() {
        bail!("{} was not built", binary.display());
    }
    let mut tests = program("npm", &["test", "--silent"]);
    tests.current_dir(&folder).env("MISARIO_BIN", binary);
    run(&mut tests).context("browser tests")
}

/// Whether the Node on the search path is of this release or a later one.
fn node_is_at_least(release: u32) -> Result<bool> {
    let version = capture(&mut program("node", &["--version"]))?;
    Ok(major(&version).is_some_and(|found| found >= release))
}

/// The release of `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_node_is_read_from_what_it_prints() {
        assert_eq!([major("v20.11.1\n"), major("v8.0.0"), major("20"), major("")], [Some(20), Some(8), None, None]);
    }
}
