//! What a command ends with when it does not end well: one line what, one line why or how to fix it, a stable code.

mod error;

use std::fmt::Display;

use clap::error::ErrorKind;

use crate::config::ConfigErrors;
use crate::output::printable;

pub(crate) use self::error::CliError;

/// A failure in the form that is printed.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Report {
    /// The stable code.
    pub(crate) code: String,
    /// What happened, on one line.
    pub(crate) what: String,
    /// Why, or what to do about it, on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
    /// The exit code of the process.
    #[serde(rename = "exit")]
    pub(crate) exit: u8,
}

/// What is to be said about `error`; a broken configuration has one report per mistake.
pub(crate) fn reports(error: &anyhow::Error) -> Vec<Report> {
    if let Some(errors) = error.downcast_ref::<ConfigErrors>() {
        return errors.0.iter().map(|error| report(error.code(), error, error.fix().as_deref(), 2)).collect();
    }
    vec![error.chain().find_map(known).unwrap_or_else(|| report("internal", &format_args!("{error:#}"), None, 1))]
}

/// What is to be said about arguments that clap does not understand: its message on one line, and what it advises.
pub(crate) fn usage(error: &clap::Error) -> Report {
    let text = error.render().to_string();
    let mut parts = text.split("\n\n").map(str::trim);
    let first = parts.next().unwrap_or_default();
    let what = match error.kind() {
        // clap's own words list the commands that nobody has to know, or are the whole help.
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing",
        _ => first.trim_start_matches("error:"),
    };
    let advice = parts.find_map(|part| part.strip_prefix("tip:").or_else(|| part.strip_prefix("Usage:")));
    report("usage", &what, advice.and_then(|advice| advice.lines().next()), 2)
}

fn known(error: &(dyn std::error::Error + 'static)) -> Option<Report> {
    use misario_core::store::StoreError;
    if let Some(error) = error.downcast_ref::<CliError>() {
        return Some(report(error.code(), error, error.fix().as_deref(), error.exit()));
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return Some(report(error.code(), error, cause(error).as_deref(), 1));
    }
    if let Some(error) = error.downcast_ref::<misario::MasterKeyError>() {
        // Permissions are configuration.
        let exit = if matches!(error, misario::MasterKeyError::Exposed { .. }) { 2 } else { 1 };
        return Some(report(error.code(), error, cause(error).as_deref(), exit));
    }
    if let Some(error) = error.downcast_ref::<misario_tower::ConnectError>() {
        return Some(report(error.code(), error, cause(error).as_deref(), 1));
    }
    if let Some(error) = error.downcast_ref::<misario_server::StartError>() {
        return Some(report(error.code(), error, cause(error).as_deref(), 1));
    }
    if let Some(error) = error.downcast_ref::<misario_server::Error>() {
        return Some(report(error.code(), error, cause(error).as_deref(), 1));
    }
    if let Some(error) = error.downcast_ref::<misario_jose::KeyError>() {
        return Some(report(error.code(), error, None, 1));
    }
    None
}

fn cause(error: &dyn std::error::Error) -> Option<String> {
    error.source().map(ToString::to_string)
}

fn report(code: &str, what: &dyn Display, fix: Option<&str>, exit: u8) -> Report {
    Report { code: code.to_owned(), what: one_line(&what.to_string()), fix: fix.map(one_line), exit }
}

/// A line break in a message of a layer below would break whoever reads line by line.
fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_what_and_one_line_why() {
        let error = anyhow::Error::new(CliError::NoServer { data: "misario-data".into() }).context("app list");
        let [report] = reports(&error).try_into().unwrap();
        assert_eq!((report.code.as_str(), report.exit), ("server_not_found", 2));
        assert!(report.fix.unwrap().contains("--url"));
        let [report] = reports(&anyhow::anyhow!("a\nb")).try_into().unwrap();
        assert_eq!((report.code.as_str(), report.what.as_str()), ("internal", "a b"));
    }
}
