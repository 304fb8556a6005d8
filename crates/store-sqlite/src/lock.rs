//! One process per store: a lock on the database itself, held for the life of the store, with the holder's name beside it.
//!
//! SQLite's own locks would let a second process in between two writes. It would keep a registry of its own and grant
//! leases that the barriers of the first know nothing of. The lock is on the file and not on a name, because one file
//! has many names: links, and whatever was moved or removed while the store was open.

// Elsewhere a lock of this kind and SQLite's own would keep each other out; see `beside`.
#[cfg(any(not(target_os = "linux"), test))]
mod beside;
#[cfg(target_os = "linux")]
mod database;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use misario_core::store::StoreError;

#[cfg(not(target_os = "linux"))]
use self::beside::Hold;
#[cfg(target_os = "linux")]
use self::database::Hold;
use crate::failure::Failure;
use crate::files::{self, Files};

/// The longest holder's name that is shown.
const MAX_HOLDER: usize = 200;

/// The lock, while it is held. If the thread that has it panics, it is kept until the process ends: what its store still
/// tells others (leases, above all) nobody may take over before.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    hold: Hold,
    name: PathBuf,
}

impl ProcessLock {
    /// Takes the lock of the database at `path`, which is made if there is none, or tells who has it. The system gives
    /// the lock back when the process ends, however it ends.
    pub(crate) fn take(path: &Path) -> Result<(Self, Files), StoreError> {
        let failed = |error: io::Error| Failure::from(error).to_store_error();
        let hold = Hold::take(path).map_err(failed)?;
        // The database is there by now, so that every link leads somewhere.
        let files = Files::of(path).map_err(failed)?;
        let Some(hold) = hold else { return Err(StoreError::Locked { holder: holder(&files.holder) }) };
        let lock = Self { hold, name: files.holder.clone() };
        lock.unname();
        Ok((lock, files))
    }

    /// Leaves word of who has the store.
    pub(crate) fn name(&self, line: &str) -> io::Result<()> {
        let separator = if line.is_empty() { "" } else { ", " };
        let mut file = files::open_private(&self.name)?;
        files::close_to_others(&file)?;
        file.set_len(0)?;
        file.write_all(format!("pid {}{separator}{}", std::process::id(), printable(line)).as_bytes())
    }

    /// Whether the file at `path` is the one that is locked. It is not if somebody put another in its place.
    pub(crate) fn is_of(&self, path: &Path) -> io::Result<bool> {
        self.hold.is_of(path)
    }

    /// A lock that nobody holds names nobody. The file stays: elsewhere than on Linux it is the lock.
    fn unname(&self) {
        if let Ok(file) = OpenOptions::new().write(true).open(&self.name) {
            let _ = file.set_len(0);
        }
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.unname();
        }
    }
}

/// What the holder left. It is shown to people, so it is one line of text, whatever is in the file.
fn holder(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4 * MAX_HOLDER as u64).read_to_end(&mut text));
    let text = printable(&String::from_utf8_lossy(&text));
    if read.is_err() || text.is_empty() { "another process".to_owned() } else { text }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_HOLDER).collect()
}
