//! Why a configuration is refused.

use std::path::PathBuf;

use misario_core::app::InvalidApp;

use super::value::Origin;

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} mistakes", .0.len())]
pub(crate) struct ConfigErrors(pub(crate) Vec<ConfigError>);

/// One mistake in a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{at}: {problem}")]
    Syntax {
        /// Where.
        at: Origin,
        /// What the parser said.
        problem: String,
    },
    /// There is no such setting.
    #[error("{at}: there is no setting {key}")]
    UnknownKey {
        /// Where.
        at: Origin,
        /// What was written.
        key: String,
        /// A setting that looks like it.
        near: Option<String>,
        /// The settings of that place.
        known: String,
    },
    /// A value has another type than its setting.
    #[error("{at}: {key} = {value} is {found}, and the setting takes {expected}")]
    WrongType {
        /// Where.
        at: Origin,
        /// The setting.
        key: String,
        /// The value as written.
        value: String,
        /// Its type.
        found: &'static str,
        /// The type the setting has, with an example.
        expected: &'static str,
    },
    /// A value that can never work.
    #[error("{at}: {key} = {value} cannot work")]
    Invalid {
        /// Where.
        at: Origin,
        /// The setting.
        key: String,
        /// The value as written.
        value: String,
        /// Why not.
        why: String,
    },
    /// A setting that has no default is not there.
    #[error("{at}: {key} is missing")]
    Missing {
        /// Where it ought to be.
        at: Origin,
        /// The setting.
        key: String,
        /// Why there is no default.
        why: &'static str,
    },
    /// A value that this version knows by name only.
    #[error("{at}: {key} = {value} is not available in this version")]
    NotAvailable {
        /// Where.
        at: Origin,
        /// The setting.
        key: String,
        /// The value as written.
        value: String,
        /// What is.
        available: &'static str,
    },
    /// A value that works and leaves a door open.
    #[error("{at}: {key} = {value} is unsafe")]
    Unsafe {
        /// Where.
        at: Origin,
        /// The setting.
        key: String,
        /// The value as written.
        value: String,
        /// What could happen, and what to set instead.
        why: &'static str,
    },
    /// An app's settings contradict each other.
    #[error("{at}: {error}")]
    App {
        /// Where the app is.
        at: Origin,
        /// The contradiction.
        error: InvalidApp,
    },
    /// The file that holds a secret cannot be read.
    #[error("{at}: {key}: cannot read {}: {source}", path.display())]
    SecretUnreadable {
        /// Where.
        at: Origin,
        /// The setting.
        key: String,
        /// The file with the secret.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ConfigError {
    /// Code and meaning of each error, for the operator's documentation.
    pub(crate) const CODES: &'static [(&'static str, &'static str)] = &[
        ("config_unreadable", "The configuration file cannot be read."),
        ("config_syntax", "The configuration file is not TOML."),
        ("config_unknown_key", "There is no such setting; a near miss is suggested."),
        ("config_wrong_type", "A value has another type than its setting."),
        ("config_invalid", "A value can never work; the message says why."),
        ("config_missing", "A setting without a default is not there."),
        ("config_not_available", "A value that this version knows by name only."),
        ("config_unsafe", "A value works and leaves a door open; `serve` refuses it."),
        ("config_secret_unreadable", "A file that holds a secret cannot be read."),
    ];

    /// The stable code of this error.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Syntax { .. } => "config_syntax",
            Self::UnknownKey { .. } => "config_unknown_key",
            Self::WrongType { .. } => "config_wrong_type",
            Self::Invalid { .. } => "config_invalid",
            Self::Missing { .. } => "config_missing",
            Self::NotAvailable { .. } => "config_not_available",
            Self::Unsafe { .. } => "config_unsafe",
            Self::App { error, .. } => error.code(),
            Self::SecretUnreadable { .. } => "config_secret_unreadable",
        }
    }

    /// Why, or what to write instead.
    pub(crate) fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "name the file with --config".to_owned(),
            Self::UnknownKey { near: Some(near), .. } => format!("did you mean {near}?"),
            Self::UnknownKey { known, .. } => format!("there are: {known}"),
            Self::Invalid { why, .. } => why.clone(),
            Self::Missing { why, .. } | Self::Unsafe { why, .. } => (*why).to_owned(),
            Self::NotAvailable { available, .. } => (*available).to_owned(),
            Self::Syntax { .. } | Self::WrongType { .. } | Self::App { .. } | Self::SecretUnreadable { .. } => {
                return None;
            }
        })
    }
}
