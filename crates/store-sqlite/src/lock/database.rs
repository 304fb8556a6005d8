//! `flock(2)` on the database. On Linux it and the record locks (`fcntl`) that SQLite takes on the same file do not see
//! each other.
//!
//! Closing *any* descriptor of a file gives up every record lock that the process has on it (POSIX.1, `close`), SQLite's
//! included. A stranger's `sqlite3` would then take itself for the file's last user, and remove the write-ahead log from
//! under this store. So the locked descriptor is closed after SQLite's last one; and that this very process has the
//! store already is found out without opening the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use parking_lot::Mutex;

use crate::files;

/// The databases that this process has, each with the descriptors that may not be closed before it is given back: the
/// locked one first.
static HELD: Mutex<BTreeMap<Inode, Vec<File>>> = Mutex::new(BTreeMap::new());

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Inode {
    device: u64,
    number: u64,
}

impl From<Metadata> for Inode {
    fn from(metadata: Metadata) -> Self {
        Self { device: metadata.dev(), number: metadata.ino() }
    }
}

/// A locked database.
#[derive(Debug)]
pub(super) struct Hold(Inode);

impl Hold {
    /// Locks the database at `path`, which is made if there is none; `None`: somebody has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut held = HELD.lock();
        if fs::metadata(path).is_ok_and(|found| held.contains_key(&found.into())) {
            return Ok(None);
        }
        let file = files::open_private(path)?;
        match held.entry(file.metadata()?.into()) {
            // It got that name just now.
            Entry::Occupied(mut entry) => {
                entry.get_mut().push(file);
                Ok(None)
            }
            Entry::Vacant(entry) => match file.try_lock() {
                Ok(()) => {
                    let inode = *entry.key();
                    entry.insert(vec![file]);
                    Ok(Some(Self(inode)))
                }
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            },
        }
    }

    pub(super) fn is_of(&self, path: &Path) -> io::Result<bool> {
        Ok(Inode::from(fs::metadata(path)?) == self.0)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            HELD.lock().remove(&self.0);
        }
    }
}
