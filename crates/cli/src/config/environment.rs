//! `MISARIO_SECTION__KEY`: the environment above the file.

use super::error::ConfigError;
use super::keys::{self, Kind};
use super::near;
use super::value::{Leaf, Origin, Raw};
use crate::environment::Environment;

/// What follows `MISARIO_` where no section is named: two settings, and what is no setting.
const SINGLE: [&str; 7] = ["ISSUER", "LEEWAY", "LOG", "CONFIG", "ADMIN_TOKEN", "ADMIN_TOKEN_FILE", "PASSWORD_FILE"];

/// Puts the settings of the environment in place of those of the file.
pub(crate) fn overlay(environment: &Environment, leaves: &mut Vec<Leaf>, problems: &mut Vec<ConfigError>) {
    for (name, value) in environment.iter() {
        let Some(path) = path(name, leaves) else {
            problems.extend(misspelt(name));
            continue;
        };
        let at = Origin::Environment { variable: name.to_owned() };
        let leaf = Leaf { value: raw(&path, value), path, at };
        leaves.retain(|written| written.path != leaf.path);
        leaves.push(leaf);
    }
}

/// The setting that a variable names; `None` when it names none.
fn path(name: &str, leaves: &[Leaf]) -> Option<Vec<String>> {
    let rest = name.strip_prefix("MISARIO_")?.to_ascii_lowercase();
    if !rest.contains("__") {
        return matches!(rest.as_str(), "issuer" | "leeway").then(|| vec![rest]);
    }
    let mut path: Vec<String> = rest.split("__").map(str::to_owned).collect();
    // Shells allow no hyphen in a variable's name, app names have hyphens and no underscores.
    if path.len() == 3 && matches!(path[0].as_str(), "app" | "policy") {
        let written = leaves.iter().filter(|leaf| leaf.path.len() == 3 && leaf.path[0] == path[0]);
        let meant = written.map(|leaf| &leaf.path[1]).find(|known| known.replace('-', "_") == path[1]);
        path[1] = meant.cloned().unwrap_or_else(|| path[1].replace('_', "-"));
    }
    Some(path)
}

/// A variable's text in the type of the setting that it names.
fn raw(path: &[String], value: &str) -> Raw {
    match keys::find(path).map(|key| key.kind) {
        Some(Kind::List) => {
            Raw::List(value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
        }
        Some(Kind::Number) => value.trim().parse().map_or_else(|_| Raw::Text(value.to_owned()), Raw::Number),
        _ => Raw::Text(value.to_owned()),
    }
}

/// A single word that is no variable of ours is somebody else's, unless it is nearly one.
fn misspelt(name: &str) -> Option<ConfigError> {
    let word = name.strip_prefix("MISARIO_")?;
    if SINGLE.contains(&word) {
        return None;
    }
    near::closest(word, &SINGLE).map(|near| ConfigError::UnknownKey {
        at: Origin::Environment { variable: name.to_owned() },
        key: name.to_owned(),
        near: Some(format!("MISARIO_{near}")),
        known: SINGLE.join(", "),
    })
}
