//! One process per store: a lock beside the file, held for the life of the store, with the holder's name in it.
//!
//! SQLite's own locks would let a second process in between two writes. It would keep a registry of its own and grant
//! leases that the barriers of the first know nothing of.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use misario_core::store::StoreError;
use parking_lot::Mutex;

use crate::failure::Failure;
use crate::files;

/// The longest holder's name that is shown.
const MAX_HOLDER: usize = 200;

/// The lock, while it is held. The file stays when it is given back: to remove it would open a gap in which two
/// processes lock two files of one name.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    file: Mutex<File>,
}

impl ProcessLock {
    /// Takes the lock, or tells who has it. The system gives it back when the process ends, however it ends.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| Failure::from(error).to_store_error();
        let mut file = files::open_private(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { holder: holder(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        files::close_to_others(&file).map_err(failed)?;
        let lock = Self { file: Mutex::new(file) };
        lock.name("").map_err(failed)?;
        Ok(lock)
    }

    /// Leaves word of who has the store.
    pub(crate) fn name(&self, line: &str) -> io::Result<()> {
        let separator = if line.is_empty() { "" } else { ", " };
        write(&mut self.file.lock(), &format!("pid {}{separator}{}", std::process::id(), printable(line)))
    }
}

impl Drop for ProcessLock {
    /// A lock that nobody holds names nobody.
    fn drop(&mut self) {
        let _ = self.file.get_mut().set_len(0);
    }
}

fn write(file: &mut File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// What the holder left. It is shown to people, so it is one line of text, whatever is in the file.
fn holder(file: &mut File) -> String {
    let mut text = Vec::new();
    let read = file.take(4 * MAX_HOLDER as u64).read_to_end(&mut text);
    let text = printable(&String::from_utf8_lossy(&text));
    if read.is_err() || text.is_empty() { "another process".to_owned() } else { text }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_HOLDER).collect()
}
