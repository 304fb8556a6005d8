//! What can go wrong with a store.

use std::error::Error;

type Source = Box<dyn Error + Send + Sync>;

/// The store could not answer. Never "not found", never "logged out": whoever gets this knows nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, or it failed.
    #[error("the store does not answer")]
    Unavailable {
        /// What the driver said.
        #[source]
        source: Source,
    },
    /// It did not answer in time.
    #[error("the store did not answer within {after_ms} ms")]
    Timeout {
        /// How long was waited.
        after_ms: u64,
    },
    /// There is no room for another write; what is stored can still be read.
    #[error("the store is full: free space on its disk; nothing that was acknowledged is lost")]
    Full,
    /// It may not be written to.
    #[error("the store is read-only: check the permissions of its file and folder")]
    ReadOnly,
    /// Another process has it.
    #[error("the store is in use by {holder}; one process may have it: connect to that server instead")]
    Locked {
        /// The other process, as far as it left its name.
        holder: String,
    },
    /// What is stored makes no sense.
    #[error("the store holds a damaged {what}; restore it from a backup")]
    Corrupt {
        /// Which kind of thing.
        what: &'static str,
        /// What the reader said.
        #[source]
        source: Option<Source>,
    },
    /// The file is another program's.
    #[error("the store's file belongs to another program; nothing in it was changed")]
    Foreign,
    /// It was written by a version of misario that this one does not know.
    #[error("the store has format {found}, this version knows formats up to {known}; use a newer misario")]
    Version {
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// A value is larger than any store has to take.
    #[error("a {what} of {size} octets is larger than the limit of {limit}")]
    TooLarge {
        /// Which kind of thing.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl StoreError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        (
            "store_unavailable",
            "The store cannot be reached or failed; requests that need it get 503 and nobody is logged out.",
        ),
        ("store_timeout", "The store did not answer in time."),
        ("store_full", "The store's disk is full; nothing that was acknowledged is lost."),
        ("store_read_only", "The store's file or folder may not be written."),
        ("store_locked", "Another process has the store; connect to that server instead."),
        ("store_corrupt", "Something stored makes no sense; restore it from a backup."),
        ("store_foreign", "The store's file belongs to another program; it was left as it is."),
        ("store_version", "The store was written by a newer misario."),
        ("store_value_too_large", "A value is larger than any store has to take."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "store_unavailable",
            Self::Timeout { .. } => "store_timeout",
            Self::Full => "store_full",
            Self::ReadOnly => "store_read_only",
            Self::Locked { .. } => "store_locked",
            Self::Corrupt { .. } => "store_corrupt",
            Self::Foreign => "store_foreign",
            Self::Version { .. } => "store_version",
            Self::TooLarge { .. } => "store_value_too_large",
        }
    }

    /// The store failed, as `source` tells.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { source: source.into() }
    }
}
