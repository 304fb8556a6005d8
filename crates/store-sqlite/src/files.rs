//! The files of a store: the database, its write-ahead log and index, the lock. None is readable by anybody else.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) database: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) index: PathBuf,
    pub(crate) lock: PathBuf,
}

impl Files {
    /// The files of the database at `path`. Symbolic links are followed first: two names of one file have one lock.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let database = match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => beside(path)?,
            found => found?,
        };
        let with = |ending: &str| {
            let mut name = OsString::from(database.as_os_str());
            name.push(ending);
            PathBuf::from(name)
        };
        Ok(Self { log: with("-wal"), index: with("-shm"), lock: database.with_file_name("misario.lock"), database })
    }

    /// Makes the database file if there is none, and takes it away from everybody else. SQLite gives the log and its
    /// index the mode of the database.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let existed = self.database.exists();
        let file = open_private(&self.database)?;
        close_to_others(&file)?;
        for path in [&self.log, &self.index] {
            match File::open(path) {
                Ok(file) => close_to_others(&file)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !existed && let Some(folder) = self.database.parent() {
            // The name has to be durable too, else an acknowledged write is in a file that nobody finds.
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Whether the process before left without closing: whoever closes leaves no log behind.
    pub(crate) fn were_left_open(&self) -> bool {
        fs::metadata(&self.log).is_ok_and(|log| log.len() > 0)
    }
}

/// The path of a file that does not exist yet, in a folder that does.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(folder.canonicalize()?.join(name))
}

/// Opens the file for reading and writing, and makes it if need be, for the owner alone.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
pub(crate) fn close_to_others(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mut permissions = file.metadata()?.permissions();
    let private = permissions.mode() & !0o077;
    if permissions.mode() == private {
        return Ok(());
    }
    permissions.set_mode(private);
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "other systems inherit the folder's access list")]
pub(crate) fn close_to_others(_file: &File) -> io::Result<()> {
    Ok(())
}
