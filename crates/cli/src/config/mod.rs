//! `misario.toml` and the environment above it, as one set of settings that can work, each with its origin.
//!
//! Reading is strict: an unknown key, a wrong type or a combination that can never work ends the command with exit
//! code 2, and names the file and line, the key, the value and the reason. All mistakes are told at once.

mod apps;
mod duration;
mod environment;
mod error;
mod file;
mod keys;
mod near;
mod policies;
mod reader;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use apps::written as app_as_written;
pub(crate) use duration::text as duration_text;
pub(crate) use error::{ConfigError, ConfigErrors};
pub(crate) use settings::{Defaults, Settings, Shown};
pub(crate) use value::Origin;

use std::path::Path;

use crate::environment::Environment;

/// The file that is read when none is named.
pub(crate) const FILE: &str = "misario.toml";

/// The settings that `file` and the environment make, above what the command has by default.
pub(crate) fn load(
    file: Option<&Path>,
    environment: &Environment,
    defaults: &Defaults,
) -> Result<Settings, ConfigErrors> {
    let mut problems = Vec::new();
    let mut leaves = match file.map(file::read) {
        None => Vec::new(),
        Some(Ok(leaves)) => leaves,
        Some(Err(problem)) => return Err(ConfigErrors(vec![problem])),
    };
    environment::overlay(environment, &mut leaves, &mut problems);
    let values = value::Values::checked(leaves, &mut problems);
    settings::build(values, defaults, problems)
}
