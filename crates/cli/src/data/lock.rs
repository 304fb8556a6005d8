//! `folder.lock`: one process per data folder, for as long as it lives.
//!
//! The store has a lock of its own, beside the database, and that may stand anywhere. What is in this folder belongs to
//! one process as well: `run.json` above all, which counts only while somebody holds the lock. A process id would not
//! tell: ids are used again, and the address in the file by then is anybody's.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use misario_core::store::StoreError;

use super::{DataFolder, private, run_file};
use crate::failure::CliError;
use crate::output::printable;

const NAME: &str = "folder.lock";
/// The longest name of a holder that is read.
const LONGEST: u64 = 400;
/// Whoever only looks holds the lock for a moment, so the first no is not the last word.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The lock, while it is held. Its file stays when it is given back: to remove it would open a gap in which two processes
/// lock two files of one name.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
}

/// Who has a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its process id, in its own numbering.
    pub(crate) pid: Option<u32>,
    name: String,
}

impl FolderLock {
    /// Takes the folder, or tells who has it. What a killed holder left for others to find is removed.
    pub(crate) async fn take(folder: &DataFolder, holder: &str) -> anyhow::Result<Self> {
        let path = folder.file(NAME);
        let unwritable = |source| CliError::FileUnwritable { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(private::no_link());
        let mut file = options.open(&path).map_err(unwritable)?;
        for left in (0..TRIES).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if left > 0 => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked { holder: named(&mut file).name }.into());
                }
                Err(TryLockError::Error(source)) => return Err(unwritable(source).into()),
            }
        }
        // Before this process says who it is: whoever reads that it holds the lock reads no older run.json.
        run_file::remove_left_over(folder).map_err(unwritable)?;
        write(&mut file, &format!("pid {}, {holder}", std::process::id())).map_err(unwritable)?;
        Ok(Self { file })
    }

    /// Who has the folder; `None` when nobody has.
    pub(crate) fn holder(folder: &DataFolder) -> Result<Option<Holder>, CliError> {
        let path = folder.file(NAME);
        let unreadable = |source| CliError::FileUnreadable { path: path.clone(), source };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unreadable(source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(named(&mut file))),
            Err(TryLockError::Error(source)) => Err(unreadable(source)),
        }
    }
}

impl Drop for FolderLock {
    /// A lock that nobody holds names nobody.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

fn write(file: &mut File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// What the holder left: one line of text, whatever is in the file.
fn named(file: &mut File) -> Holder {
    let mut text = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut text);
    let text = printable(&String::from_utf8_lossy(&text));
    if read.is_err() || text.is_empty() {
        return Holder { pid: None, name: "another process".to_owned() };
    }
    let pid = text.strip_prefix("pid ").and_then(|rest| rest.split(',').next()?.parse().ok());
    Holder { pid, name: text }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_folder_has_one_holder_and_what_it_left_goes_with_the_next() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(Some(temporary.path()));
        assert_eq!(FolderLock::holder(&folder).unwrap(), None);
        let lock = FolderLock::take(&folder, "misario serve").await.unwrap();
        let holder = FolderLock::holder(&folder).unwrap().unwrap();
        assert_eq!((holder.pid, holder.name.ends_with(", misario serve")), (Some(std::process::id()), true));
        let error = FolderLock::take(&folder, "another").await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(StoreError::Locked { holder: name }) if *name == holder.name));
        drop(lock);
        assert_eq!(FolderLock::holder(&folder).unwrap(), None);
        fs::write(folder.file("run.json"), "{}").unwrap();
        let _lock = FolderLock::take(&folder, "misario serve").await.unwrap();
        assert!(!folder.file("run.json").exists());
    }
}
