//! `instance.json`: under which issuer a store was last served, so that commands can open it without a server, and
//! which command made it, so that demo accounts stay where they belong.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DataFolder, dev_file, owner, private};
use crate::failure::CliError;

const NAME: &str = "instance.json";

/// What the file says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// The claim `iss`.
    pub(crate) issuer: String,
    /// The store's file, relative to the folder.
    pub(crate) database: PathBuf,
    /// The command whose store it is.
    #[serde(default)]
    pub(crate) made_by: MadeBy,
}

/// The command that made a store: they differ in what accounts are in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MadeBy {
    /// `misario dev`: users and a client whose secrets it prints at every start.
    Dev,
    /// `misario serve`: the accounts that somebody meant.
    #[default]
    Serve,
}

impl Instance {
    /// Makes the file say this; one that does already is left alone.
    pub(crate) fn write(&self, folder: &DataFolder) -> Result<(), CliError> {
        if Self::read(folder)?.as_ref() == Some(self) {
            return Ok(());
        }
        private::replace_json(&folder.file(NAME), self)
    }

    /// What the file says; `None` when nothing was ever served from this folder.
    pub(crate) fn read(folder: &DataFolder) -> Result<Option<Self>, CliError> {
        private::read_json(&folder.file(NAME))
    }

    /// What the file says, where the store is there as well: the file comes first, and a first start may have been cut
    /// off between the two.
    pub(crate) fn of_store(folder: &DataFolder) -> Result<Option<Self>, CliError> {
        Ok(Self::read(folder)?.filter(|instance| folder.file(&instance.database).exists()))
    }
}

/// Refuses a folder whose accounts are of the other kind: `dev`'s passwords are on terminals and in scroll-back, so none
/// of its users may ever be served in earnest, nor be added to a store that is. A folder of another user's is refused
/// before it is read.
pub(crate) fn admit(folder: &DataFolder, database: &Path, command: MadeBy) -> Result<(), CliError> {
    let of_dev = is_of_dev(folder)?;
    let has_store = || Ok::<_, CliError>(folder.file(database).exists() || Instance::of_store(folder)?.is_some());
    let data = folder.path().to_owned();
    match command {
        MadeBy::Serve if of_dev => Err(CliError::FolderOfDev { data }),
        MadeBy::Dev if !of_dev && has_store()? => Err(CliError::FolderOfServe { data }),
        _ => Ok(()),
    }
}

/// Whether demo accounts are in the folder's store. Either file of `dev`'s is enough to know, as the other one may be lost;
/// a marker without a store is what a first start left that failed.
pub(crate) fn is_of_dev(folder: &DataFolder) -> Result<bool, CliError> {
    owner::admit(folder)?;
    let marked = Instance::of_store(folder)?.is_some_and(|instance| instance.made_by == MadeBy::Dev);
    Ok(marked || folder.file(dev_file::NAME).exists())
}
