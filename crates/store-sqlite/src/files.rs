//! The files of a store: the database, its write-ahead log and index, the word of who has it. None is readable by anybody
//! else.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::schema;

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) database: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) index: PathBuf,
    /// Who has the store.
    pub(crate) holder: PathBuf,
}

impl Files {
    /// The files of the database at `path`, which has to be there. Symbolic links are followed, as SQLite follows them:
    /// its log is beside the file that they lead to.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let database = path.canonicalize()?;
        let with = |ending: &str| {
            let mut name = OsString::from(database.as_os_str());
            name.push(ending);
            PathBuf::from(name)
        };
        Ok(Self { log: with("-wal"), index: with("-shm"), holder: with(".lock"), database })
    }

    /// The beginning of the database. While SQLite has it open in this process, this would cost SQLite its locks.
    pub(crate) fn header(&self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        File::open(&self.database)?.take(schema::HEADER as u64).read_to_end(&mut octets)?;
        Ok(octets)
    }

    /// Makes the name of a database durable that has just been made, else an acknowledged write is in a file that nobody
    /// finds.
    pub(crate) fn sync_name(&self) -> io::Result<()> {
        match self.database.parent() {
            Some(folder) if fs::metadata(&self.database)?.len() == 0 => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    /// Takes the files away from everybody else. SQLite gives the log and its index the mode of the database. None is
    /// opened for it: to close it again would cost SQLite its locks.
    pub(crate) fn close_to_others(&self) -> io::Result<()> {
        for path in [&self.database, &self.log, &self.index] {
            match fs::metadata(path) {
                Ok(found) => tighten(&found, |permissions| fs::set_permissions(path, permissions))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the process before left without closing: whoever closes leaves no log behind.
    pub(crate) fn were_left_open(&self) -> bool {
        fs::metadata(&self.log).is_ok_and(|log| log.len() > 0)
    }
}

/// Opens the file for reading and writing, and makes it if need be, for the owner alone.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(crate) fn close_to_others(file: &File) -> io::Result<()> {
    tighten(&file.metadata()?, |permissions| file.set_permissions(permissions))
}

#[cfg(unix)]
fn tighten(found: &Metadata, set: impl FnOnce(Permissions) -> io::Result<()>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mut permissions = found.permissions();
    let private = permissions.mode() & !0o077;
    if permissions.mode() == private {
        return Ok(());
    }
    permissions.set_mode(private);
    set(permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "other systems inherit the folder's access list")]
fn tighten(_found: &Metadata, _set: impl FnOnce(Permissions) -> io::Result<()>) -> io::Result<()> {
    Ok(())
}
