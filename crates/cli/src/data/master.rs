//! `master.key`: the root secrets of an instance, in the form that [`MasterKeys`] writes.

use std::path::Path;

use misario::{MasterKeyError, MasterKeys};
use misario_core::secret::TokenKeys;
use misario_jose::Entropy;

use super::DataFolder;

pub(super) const NAME: &str = "master.key";

/// The keys of the folder. They are made on the first start, which is when there is no store either: beside a store
/// that other keys sealed, fresh ones would make every login in it noise.
pub(crate) fn load_or_make(folder: &DataFolder, database: &Path, entropy: &dyn Entropy) -> anyhow::Result<TokenKeys> {
    let path = folder.file(NAME);
    if database.exists() && !path.exists() {
        return Err(MasterKeyError::Missing { path }.into());
    }
    Ok(MasterKeys::load_or_create(&path, entropy)?)
}

#[cfg(test)]
mod tests {
    use misario_tower::OsEntropy;

    use super::*;

    #[test]
    fn no_key_is_made_beside_a_store_that_another_one_sealed() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(Some(temporary.path()));
        let database = folder.file("misario.db");
        load_or_make(&folder, &database, &OsEntropy).unwrap();
        let first = std::fs::read_to_string(folder.file(NAME)).unwrap();
        std::fs::write(&database, b"").unwrap();
        load_or_make(&folder, &database, &OsEntropy).unwrap();
        assert_eq!(std::fs::read_to_string(folder.file(NAME)).unwrap(), first);
        std::fs::remove_file(folder.file(NAME)).unwrap();
        let error = load_or_make(&folder, &database, &OsEntropy).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(MasterKeyError::Missing { .. })));
        assert!(!folder.file(NAME).exists());
    }
}
