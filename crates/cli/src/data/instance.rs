//! `instance.json`: under which issuer a store was last served, so that commands can open it without a server.

use serde::{Deserialize, Serialize};

use super::{DataFolder, private};
use crate::failure::CliError;

const NAME: &str = "instance.json";

/// What the file says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// The claim `iss`.
    pub(crate) issuer: String,
    /// The store's file, relative to the folder.
    pub(crate) database: std::path::PathBuf,
}

impl Instance {
    /// Writes the file.
    pub(crate) fn write(&self, folder: &DataFolder) -> Result<(), CliError> {
        private::replace_json(&folder.file(NAME), self)
    }

    /// What the file says; `None` when nothing was ever served from this folder.
    pub(crate) fn read(folder: &DataFolder) -> Result<Option<Self>, CliError> {
        private::read_json(&folder.file(NAME))
    }
}
