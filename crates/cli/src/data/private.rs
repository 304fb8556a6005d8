//! Files that hold secrets: readable by their owner only, and never half written.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::failure::CliError;

/// Puts `content` in the file's place, whatever was there: readers see the old content or this one.
fn replace(path: &Path, content: &[u8]) -> Result<(), CliError> {
    write_beside(path, content)
        .and_then(|beside| fs::rename(&beside, path))
        // The name is in the folder only once the folder is on the disk, and that is what the rename changed.
        .and_then(|()| sync_folder(path))
        .map_err(|source| CliError::FileUnwritable { path: path.to_owned(), source })
}

fn write_beside(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    // What a killed process of that number left. It is not opened: whoever has the folder may have made it a link.
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(beside)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the file, empty, unless it is there; in any case nobody else can read it from here on.
pub(crate) fn touch(path: &Path) -> Result<(), CliError> {
    let made = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(no_link()).open(path);
    made.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
        .map_err(|source| CliError::FileUnwritable { path: path.to_owned(), source })
}

/// The flag that opens no symbolic link: it may lead to a file of the user's that is no business of ours.
pub(super) const fn no_link() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// The file's content; `None` when there is none. A file that others may read is refused: its secrets are none.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, CliError> {
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CliError::FileUnreadable { path: path.to_owned(), source }),
    };
    if mode & 0o077 != 0 {
        return Err(CliError::SecretExposed { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(|source| CliError::FileUnreadable { path: path.to_owned(), source })?;
    Ok(Some(Zeroizing::new(text)))
}

/// The file's content as JSON; `None` when there is no file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CliError> {
    let damaged = |_| CliError::DataDamaged { path: path.to_owned(), why: "it is not the JSON that was written there" };
    read(path)?.map(|text| serde_json::from_str(&text).map_err(damaged)).transpose()
}

/// Puts `value` as JSON in the file's place.
pub(crate) fn replace_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CliError> {
    let unwritable =
        |error: serde_json::Error| CliError::FileUnwritable { path: path.to_owned(), source: error.into() };
    let mut text = Zeroizing::new(serde_json::to_vec_pretty(value).map_err(unwritable)?);
    text.push(b'\n');
    replace(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_may_read_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert_eq!(read(&path).unwrap(), None);
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_str(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_for_others_to_fill_is_private_whether_it_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        touch(&path).unwrap();
        assert_eq!(mode(), 0o600);
        fs::write(&path, "kept").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        touch(&path).unwrap();
        assert_eq!((mode(), fs::read_to_string(&path).unwrap().as_str()), (0o600, "kept"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        replace(&path, b"one").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(CliError::SecretExposed { mode: 0o640, .. })));
    }
}
