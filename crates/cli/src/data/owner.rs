//! Whose a data folder is: one user's, whoever runs a command over it.
//!
//! Its files are readable by their owner only. What another user made among them, the server could not read at its next
//! start. So other users are refused, root too: it could write there, and giving away what it made would be a way to have
//! it make files anywhere, as whoever has the folder decides where its links lead.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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

/// Refuses who is not the folder's user. A folder that is not there is nobody's.
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

/// The user that has the folder, if that is another one than `me`. A folder without a key that is root's, or that root
/// comes to, is a fresh volume: it is made for whoever may write in it.
const fn other_owner(me: u32, folder: u32, key: Key) -> Option<u32> {
    let owner = match key {
        Key::Of(owner) => owner,
        Key::Absent if folder == ROOT || me == ROOT => me,
        Key::Absent | Key::Hidden => folder,
    };
    if owner == me { None } else { Some(owner) }
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
    fn a_folder_is_its_users() {
        let (me, other) = (1000, 1001);
        for (user, folder, key, owner) in [
            (me, me, Key::Of(me), None),
            (me, me, Key::Absent, None),
            (me, me, Key::Of(ROOT), Some(ROOT)),
            (me, other, Key::Of(me), None),
            (me, other, Key::Of(other), Some(other)),
            (me, other, Key::Absent, Some(other)),
            (me, other, Key::Hidden, Some(other)),
            (me, ROOT, Key::Of(me), None),
            (me, ROOT, Key::Absent, None),
            (me, ROOT, Key::Hidden, Some(ROOT)),
            (ROOT, ROOT, Key::Of(ROOT), None),
            (ROOT, me, Key::Of(ROOT), None),
            (ROOT, me, Key::Absent, None),
            (ROOT, me, Key::Of(me), Some(me)),
            (ROOT, ROOT, Key::Of(me), Some(me)),
        ] {
            assert_eq!(other_owner(user, folder, key), owner, "{user} {folder} {key:?}");
        }
    }
}
