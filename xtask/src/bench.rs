//! `cargo xtask bench`: the benchmarks of `bench/`, a workspace of its own, so that peers stay out of our lock file.
//!
//! Each binary prints a table with ratios and writes the same figures to `bench/results/NAME.json`. The ratios count:
//! they come from one run with the contestants interleaved, so a machine that changes its speed changes all of them.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, root, run};

const MANIFEST: &str = "bench/Cargo.toml";

/// The benchmark that starts the product's binary, which is built beside it.
const OF_THE_BINARY: &str = "start";

/// Runs the named benchmarks, or all of them; `--smoke` only shows that they run.
pub(crate) fn command(args: &[String]) -> Result<()> {
    let smoke = args.iter().any(|arg| arg == "--smoke");
    let named: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--smoke").collect();
    let known = benchmarks()?;
    if let Some(unknown) = named.iter().find(|name| !known.iter().any(|bench| bench == *name)) {
        bail!("no benchmark `{unknown}`; there are: {}", known.join(", "));
    }
    let chosen = known.iter().filter(|bench| named.is_empty() || named.contains(&bench.as_str()));
    for bench in chosen {
        measure(bench, smoke)?;
    }
    Ok(())
}

fn measure(bench: &str, smoke: bool) -> Result<()> {
    let results = root().join("bench/results");
    fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
    let json = results.join(format!("{bench}.json"));
    if bench == OF_THE_BINARY {
        let mut build = cargo(&["build", "--quiet", "--package", "misario-cli", "--target-dir", "target"]);
        if !smoke {
            build.arg("--release");
        }
        run(&mut build)?;
    }
    let mut call = cargo(&["run", "--quiet", "--manifest-path", MANIFEST, "--target-dir", "target"]);
    if !smoke {
        call.arg("--release");
    }
    call.args(["--bin", bench, "--", "--json"]).arg(&json);
    if smoke {
        call.arg("--smoke");
    }
    run(&mut call)?;
    println!("figures: {}", json.display());
    Ok(())
}

/// The names of the binaries in `bench/src/bin`, sorted.
fn benchmarks() -> Result<Vec<String>> {
    let folder = root().join("bench/src/bin");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
