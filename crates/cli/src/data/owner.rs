//! Whose a data folder is: one user's, whoever runs a command over it.
//!
//! Its files are readable by their owner only. What another user made among them, the server could not read at its next
//! start. So other users are refused, and root, who may do maintenance anywhere, gives away what it makes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::{DataFolder, master};
use crate::failure::CliError;

const ROOT: u32 = 0;

/// What a user can see of the key file, which tells most about whose the folder is: nobody else can use it.
#[derive(Debug, Clone, Copy)]
enum Key {
    Of(u32),
    Absent,
    Hidden,
}

/// Refuses who is neither root nor the folder's user. A folder that is not there is nobody's.
pub(crate) fn admit(folder: &DataFolder) -> Result<(), CliError> {
    let unreadable = |path: &Path, source| CliError::FileUnreadable { path: path.to_owned(), source };
    let Some(found) = present(fs::metadata(folder.path())).map_err(|error| unreadable(folder.path(), error))? else {
        return Ok(());
    };
    let path = folder.file(master::NAME);
    // Followed if it is a link: a mounted secret is one, and whoever can read where it leads has the keys.
    let key = match present(fs::metadata(&path)) {
        Ok(Some(key)) => Key::Of(key.uid()),
        Ok(None) => Key::Absent,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Key::Hidden,
        Err(error) => return Err(unreadable(&path, error)),
    };
    match other_owner(geteuid().as_raw(), found.uid(), key) {
        Some(owner) => Err(CliError::FolderOfAnother { data: folder.path().to_owned(), owner }),
        None => Ok(()),
    }
}

/// The user that has the folder, if that is another one than `me`. A folder of root's without a key is a fresh volume,
/// made for whoever may write in it.
const fn other_owner(me: u32, folder: u32, key: Key) -> Option<u32> {
    let owner = match key {
        _ if me == ROOT => me,
        Key::Of(owner) => owner,
        Key::Absent if folder == ROOT => me,
        Key::Absent | Key::Hidden => folder,
    };
    if owner == me { None } else { Some(owner) }
}

/// Gives a file in the folder to the folder's user, if root made it. A file with a second name may be one from elsewhere,
/// which the folder's user has no right to; it stays whose it is.
pub(super) fn give(file: &File, folder: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let found = file.metadata()?;
    let made_by_root = found.is_file() && found.nlink() == 1 && found.uid() == ROOT;
    match heir(folder)? {
        Some((user, group)) if made_by_root => fchown(file, Some(user), Some(group)),
        _ => Ok(()),
    }
}

/// As [`give`], for a file that was opened and closed elsewhere; one that is not there is left so.
pub(super) fn give_named(folder: &DataFolder, name: &str) -> Result<(), CliError> {
    let path = folder.file(name);
    let given = match present(OpenOptions::new().read(true).custom_flags(no_link()).open(&path)) {
        Ok(Some(file)) => give(&file, folder.path()),
        Ok(None) => Ok(()),
        // A link leads to a file that is not the folder's.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Ok(()),
        Err(error) => Err(error),
    };
    given.map_err(|source| CliError::FileUnwritable { path, source })
}

/// Makes the store's files, empty, for the folder's user before the store makes them for root: its log and index get the
/// owner of the database from SQLite. Does nothing where root has the folder, or does not run this.
pub(crate) fn make_database(folder: &DataFolder, database: &Path) -> Result<(), CliError> {
    make(folder, database)?;
    // The store follows links, and keeps the word of who has it where they lead.
    let mut holder = database.canonicalize().unwrap_or_else(|_| database.to_owned()).into_os_string();
    holder.push(".lock");
    make(folder, Path::new(&holder))
}

fn make(folder: &DataFolder, path: &Path) -> Result<(), CliError> {
    let made = || -> io::Result<()> {
        if !geteuid().is_root() || heir(folder.path())?.is_none() {
            return Ok(());
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => give(&file, folder.path()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // Whoever opens it has the better words.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    };
    made().map_err(|source| CliError::FileUnwritable { path: path.to_owned(), source })
}

/// The flag that opens no symbolic link: root would follow one to a file that its maker could not open.
pub(super) const fn no_link() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// User and group for what root makes in the folder; `None` where that is root.
fn heir(folder: &Path) -> io::Result<Option<(u32, u32)>> {
    let of_key = present(fs::symlink_metadata(folder.join(master::NAME)))?.filter(|key| key.uid() != ROOT);
    let found = of_key.map_or_else(|| fs::metadata(folder), Ok)?;
    Ok((found.uid() != ROOT).then(|| (found.uid(), found.gid())))
}

fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_users_and_roots() {
        let (me, other) = (1000, 1001);
        for (folder, key, owner) in [
            (me, Key::Of(me), None),
            (me, Key::Absent, None),
            (me, Key::Of(ROOT), Some(ROOT)),
            (other, Key::Of(me), None),
            (other, Key::Of(other), Some(other)),
            (other, Key::Absent, Some(other)),
            (other, Key::Hidden, Some(other)),
            (ROOT, Key::Of(me), None),
            (ROOT, Key::Absent, None),
            (ROOT, Key::Hidden, Some(ROOT)),
        ] {
            assert_eq!(other_owner(me, folder, key), owner, "{folder} {key:?}");
            assert_eq!(other_owner(ROOT, folder, key), None, "root, {folder} {key:?}");
        }
    }
}
