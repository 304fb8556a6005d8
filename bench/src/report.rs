//! The table on the screen and the JSON beside it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Serialize;

/// What the command line asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Run everything once, to show that it runs; the figures mean nothing.
    pub smoke: bool,
    /// Where the figures go as JSON.
    json: Option<PathBuf>,
}

impl Options {
    /// Reads `[--smoke] [--json FILE]`.
    ///
    /// # Errors
    /// On anything else.
    pub fn from_args() -> Result<Self> {
        let mut options = Self::default();
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--smoke" => options.smoke = true,
                "--json" => options.json = Some(args.next().context("--json needs a file")?.into()),
                other => bail!("unknown argument `{other}`; usage: [--smoke] [--json FILE]"),
            }
        }
        Ok(options)
    }
}

/// The figures of one contestant.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) group: &'static str,
    pub(crate) contestant: &'static str,
    pub(crate) nanos: f64,
    /// Time as a multiple of the group's first contestant.
    pub(crate) ratio: f64,
    /// Absent where the work is another process's.
    pub(crate) allocations: Option<u64>,
    pub(crate) turns: usize,
}

/// The figures of all groups.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    smoke: bool,
    lines: Vec<Line>,
}

impl Report {
    /// An empty report.
    pub fn new(options: &Options) -> Self {
        Self { smoke: options.smoke, lines: Vec::new() }
    }

    pub(crate) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Prints the table, and writes the JSON file if one was asked for.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(&self, options: &Options) -> Result<()> {
        if self.smoke {
            println!("smoke run: the figures mean nothing");
        }
        println!("{:<16}{:<24}{:>12}{:>10}{:>13}", "task", "by", "ns", "ratio", "allocations");
        let mut group = "";
        for line in &self.lines {
            let shown = if line.group == group { "" } else { line.group };
            group = line.group;
            let Line { contestant, nanos, ratio, .. } = line;
            let allocations = line.allocations.map_or_else(|| "-".to_owned(), |count| count.to_string());
            println!("{shown:<16}{contestant:<24}{nanos:>12.0}{ratio:>10.2}{allocations:>13}");
        }
        if let Some(path) = &options.json {
            let text = serde_json::to_string_pretty(self)?;
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
