//! `cargo xtask fuzz`: the targets of `fuzz/`, a workspace of its own, because its crates are built for the fuzzer.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    run::{cargo, program, root, run, run_quietly, succeeds},
    tools,
};

/// What libFuzzer may spend: one input that needs more is a finding.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// Fuzzes the named targets, or all of them, for the seconds after `--smoke` each.
pub(crate) fn command(args: &[String]) -> Result<()> {
    let Some(at) = args.iter().position(|arg| arg == "--smoke") else {
        bail!("usage: cargo xtask fuzz [TARGET...] --smoke SECS (for longer: `cargo +nightly fuzz run TARGET`)");
    };
    let seconds: u32 = args.get(at + 1).and_then(|text| text.parse().ok()).context("--smoke needs seconds")?;
    let named: Vec<&str> = args[..at].iter().chain(args.iter().skip(at + 2)).map(String::as_str).collect();
    smoke(&named, seconds)
}

/// Fuzzes each target for `seconds`; no names means all.
pub(crate) fn smoke(named: &[&str], seconds: u32) -> Result<()> {
    if !tools::from_apt("c++", "g++") {
        return tools::skip("fuzzing", "libFuzzer needs a C++ compiler (apt-get install g++)");
    }
    tools::cargo_tool(&tools::FUZZ)?;
    let known = targets()?;
    if let Some(unknown) = named.iter().find(|name| !known.iter().any(|target| target == *name)) {
        bail!("no fuzz target `{unknown}`; there are: {}", known.join(", "));
    }
    run(fuzz("build").args(["--sanitizer", "none"]))?;
    for target in known.iter().filter(|target| named.is_empty() || named.contains(&target.as_str())) {
        run_target(target, seconds)?;
    }
    Ok(())
}

fn run_target(target: &str, seconds: u32) -> Result<()> {
    let corpus = format!("fuzz/corpus/{target}");
    let seeds = format!("fuzz/seeds/{target}");
    fs::create_dir_all(root().join(&corpus))?;
    let mut call = fuzz("run");
    call.args(["--sanitizer", "none", target, &corpus]);
    if root().join(&seeds).is_dir() {
        call.arg(&seeds);
    }
    call.arg("--").arg(format!("-max_total_time={seconds}")).args(LIMITS);
    // The fuzzer tells of every input it likes, which would bury everything else on a page.
    let closing = run_quietly(&mut call)
        .with_context(|| format!("fuzz target {target}; the input is in fuzz/artifacts/{target}"))?;
    println!("{target}: {closing}");
    Ok(())
}

/// A `cargo fuzz` call with a compiler that may instrument: a nightly, else this one told to accept it.
///
/// The sanitizers are off: our code holds no `unsafe`, and they do not see into the C code of the cryptography.
fn fuzz(verb: &str) -> Command {
    // The product's lints are judged by the stable compiler; a nightly's opinion of them is not asked.
    let lints = ("RUSTFLAGS", "--cap-lints warn");
    let place = ["--fuzz-dir", "fuzz", "--target-dir", "target/fuzz"];
    if succeeds(&mut program("rustup", &["run", "nightly", "rustc", "--version"])) {
        let mut call = program("rustup", &["run", "nightly", "cargo", "fuzz", verb]);
        call.args(place).env(lints.0, lints.1);
        call
    } else {
        let mut call = cargo(&["fuzz", verb]);
        call.args(place).env(lints.0, lints.1).env("RUSTC_BOOTSTRAP", "1");
        call
    }
}

fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        names.extend(entry?.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}
