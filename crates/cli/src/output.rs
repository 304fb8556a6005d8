//! What a command prints: for people by default, one JSON value with `--json`. Results go to standard output,
//! everything else to standard error, so that a pipe sees results only.

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::failure::Report;

/// Good news, in colour on a terminal.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What names something.
pub(crate) const NAME: Style = Style::new().bold();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    form: Form,
}

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs: one JSON value per command on one line.
    Json,
}

impl Output {
    /// Output in this form.
    pub(crate) const fn new(form: Form) -> Self {
        Self { form }
    }

    /// Prints a command's result: `value` as JSON, or what `text` writes. A reader that is gone is no failure, and no
    /// success either: what the command found out decides how it ends.
    pub(crate) fn result<T: Serialize + ?Sized>(
        self,
        value: &T,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        let written = match self.form {
            Form::Json => serde_json::to_string(value).map_err(Into::into).and_then(|json| writeln!(out, "{json}")),
            Form::Text => text(&mut out),
        };
        heard(written.and_then(|()| out.flush())).map(drop)
    }

    /// Says something beside the result, for programs as for people.
    pub(crate) fn note(self, text: &str) {
        let mut out = anstream::stderr();
        // Nobody to tell when standard error is closed.
        let _ = match self.form {
            Form::Text => writeln!(out, "{FAINT}{text}{FAINT:#}"),
            Form::Json => writeln!(out, "{}", serde_json::json!({ "note": text })),
        };
    }

    /// Says why the command fails.
    pub(crate) fn failure(self, reports: &[Report]) {
        let mut out = anstream::stderr().lock();
        for report in reports {
            let written = match self.form {
                Form::Json => writeln!(out, "{}", serde_json::json!({ "error": report })),
                Form::Text => failure_text(&mut out, report),
            };
            if written.is_err() {
                return;
            }
        }
    }

    /// A line that says how far a long command is; only on a terminal.
    pub(crate) fn progress(self) -> Progress {
        Progress { shown: self.form == Form::Text && io::stderr().is_terminal() }
    }
}

/// Whether somebody still reads our standard output; whoever closed it has read enough (`misario … | head`). Only for
/// what was written there: any other pipe that breaks is an error.
pub(crate) fn heard(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

fn failure_text(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{BAD}error{BAD:#}: {} {FAINT}[{}]{FAINT:#}", report.what, report.code)?;
    match &report.fix {
        Some(fix) => writeln!(out, "  {fix}"),
        None => Ok(()),
    }
}

/// One line on the terminal that is written over and over.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    /// Shows `text` in place of what stood there.
    pub(crate) fn at(&self, text: &str) {
        if self.shown {
            let _ = write!(anstream::stderr(), "\r\x1b[K{FAINT}{text}{FAINT:#}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}

/// `text` without what a terminal obeys or what turns the reading order round, each such character being shown as the
/// replacement character. Whatever comes from a token, a key, a request or a server is somebody else's text, and its
/// author may want the operator to read something else than what is there.
pub(crate) fn printable(text: &str) -> String {
    let turns =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Rows under a heading, each column as wide as it needs.
pub(crate) fn table(out: &mut dyn Write, heading: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|text| text.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    writeln!(out, "{NAME}{}{NAME:#}", line(&mut heading.iter().copied()))?;
    for row in &rows {
        writeln!(out, "{}", line(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut out = Vec::new();
        let rows = vec![vec!["web".to_owned(), "session".to_owned()], vec!["service".to_owned(), "jwt".to_owned()]];
        table(&mut out, &["app", "mode"], &rows).unwrap();
        let plain = anstream::adapter::strip_bytes(&out).into_vec();
        assert_eq!(String::from_utf8(plain).unwrap(), "app      mode\nweb      session\nservice  jwt\n");
    }

    #[test]
    fn what_a_terminal_obeys_is_not_printed() {
        assert_eq!(printable("a\u{1b}[2J\u{9b}b\r\n\u{202e}é"), "a\u{fffd}[2J\u{fffd}b\u{fffd}\u{fffd}\u{fffd}é");
        let mut out = Vec::new();
        table(&mut out, &["device"], &[vec!["\u{1b}]0;x\u{7}".to_owned()]]).unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with("\n\u{fffd}]0;x\u{fffd}\n"));
    }
}
