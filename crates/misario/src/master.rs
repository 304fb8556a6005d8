//! The key file: what every token of an instance is derived from. It stands beside the database, never in it, so that
//! a copy of the database opens nothing.
//!
//! ```text
//! # misario master keys v1
//! 1 base64url(32 octets)
//! ```
//!
//! One line per numbered key, oldest first; the last makes new logins.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use misario_core::secret::{TokenKey, TokenKeys};
use misario_jose::{Entropy, b64u};
use zeroize::Zeroizing;

const HEADER: &str = "# misario master keys v1";

/// The key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// It cannot be read or written.
    #[error("the key file {} cannot be {verb}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("the key file {} can be read by others (mode {mode:o}): chmod 600 it, and if others may have read it, rotate it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There is a database, and no key file beside it.
    #[error("the key file {} is missing: everything in the database depends on it, restore it from a backup", path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// It does not open what the database keeps sealed.
    #[error("the key file {} is not the one that the database beside it was written with (or the database is damaged): restore it from a backup", path.display())]
    OfAnother {
        /// Which file.
        path: PathBuf,
    },
    /// It is not of the form that is written here.
    #[error("the key file {} is malformed at line {line}: every login depends on it, restore it from a backup", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: usize,
    },
}

impl MasterKeyError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("master_key_io", "The key file cannot be read or written."),
        ("master_key_exposed", "The key file can be read by others than its owner."),
        ("master_key_missing", "There is a database, but its key file is gone; restore it from a backup."),
        (
            "master_key_of_another",
            "The key file is not the one that the database was written with; restore it from a backup.",
        ),
        ("master_key_malformed", "The key file is not of the form that is written here; restore it from a backup."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "master_key_io",
            Self::Exposed { .. } => "master_key_exposed",
            Self::Missing { .. } => "master_key_missing",
            Self::OfAnother { .. } => "master_key_of_another",
            Self::Malformed { .. } => "master_key_malformed",
        }
    }
}

/// Reads and makes key files.
#[derive(Debug)]
pub struct MasterKeys;

impl MasterKeys {
    /// The keys in the file; where there is none, one is made, readable by its owner only.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<TokenKeys, MasterKeyError> {
        match Self::load(path) {
            Err(MasterKeyError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Self::create(path, entropy)?;
                Self::load(path)
            }
            other => other,
        }
    }

    /// The keys in the file.
    pub fn load(path: &Path) -> Result<TokenKeys, MasterKeyError> {
        let io = |source| MasterKeyError::Io { path: path.to_owned(), verb: "read", source };
        let mut file = std::fs::File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(io)?;
        parse(&text).map_err(|line| MasterKeyError::Malformed { path: path.to_owned(), line })
    }

    fn create(path: &Path, entropy: &dyn Entropy) -> Result<(), MasterKeyError> {
        let mut root = Zeroizing::new([0; 32]);
        entropy.fill(root.as_mut_slice());
        let text = Zeroizing::new(format!("{HEADER}\n1 {}\n", b64u::encode(root.as_slice())));
        let io = |source| MasterKeyError::Io { path: path.to_owned(), verb: "written", source };
        // Under another name first: a crash leaves no half key file, and of two first starts one wins.
        let draft = path.with_extension("new");
        let _ = std::fs::remove_file(&draft);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        match std::fs::hard_link(&draft, path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        std::fs::remove_file(&draft).map_err(io)?;
        // The name must survive a power loss as surely as the logins that will depend on it.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(())
    }
}

/// The keys in the text, or the number of the first line that is wrong.
fn parse(text: &str) -> Result<TokenKeys, usize> {
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if number == 0 {
            if line != HEADER {
                return Err(1);
            }
            continue;
        }
        let key = || {
            let (id, root) = line.split_once(' ')?;
            let root = Zeroizing::new(b64u::decode(root)?);
            let root: Zeroizing<[u8; 32]> = Zeroizing::new(root.as_slice().try_into().ok()?);
            Some(TokenKey::new(id.parse().ok()?, &root))
        };
        let key = key().ok_or(number + 1)?;
        if keys.iter().any(|known: &TokenKey| known.id() == key.id()) {
            return Err(number + 1);
        }
        keys.push(key);
    }
    let current = keys.pop().ok_or(2_usize)?;
    Ok(TokenKeys::new(current, keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use misario_tower::OsEntropy;

    #[test]
    fn the_codes_are_those_of_the_variants() {
        let path = PathBuf::new;
        let all = [
            MasterKeyError::Io { path: path(), verb: "read", source: std::io::Error::other("") },
            MasterKeyError::Exposed { path: path(), mode: 0o644 },
            MasterKeyError::Missing { path: path() },
            MasterKeyError::OfAnother { path: path() },
            MasterKeyError::Malformed { path: path(), line: 1 },
        ];
        let codes: Vec<_> = all.iter().map(MasterKeyError::code).collect();
        assert_eq!(codes, MasterKeyError::CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    }

    #[test]
    fn a_key_file_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let made = MasterKeys::load_or_create(&path, &OsEntropy).unwrap();
        let read = MasterKeys::load_or_create(&path, &OsEntropy).unwrap();
        assert_eq!(made.replica().current().unwrap().export(), read.replica().current().unwrap().export());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!folder.path().join("master.new").exists());
    }

    #[test]
    fn an_exposed_or_damaged_key_file_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKeys::load_or_create(&path, &OsEntropy).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(MasterKeys::load_or_create(&path, &OsEntropy).unwrap_err().code(), "master_key_exposed");
        for damage in ["", "# misario master keys v1\n", "# misario master keys v1\n1 AAAA\n", "junk\n1 x\n"] {
            std::fs::write(&path, damage).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let error = MasterKeys::load_or_create(&path, &OsEntropy).unwrap_err();
            assert_eq!(error.code(), "master_key_malformed", "{damage:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damage);
        }
    }

    #[test]
    fn a_number_stands_for_one_key() {
        let line = |id: u8| format!("{id} {}\n", b64u::encode(&[id; 32]));
        assert_eq!(parse(&format!("{HEADER}\n{}{}", line(1), line(1))).unwrap_err(), 3);
        let two = parse(&format!("{HEADER}\n{}{}", line(1), line(2))).unwrap();
        assert_eq!(two.current().id(), 2);
        assert!(two.find(1).is_some());
    }
}
