//! Settings as they were written: a path, a raw value, and where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::error::ConfigError;
use super::keys::{self, Kind};

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A line of a configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// An argument of the command.
    Argument {
        /// Its name.
        name: &'static str,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => f.write_str(variable),
            Self::Argument { name } => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value before anybody asked what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A list of texts.
    List(Vec<String>),
    /// Something that no setting takes.
    Other {
        /// As it was written, shortened.
        shown: String,
        /// Its type with article.
        kind: &'static str,
    },
}

impl Raw {
    /// The value for a message.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Number(number) => number.to_string(),
            Self::List(texts) => format!("{texts:?}"),
            Self::Other { shown, .. } => shown.clone(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::List(_) => "a list",
            Self::Other { kind, .. } => kind,
        }
    }
}

/// One setting as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// `["app", "web", "mode"]`.
    pub(crate) path: Vec<String>,
    /// Its value.
    pub(crate) value: Raw,
    /// Where it stands.
    pub(crate) at: Origin,
}

impl Leaf {
    /// `app.web.mode`.
    pub(crate) fn key(&self) -> String {
        self.path.join(".")
    }

    /// The value, if it is a text.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.value {
            Raw::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Settings that exist, with values of their type.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, Leaf>);

impl Values {
    /// Keeps what is a setting of the right type; the rest becomes a problem.
    pub(crate) fn checked(leaves: Vec<Leaf>, problems: &mut Vec<ConfigError>) -> Self {
        let mut values = BTreeMap::new();
        for leaf in leaves {
            match keys::find(&leaf.path) {
                None => problems.push(unknown(&leaf)),
                Some(key) if !fits(key.kind, &leaf.value) => problems.push(wrong_type(&leaf, key.kind)),
                Some(_) => drop(values.insert(leaf.key(), leaf)),
            }
        }
        Self(values)
    }

    /// The setting, if somebody wrote it.
    pub(crate) fn get(&self, key: &str) -> Option<&Leaf> {
        self.0.get(key)
    }

    /// The names below `section`, in order, with the place of the first setting of each.
    pub(crate) fn names(&self, section: &str) -> Vec<(String, Origin)> {
        let mut names: BTreeMap<String, Origin> = BTreeMap::new();
        for leaf in self.0.values().filter(|leaf| leaf.path.first().is_some_and(|first| first == section)) {
            if let Some(name) = leaf.path.get(1) {
                let first = names.entry(name.clone()).or_insert_with(|| leaf.at.clone());
                *first = leaf.at.clone().min(first.clone());
            }
        }
        names.into_iter().collect()
    }
}

fn fits(kind: Kind, value: &Raw) -> bool {
    match kind {
        Kind::Text | Kind::Duration | Kind::Secret => matches!(value, Raw::Text(_)),
        Kind::Number => matches!(value, Raw::Number(_)),
        Kind::List => matches!(value, Raw::List(_)),
    }
}

fn wrong_type(leaf: &Leaf, kind: Kind) -> ConfigError {
    // A secret of the wrong type is still a secret.
    let value = if kind == Kind::Secret { "(not shown)".to_owned() } else { leaf.value.shown() };
    let (at, key) = (leaf.at.clone(), leaf.key());
    ConfigError::WrongType { at, key, value, found: leaf.value.kind(), expected: kind.expected() }
}

fn unknown(leaf: &Leaf) -> ConfigError {
    let (near, known) = keys::suggest(&leaf.path);
    ConfigError::UnknownKey { at: leaf.at.clone(), key: leaf.key(), near, known }
}
