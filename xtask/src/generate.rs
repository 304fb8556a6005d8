//! `cargo xtask gen`: files in the repository that are made from code.
//!
//! To add one, add a row to [`GENERATORS`]: the file, and the command that prints its whole content.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run::{capture, program, root};

/// A file and the command line that prints its content.
struct Generator {
    file: &'static str,
    command: &'static [&'static str],
}

const GENERATORS: &[Generator] = &[
    Generator { file: "docs/errors.md", command: &misario("errors") },
    Generator { file: "docs/public-routes.md", command: &misario("public-routes") },
];

/// The binary's own word on `topic`: only it links everything there is.
const fn misario(topic: &'static str) -> [&'static str; 8] {
    ["cargo", "run", "--quiet", "--package", "misario-cli", "--", "internal-gen", topic]
}

/// Writes every generated file, or with `--check` fails if one differs from what would be written.
pub(crate) fn command(args: &[String]) -> Result<()> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask gen [--check]"),
    };
    let mut stale = Vec::new();
    for generator in GENERATORS {
        let content = content(generator).with_context(|| format!("cannot generate {}", generator.file))?;
        let path = root().join(generator.file);
        if fs::read_to_string(&path).is_ok_and(|present| present == content) {
            println!("{}: unchanged", generator.file);
        } else if check {
            stale.push(generator.file);
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
            println!("{}: written", generator.file);
        }
    }
    if !stale.is_empty() {
        bail!("not what the code says: {}; run `cargo xtask gen` and commit", stale.join(", "));
    }
    println!("{} generated files", GENERATORS.len());
    Ok(())
}

fn content(generator: &Generator) -> Result<String> {
    let (name, args) = generator.command.split_first().context("a generator without a command")?;
    let content = capture(&mut program(name, args))?;
    if content.trim().is_empty() {
        bail!("the generator printed nothing");
    }
    Ok(content)
}
