//! `cargo xtask ci`: the gates, cheapest first, each with a time budget, and one table at the end.
//!
//! The first stage that fails ends the run. The budgets are for two cores and an empty target folder; they inform, they
//! do not fail: a slow machine is no fault of a change.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    bench, fuzz, generate, layers,
    run::{cargo, root, run, shown},
    tools, wasm,
};

/// A gate. What it returns is repeated below the table, where it is seen without scrolling.
struct Stage {
    name: &'static str,
    budget: Duration,
    gate: fn() -> Result<Vec<String>>,
}

const fn stage(name: &'static str, minutes: u64, gate: fn() -> Result<Vec<String>>) -> Stage {
    Stage { name, budget: Duration::from_secs(minutes * 60), gate }
}

/// The sum of the budgets stays below forty minutes.
const STAGES: &[Stage] = &[
    stage("tools", 8, install_tools),
    stage("format", 1, format),
    stage("layers", 1, || layers::graph().map(nothing)),
    stage("licences", 1, licences),
    stage("clippy", 4, clippy),
    stage("docs", 2, docs),
    stage("generated", 2, || generate::command(&["--check".to_owned()]).map(nothing)),
    stage("tests", 10, tests),
    stage("wasm", 2, wasm_imports),
    stage("examples", 2, examples),
    stage("fuzz", 5, || fuzz::smoke(&[], FUZZ_SECONDS).map(nothing)),
    stage("bench", 2, || bench::command(&["--smoke".to_owned()]).map(nothing)),
];

/// Per target. Enough to meet what a handful of inputs would; long runs are somebody's decision.
const FUZZ_SECONDS: u32 = 10;

/// Cargo workspaces beside the product's, held to the same format and to no warning either.
const OTHER_WORKSPACES: [&str; 2] = ["bench/Cargo.toml", "fuzz/Cargo.toml"];

struct Ran {
    name: &'static str,
    budget: Duration,
    used: Duration,
    outcome: &'static str,
}

/// Runs all stages in order, or those that are named.
pub(crate) fn command(args: &[String]) -> Result<()> {
    if let Some(unknown) = args.iter().find(|arg| !STAGES.iter().any(|stage| stage.name == arg.as_str())) {
        let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        bail!("no stage `{unknown}`; there are: {}", names.join(", "));
    }
    let chosen = STAGES.iter().filter(|stage| args.is_empty() || args.iter().any(|arg| arg == stage.name));
    let mut ran = Vec::new();
    let mut closing = Vec::new();
    let mut failure = None;
    for stage in chosen {
        println!("\n=== {} (budget {}) ===", stage.name, minutes(stage.budget));
        let start = Instant::now();
        let result = (stage.gate)();
        let left_out = tools::left_out();
        let outcome = outcome(result.is_ok(), &left_out);
        closing.extend(left_out);
        ran.push(Ran { name: stage.name, budget: stage.budget, used: start.elapsed(), outcome });
        match result {
            Ok(lines) => closing.extend(lines),
            Err(error) => {
                failure = Some(error.context(format!("stage `{}` failed", stage.name)));
                break;
            }
        }
    }
    print_table(&ran);
    for line in closing {
        println!("{line}");
    }
    failure.map_or(Ok(()), Err)
}

/// A stage that left something out says so where its success is read.
const fn outcome(passed: bool, left_out: &[String]) -> &'static str {
    match (passed, left_out.is_empty()) {
        (true, true) => "passed",
        (true, false) => "SKIPPED in part",
        (false, _) => "FAILED",
    }
}

fn print_table(ran: &[Ran]) {
    println!("\n{:<12}{:>10}{:>10}  outcome", "stage", "budget", "used");
    for Ran { name, budget, used, outcome } in ran {
        let note = if used > budget { ", over its budget" } else { "" };
        println!("{name:<12}{:>10}{:>10}  {outcome}{note}", minutes(*budget), minutes(*used));
    }
    let budget = ran.iter().map(|stage| stage.budget).sum();
    let used = ran.iter().map(|stage| stage.used).sum();
    println!("{:<12}{:>10}{:>10}", "all", minutes(budget), minutes(used));
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

fn nothing((): ()) -> Vec<String> {
    Vec::new()
}

fn install_tools() -> Result<Vec<String>> {
    tools::cargo_tool(&tools::NEXTEST)?;
    tools::cargo_tool(&tools::DENY)?;
    tools::cargo_tool(&tools::FUZZ)?;
    if !tools::wasm_target() {
        tools::skip("wasm target", "rustup cannot add wasm32-unknown-unknown")?;
    }
    Ok(Vec::new())
}

fn format() -> Result<Vec<String>> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    for manifest in OTHER_WORKSPACES {
        run(&mut cargo(&["fmt", "--manifest-path", manifest, "--check"]))?;
    }
    Ok(Vec::new())
}

