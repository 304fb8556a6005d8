//! What the commands need on the machine: found, else installed, else left out with the reason.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Result, bail};

use crate::run::{cargo, program, run, succeeds};

/// A cargo subcommand at the version the gates were written for.
pub(crate) struct CargoTool {
    name: &'static str,
    version: &'static str,
    install: &'static [&'static str],
}

/// The test runner. Its authors support only builds with the dependencies they locked.
pub(crate) const NEXTEST: CargoTool = CargoTool { name: "cargo-nextest", version: "0.9.151", install: &["--locked"] };
/// The judge of licences and banned crates.
pub(crate) const DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2", install: &[] };
/// The driver of the fuzz targets.
pub(crate) const FUZZ: CargoTool = CargoTool { name: "cargo-fuzz", version: "0.13.2", install: &[] };

/// Whether the commands run where nothing may be left out.
pub(crate) fn on_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// How a line begins that tells of something left out.
pub(crate) const SKIPPED: &str = "SKIPPED ";

/// What was left out since somebody asked last.
static LEFT_OUT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says that `what` is left out; on CI that is an error.
pub(crate) fn skip(what: &str, why: &str) -> Result<()> {
    if on_ci() {
        bail!("{what}: {why} (CI is set, so nothing may be left out; CI=0 leaves it out)");
    }
    let line = format!("{SKIPPED}{what}: {why}");
    // Standard error, where the runner of the stages reads what a command of its own has to say.
    eprintln!("{line}");
    leave_out(line);
    Ok(())
}

/// Keeps a line that tells of something left out, for [`left_out`].
pub(crate) fn leave_out(line: String) {
    LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

/// What was left out since this was asked last.
pub(crate) fn left_out() -> Vec<String> {
    std::mem::take(&mut *LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Makes the cargo subcommand available. Any version that is there is taken: only its absence stops a developer.
pub(crate) fn cargo_tool(tool: &CargoTool) -> Result<()> {
    let subcommand = tool.name.trim_start_matches("cargo-");
    if succeeds(&mut cargo(&[subcommand, "--version"])) {
        return Ok(());
    }
    println!("installing {} {} (some minutes, once)", tool.name, tool.version);
    let mut install = cargo(&["install", tool.name, "--version", tool.version]);
    install.args(tool.install);
    // These tools wait for others most of the time: building them fast matters more than their speed.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    install.env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    run(&mut install)
}

/// Whether code for wasm32 can be built, after trying to add the target.
pub(crate) fn wasm_target() -> bool {
    let installed = || {
        let args = ["--print", "target-libdir", "--target", crate::wasm::TARGET];
        crate::run::capture(&mut program("rustc", &args)).is_ok_and(|dir| Path::new(dir.trim()).is_dir())
    };
    installed() || {
        // The answer is whether the target is there afterwards, whatever rustup says.
        let _ = run(&mut program("rustup", &["target", "add", crate::wasm::TARGET]));
        installed()
    }
}

/// Whether `command` can be called, after trying to install the Debian package that brings it.
pub(crate) fn from_apt(command: &str, package: &str) -> bool {
    if on_path(command) {
        return true;
    }
    if !on_path("apt-get") {
        return false;
    }
    let install = ["install", "-y", "--no-install-recommends", package];
    if apt_get(&install).is_err() {
        // The package lists may be older than the packages on the mirror.
        let _ = apt_get(&["update"]);
        let _ = apt_get(&install);
    }
    on_path(command)
}

/// Whether a program of this name is on the search path.
pub(crate) fn on_path(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

fn apt_get(args: &[&str]) -> Result<()> {
    let mut command = if is_root() {
        program("apt-get", args)
    } else {
        // Never asks: a password prompt would hang where nobody is watching.
        let mut sudo = program("sudo", &["-n", "apt-get"]);
        sudo.args(args);
        sudo
    };
    run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    crate::run::capture(&mut program("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}
