//! What went wrong below, and what the contract calls it.

use std::error::Error;
use std::io;
use std::sync::Arc;

use misario_core::store::StoreError;
use rusqlite::{ErrorCode, ffi};

/// Something failed. It can be given to everybody whose write was in the same transaction.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// SQLite says so.
    Driver(Arc<rusqlite::Error>),
    /// What was read is not what was written.
    Damaged { what: &'static str, source: Arc<dyn Error + Send + Sync> },
    /// A file beside SQLite's.
    Io(Arc<io::Error>),
    /// The file is somebody else's.
    Foreign,
    /// The file is of a later version.
    Version { found: u32, known: u32 },
    /// An fsync failed before; see [`Failure::is_fatal`].
    Unsynced,
    /// The store was closed, or one of its threads has ended.
    Closed,
}

/// The reasons that have no error of their own below.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("an fsync failed, so it is not known what the disk holds; the store has to be opened again")]
    Unsynced,
    #[error("the store was closed")]
    Closed,
}

impl Failure {
    pub(crate) fn damaged(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Damaged { what, source: Arc::from(source.into()) }
    }

    /// Whether nothing may be written after this. When an fsync fails, the kernel may have dropped the pages and call
    /// the next fsync a success: whoever goes on acknowledges what is not there.
    pub(crate) fn is_fatal(&self) -> bool {
        match self {
            Self::Driver(error) => {
                matches!(extended(error), Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
            }
            Self::Unsynced => true,
            _ => false,
        }
    }

    pub(crate) fn to_store_error(&self) -> StoreError {
        match self {
            Self::Driver(error) => driver(error),
            Self::Damaged { what, source } => StoreError::Corrupt { what, source: Some(Box::new(Arc::clone(source))) },
            Self::Io(error) => match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
                _ => StoreError::unavailable(Arc::clone(error)),
            },
            Self::Foreign => StoreError::Foreign,
            Self::Version { found, known } => StoreError::Version { found: *found, known: *known },
            Self::Unsynced => StoreError::unavailable(Reason::Unsynced),
            Self::Closed => StoreError::unavailable(Reason::Closed),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Driver(Arc::new(error))
    }
}

impl From<rusqlite::types::FromSqlError> for Failure {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::damaged("row", error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

fn driver(error: &Arc<rusqlite::Error>) -> StoreError {
    let damaged = |what| StoreError::Corrupt { what, source: Some(Box::new(Arc::clone(error))) };
    let unavailable = || StoreError::unavailable(Arc::clone(error));
    let Some(code) = error.sqlite_error_code() else {
        // Rows of the wrong shape: a type, a range or a text that this store never writes.
        return match **error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..) => damaged("row"),
            _ => unavailable(),
        };
    };
    match (code, extended(error)) {
        // The index of the write-ahead log cannot grow: there is no room for it.
        (ErrorCode::DiskFull, _) | (_, Some(ffi::SQLITE_IOERR_SHMSIZE)) => StoreError::Full,
        // Not a matter of permissions: somebody took the file away while it was open.
        (_, Some(ffi::SQLITE_READONLY_DBMOVED)) => unavailable(),
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => StoreError::ReadOnly,
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)
        | (_, Some(ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS)) => damaged("file"),
        _ => unavailable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> Failure {
        Failure::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn each_failure_of_the_driver_has_its_code() {
        for (code, expected) in [
            (ffi::SQLITE_FULL, "store_full"),
            (ffi::SQLITE_IOERR_SHMSIZE, "store_full"),
            (ffi::SQLITE_READONLY, "store_read_only"),
            (ffi::SQLITE_READONLY_DIRECTORY, "store_read_only"),
            (ffi::SQLITE_READONLY_DBMOVED, "store_unavailable"),
            (ffi::SQLITE_PERM, "store_read_only"),
            (ffi::SQLITE_CORRUPT, "store_corrupt"),
            (ffi::SQLITE_CORRUPT_INDEX, "store_corrupt"),
            (ffi::SQLITE_NOTADB, "store_corrupt"),
            (ffi::SQLITE_IOERR_SHORT_READ, "store_corrupt"),
            (ffi::SQLITE_IOERR_WRITE, "store_unavailable"),
            (ffi::SQLITE_IOERR_FSYNC, "store_unavailable"),
            (ffi::SQLITE_BUSY, "store_unavailable"),
            (ffi::SQLITE_NOMEM, "store_unavailable"),
        ] {
            assert_eq!(of(code).to_store_error().code(), expected, "{code}");
        }
        assert_eq!(Failure::from(rusqlite::Error::QueryReturnedNoRows).to_store_error().code(), "store_corrupt");
        let io = |kind| Failure::from(io::Error::from(kind)).to_store_error().code();
        assert_eq!(io(io::ErrorKind::PermissionDenied), "store_read_only");
        assert_eq!(io(io::ErrorKind::ReadOnlyFilesystem), "store_read_only");
        assert_eq!(io(io::ErrorKind::StorageFull), "store_full");
        assert_eq!(io(io::ErrorKind::NotFound), "store_unavailable");
    }

    #[test]
    fn only_a_failed_fsync_is_fatal() {
        for (code, fatal) in [
            (ffi::SQLITE_IOERR_FSYNC, true),
            (ffi::SQLITE_IOERR_DIR_FSYNC, true),
            (ffi::SQLITE_IOERR_WRITE, false),
            (ffi::SQLITE_FULL, false),
            (ffi::SQLITE_CORRUPT, false),
        ] {
            assert_eq!(of(code).is_fatal(), fatal, "{code}");
        }
        assert!(Failure::Unsynced.is_fatal());
    }

    #[test]
    fn the_wire_text_names_no_path() {
        let message = Some("unable to open database file: /srv/misario/misario.db".to_owned());
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), message);
        assert!(!Failure::from(error).to_store_error().to_string().contains("srv"));
    }
}