fn licences() -> Result<Vec<String>> {
    // Duplicate versions are told by `cargo deny check bans`; here they would bury what fails.
    run(&mut cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])).map(nothing)
}

fn clippy() -> Result<Vec<String>> {
    // After `--`, not in RUSTFLAGS: those would make every dependency a different build from that of the tests.
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    let mut connect = cargo(&["clippy", "--package", "misario", "--no-default-features", "--features", "connect"]);
    run(connect.args(["--quiet", "--", "-D", "warnings"]))?;
    if !tools::from_apt("c++", "g++") {
        return tools::skip("clippy on fuzz/ and bench/", "libFuzzer needs a C++ compiler (apt-get install g++)")
            .map(nothing);
    }
    for manifest in OTHER_WORKSPACES {
        // With the examples: the one that writes the fuzz targets' seeds is built by nothing else.
        let mut other = cargo(&["clippy", "--manifest-path", manifest, "--all-targets", "--target-dir", "target"]);
        run(other.args(["--quiet", "--", "-D", "warnings"]))?;
    }
    Ok(Vec::new())
}

fn docs() -> Result<Vec<String>> {
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    run(docs.env("RUSTDOCFLAGS", "-D warnings")).map(nothing)
}

/// The README's second command, as a newcomer types it.
fn tests() -> Result<Vec<String>> {
    run_keeping(&mut cargo(&["xtask", "test"]), " tests run:")
}

fn wasm_imports() -> Result<Vec<String>> {
    if tools::wasm_target() {
        wasm::check().map(nothing)
    } else {
        tools::skip("wasm", "rustup cannot add wasm32-unknown-unknown").map(nothing)
    }
}

fn examples() -> Result<Vec<String>> {
    run(&mut cargo(&["build", "--workspace", "--examples", "--quiet"]))?;
    let Ok(folder) = std::fs::read_dir(root().join("examples")) else {
        return Ok(Vec::new());
    };
    let mut manifests: Vec<_> = folder.filter_map(|entry| Some(entry.ok()?.path().join("Cargo.toml"))).collect();
    manifests.sort();
    for manifest in manifests.iter().filter(|manifest| manifest.is_file()) {
        let mut build = cargo(&["build", "--quiet", "--target-dir", "target", "--manifest-path"]);
        run(build.arg(manifest))?;
    }
    Ok(Vec::new())
}

/// Runs the command with its output shown and returns the lines of its standard error that hold `mark`; what it left
/// out counts as left out here.
fn run_keeping(command: &mut Command, mark: &str) -> Result<Vec<String>> {
    println!("$ {}", shown(command));
    let mut child =
        command.stderr(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
    let mut kept = Vec::new();
    for line in BufReader::new(child.stderr.take().context("no standard error")?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        if line.starts_with(tools::SKIPPED) {
            tools::leave_out(line);
        } else if line.contains(mark) {
            kept.push(line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_left_something_out_did_not_just_pass() {
        let mut child = Command::new("sh");
        child.args(["-c", "echo 'SKIPPED browser tests: no node' >&2; echo '7 tests run: 7 passed' >&2"]);
        assert_eq!(run_keeping(&mut child, " tests run:").unwrap(), ["7 tests run: 7 passed"]);
        let left_out = tools::left_out();
        assert_eq!(left_out, ["SKIPPED browser tests: no node"]);
        assert_eq!(outcome(true, &left_out), "SKIPPED in part");
        assert_eq!((outcome(true, &[]), outcome(false, &left_out)), ("passed", "FAILED"));
        assert!(tools::left_out().is_empty());
    }
}
