//! `cargo xtask layers`: dependencies point down only.
//!
//! Judged on normal and build dependencies; what tests use may point anywhere. A package without a row in [`ROWS`]
//! is refused, so that a crate cannot join the workspace without a place in the layers.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    run::{capture, cargo},
    tools, wasm,
};

/// Where a package stands: what of ours it may depend on, and whether it may use `anyhow`.
struct Row {
    package: &'static str,
    below: &'static [&'static str],
    anyhow: bool,
}

const fn row(package: &'static str, below: &'static [&'static str]) -> Row {
    Row { package, below, anyhow: false }
}

/// The layers, lowest first. Whoever may use `core` may name `jose` too: its types are in core's signatures.
const ROWS: &[Row] = &[
    row("misario-jose", &[]),
    row("misario-core", &["misario-jose"]),
    row("misario-store-sqlite", &["misario-core", "misario-jose"]),
    row("misario-store-redis", &["misario-core", "misario-jose"]),
    row("misario-store-postgres", &["misario-core", "misario-jose"]),
    row("misario-tower", &["misario-core", "misario-jose"]),
    row("misario-server", &["misario-tower", "misario-core", "misario-jose"]),
    row("misario-gateway", &["misario-tower", "misario-core", "misario-jose"]),
    row("misario-edge", &["misario-core", "misario-jose"]),
    row("misario", BELOW_MISARIO),
    Row { package: "misario-cli", below: BELOW_CLI, anyhow: true },
    row("misario-testkit", &["misario-core", "misario-jose"]),
    Row { package: "xtask", below: &[], anyhow: true },
];

const BELOW_MISARIO: &[&str] = &[
    "misario-server",
    "misario-gateway",
    "misario-tower",
    "misario-store-sqlite",
    "misario-store-redis",
    "misario-store-postgres",
    "misario-core",
    "misario-jose",
];

const BELOW_CLI: &[&str] = &[
    "misario",
    "misario-server",
    "misario-gateway",
    "misario-edge",
    "misario-tower",
    "misario-store-sqlite",
    "misario-store-redis",
    "misario-store-postgres",
    "misario-core",
    "misario-jose",
];

/// A dependency tree and what it must not hold.
struct Tree {
    what: &'static str,
    args: &'static [&'static str],
    without: &'static [&'static str],
}

/// What reads a clock, a socket or the machine's randomness.
const HOSTLY: &[&str] = &[
    "tokio",
    "hyper",
    "hyper-util",
    "mio",
    "socket2",
    "async-std",
    "smol",
    "rustix",
    "nix",
    "getrandom",
    "rand",
    "fastrand",
    "chrono",
    "time",
    "jiff",
    "web-time",
    "wasm-bindgen",
    "js-sys",
    "reqwest",
    "tracing",
    "anyhow",
];

const TREES: &[Tree] = &[
    Tree { what: "jose", args: &["-p", "misario-jose"], without: HOSTLY },
    Tree { what: "core", args: &["-p", "misario-core"], without: HOSTLY },
    Tree { what: "jose for wasm", args: &["-p", "misario-jose", "--target", wasm::TARGET], without: HOSTLY },
    Tree { what: "core for wasm", args: &["-p", "misario-core", "--target", wasm::TARGET], without: HOSTLY },
    Tree {
        what: "an app that only connects",
        args: &["-p", "misario", "--no-default-features", "--features", "connect"],
        without: &["misario-server", "misario-store-sqlite", "rusqlite", "libsqlite3-sys", "argon2"],
    },
];

/// Checks the dependency graph, then the imports of the wasm build.
pub(crate) fn command(args: &[String]) -> Result<()> {
    if let Some(unknown) = args.first() {
        bail!("`layers` takes no argument, found `{unknown}`");
    }
    graph()?;
    if tools::wasm_target() {
        wasm::check()
    } else {
        tools::skip("wasm imports", "the target wasm32-unknown-unknown is not installed and rustup cannot add it")
    }
}

/// Checks who depends on whom.
pub(crate) fn graph() -> Result<()> {
    let metadata = capture(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut faults = Vec::new();
    for package in packages {
        judge(package, &mut faults)?;
    }
    for tree in TREES {
        let found = names_in(tree)?;
        let wrong = tree.without.iter().filter(|name| found.contains(**name));
        faults.extend(wrong.map(|name| format!("{} holds `{name}` (see `cargo tree -i {name}`)", tree.what)));
    }
    if !faults.is_empty() {
        bail!("layers:\n  {}", faults.join("\n  "));
    }
    println!("layers: {} packages, {} dependency trees, all pointing down", packages.len(), TREES.len());
    Ok(())
}

fn judge(package: &Value, faults: &mut Vec<String>) -> Result<()> {
    let name = package["name"].as_str().context("a package without name")?;
    let manifest = package["manifest_path"].as_str().context("a package without manifest")?;
    let row = if manifest.contains("/examples/") {
        // An example shows what an app writes, and an app adds one crate.
        &Row { package: "an example", below: &["misario"], anyhow: true }
    } else if let Some(row) = ROWS.iter().find(|row| row.package == name) {
        row
    } else {
        faults.push(format!("{name} has no row in the layer table"));
        return Ok(());
    };
    for dependency in package["dependencies"].as_array().context("a package without dependencies")? {
        let on = dependency["name"].as_str().context("a dependency without name")?;
        // `kind` is null for normal dependencies.
        let for_tests = dependency["kind"] == "dev";
        let ours = on == "misario" || on == "xtask" || on.starts_with("misario-");
        if !for_tests && ours && !row.below.contains(&on) {
            faults.push(format!("{name} may not depend on {on}"));
        }
        if !for_tests && on == "anyhow" && !row.anyhow {
            faults.push(format!("{name} may not depend on anyhow: a library names its errors"));
        }
    }
    Ok(())
}

fn names_in(tree: &Tree) -> Result<BTreeSet<String>> {
    let mut list = cargo(&["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let lines = capture(list.args(tree.args))?;
    let names: BTreeSet<String> =
        lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    if names.is_empty() {
        bail!("cargo tree says nothing about {}", tree.what);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::judge;

    fn package(name: &str, on: &str, kind: Option<&str>) -> Value {
        json!({
            "name": name,
            "manifest_path": format!("/src/crates/{name}/Cargo.toml"),
            "dependencies": [{ "name": on, "kind": kind }],
        })
    }

    fn faults(package: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        judge(package, &mut faults).unwrap();
        faults
    }

    #[test]
    fn a_dependency_that_points_up_is_named() {
        let up = package("misario-core", "misario-tower", None);
        assert_eq!(faults(&up), ["misario-core may not depend on misario-tower"]);
        let up = package("misario-core", "misario-tower", Some("build"));
        assert_eq!(faults(&up), ["misario-core may not depend on misario-tower"]);
    }

    #[test]
    fn tests_may_use_what_the_crate_may_not() {
        assert!(faults(&package("misario-core", "misario-testkit", Some("dev"))).is_empty());
        assert!(!faults(&package("misario-core", "misario-testkit", None)).is_empty());
    }

    #[test]
    fn a_package_without_a_place_is_refused() {
        assert_eq!(faults(&package("misario-utils", "serde", None)), ["misario-utils has no row in the layer table"]);
    }

    #[test]
    fn only_the_binaries_use_anyhow() {
        assert!(faults(&package("misario-cli", "anyhow", None)).is_empty());
        assert!(!faults(&package("misario-server", "anyhow", None)).is_empty());
    }
}
