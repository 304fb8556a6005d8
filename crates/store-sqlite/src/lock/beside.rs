//! A lock on the file with the holder's name, where a lock on the database would keep SQLite out: on the BSDs and macOS
//! `flock` and record locks are one, on Windows a locked file cannot be read by another handle.
//!
//! It holds for every symbolic link that leads to the database; not for a hard link, and not after somebody removed
//! the file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::files::{self, Files};

/// A locked database.
#[derive(Debug)]
pub(super) struct Hold(Option<File>);

impl Hold {
    /// Locks the database at `path`, which is made if there is none; `None`: somebody has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        if !path.exists() {
            drop(files::open_private(path)?);
        }
        let file = files::open_private(&Files::of(path)?.holder)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(Some(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the lock on the database itself")]
    pub(super) fn is_of(&self, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.0.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbolic_link_leads_to_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let [path, link, other] = ["a.db", "link.db", "b.db"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let held = Hold::take(&link).unwrap().unwrap();
        assert!(held.is_of(&path).unwrap());
        assert!(Hold::take(&path).unwrap().is_none());
        assert!(Hold::take(&other).unwrap().is_some(), "each database has its own");
        drop(held);
        assert!(Hold::take(&path).unwrap().is_some());
    }
}
