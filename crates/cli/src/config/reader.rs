//! Settings one by one: what is written, what is effective, what is wrong.

use std::str::FromStr;
use std::time::Duration;

use super::duration;
use super::error::ConfigError;
use super::settings::Shown;
use super::value::{Leaf, Origin, Raw, Values};

/// Reads settings one by one, collecting what is wrong and what is effective.
pub(super) struct Reader {
    /// The settings as written.
    pub(super) values: Values,
    /// What is wrong so far.
    pub(super) problems: Vec<ConfigError>,
    /// What is effective so far.
    pub(super) shown: Vec<Shown>,
}

impl Reader {
    /// Where the setting is written.
    pub(super) fn place(&self, key: &str) -> Option<Origin> {
        self.values.get(key).map(|leaf| leaf.at.clone())
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, problem: ConfigError) {
        self.problems.push(problem);
    }

    /// Notes that the written value can never work.
    pub(super) fn invalid(&mut self, key: &str, why: String) {
        let (at, key, value) = self.written(key);
        self.problem(ConfigError::Invalid { at, key, value, why });
    }

    /// Notes that the written value leaves a door open.
    pub(super) fn unsafe_value(&mut self, key: &str, why: &'static str) {
        let (at, key, value) = self.written(key);
        self.problem(ConfigError::Unsafe { at, key, value, why });
    }

    /// Notes that the written value is known by name only.
    pub(super) fn not_available(&mut self, key: &str, available: &'static str) {
        let (at, key, value) = self.written(key);
        self.problem(ConfigError::NotAvailable { at, key, value, available });
    }

    fn written(&self, key: &str) -> (Origin, String, String) {
        let leaf = self.values.get(key);
        let at = leaf.map_or(Origin::Default, |leaf| leaf.at.clone());
        let secret = key.ends_with(".secret");
        let value =
            leaf.map_or_else(String::new, |leaf| if secret { "(not shown)".into() } else { leaf.value.shown() });
        (at, key.to_owned(), value)
    }

    /// Notes an effective value, with the place it is written at if it is.
    pub(super) fn shown(&mut self, key: &str, value: &str) {
        let origin = self.place(key).unwrap_or(Origin::Default).to_string();
        self.shown.retain(|shown| shown.key != key);
        self.shown.push(Shown { key: key.to_owned(), value: value.to_owned(), origin });
    }

    /// The text, if it is written.
    pub(super) fn written_text(&mut self, key: &str) -> Option<String> {
        let text = self.values.get(key).and_then(Leaf::text)?;
        self.shown(key, &text);
        Some(text)
    }

    /// Puts the written text into `into`.
    pub(super) fn text(&mut self, key: &str, into: &mut String) {
        if let Some(text) = self.written_text(key) {
            *into = text;
        }
    }

    /// Puts what is written into `into`, if it can be read as such.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display> + ToString>(&mut self, key: &str, into: &mut T) {
        match self.written_text(key).map(|text| text.parse::<T>()) {
            None => self.shown(key, &into.to_string()),
            Some(Ok(value)) => *into = value,
            Some(Err(error)) => self.invalid(key, error.to_string()),
        }
    }

    /// What is written, which has to be.
    pub(super) fn required<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        key: &str,
        at: &Origin,
        why: &'static str,
    ) -> Option<T> {
        let Some(text) = self.written_text(key) else {
            self.problem(ConfigError::Missing { at: at.clone(), key: key.to_owned(), why });
            return None;
        };
        text.parse().map_err(|error: T::Err| self.invalid(key, error.to_string())).ok()
    }

    /// The list that is written, which has to be.
    pub(super) fn required_list<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        key: &str,
        at: &Origin,
        why: &'static str,
    ) -> Option<Vec<T>> {
        if self.values.get(key).is_none() {
            self.problem(ConfigError::Missing { at: at.clone(), key: key.to_owned(), why });
            return None;
        }
        self.list(key)
    }

    /// The list that is written, or an empty one; `None` when an item cannot be read.
    pub(super) fn list<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<Vec<T>> {
        let items = match self.values.get(key).map(|leaf| &leaf.value) {
            Some(Raw::List(items)) => items.clone(),
            _ => return Some(Vec::new()),
        };
        self.shown(key, &items.join(", "));
        let mut read = Vec::new();
        for item in &items {
            match item.parse() {
                Ok(value) => read.push(value),
                Err(error) => self.invalid(key, format!("{item:?}: {error}")),
            }
        }
        (read.len() == items.len()).then_some(read)
    }

    /// Puts the written duration into `into`.
    pub(super) fn duration(&mut self, key: &str, into: &mut Duration) {
        match self.written_text(key).map(|text| duration::parse(&text)) {
            None => self.shown(key, &duration::text(*into)),
            Some(Some(value)) => *into = value,
            Some(None) => self.invalid(key, duration::FORM.to_owned()),
        }
    }

    /// Puts the written duration into `into`, in seconds.
    pub(super) fn seconds(&mut self, key: &str, into: &mut u64) {
        let mut value = Duration::from_secs(*into);
        self.duration(key, &mut value);
        if value.subsec_millis() != 0 {
            self.invalid(key, "it is counted in whole seconds".to_owned());
        }
        *into = value.as_secs();
    }

    /// The written number, if it is one to count with.
    pub(super) fn count(&mut self, key: &str) -> Option<u32> {
        let leaf = self.values.get(key)?;
        let Raw::Number(number) = leaf.value else { return None };
        let count = u32::try_from(number).ok().filter(|count| *count > 0);
        if count.is_none() {
            self.invalid(key, "a whole number from 1; leave it out for no limit".to_owned());
        }
        count
    }
}
