//! `misario.toml` as a list of settings with their lines.

use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::value::{Leaf, Origin, Raw};

/// The settings written in the file, in no particular order.
pub(crate) fn read(path: &Path) -> Result<Vec<Leaf>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse(path, &text)
}

/// As [`read`], with the text at hand.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Vec<Leaf>, ConfigError> {
    let place = Place { path: path.to_owned(), text };
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        at: place.at(error.span().map_or(0, |span| span.start)),
        problem: error.message().to_owned(),
    })?;
    let mut leaves = Vec::new();
    place.walk(table.get_ref(), &mut Vec::new(), &mut leaves);
    Ok(leaves)
}

struct Place<'t> {
    path: PathBuf,
    text: &'t str,
}

impl Place<'_> {
    fn at(&self, offset: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(offset);
        Origin::File { path: self.path.clone(), line: 1 + before.filter(|byte| **byte == b'\n').count() }
    }

    fn walk(&self, table: &DeTable<'_>, above: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        for (name, value) in table {
            above.push(name.get_ref().to_string());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => self.walk(inner, above, leaves),
                // An empty section says nothing, unless it is a name: `[app.web]` alone lacks its mode.
                DeValue::Table(_) if above.len() < 2 => {}
                other => leaves.push(Leaf { path: above.clone(), value: raw(other), at: self.at(name.span().start) }),
            }
            above.pop();
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    let other = |shown: &str, kind| Raw::Other { shown: shown.to_owned(), kind };
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| other(number.as_str(), "a number beyond all bounds"), Raw::Number),
        DeValue::Float(number) => other(number.as_str(), "a fraction"),
        DeValue::Boolean(flag) => other(if *flag { "true" } else { "false" }, "a truth value"),
        DeValue::Datetime(moment) => other(&moment.to_string(), "a date"),
        DeValue::Table(_) => other("[…]", "a section"),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            });
            texts.collect::<Option<_>>().map_or_else(|| other("[…]", "a list of something else than texts"), Raw::List)
        }
    }
}
