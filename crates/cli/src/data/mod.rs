//! The data folder: what a server leaves beside its store, and what commands find it by. Nobody else may read it.
//!
//! | file | what |
//! |---|---|
//! | `misario.db` | the embedded store, which locks itself against a second process |
//! | `master.key` | the root secrets that the store is sealed with; without it the store is noise |
//! | `instance.json` | the issuer that the store was last served under, and by which command |
//! | `folder.lock` | held by the one process that has the folder |
//! | `run.json` | while a server runs: where it is, and a client that may administer it |
//! | `dev.json` | `dev` only: the demo users' passwords and the demo client's secret |
//! | `web.cookies`, `spa.cookies` | `dev` only: the cookies of the `curl` lines that it prints |

pub(crate) mod dev_file;
pub(crate) mod instance;
pub(crate) mod lock;
pub(crate) mod master;
pub(crate) mod owner;
pub(crate) mod private;
pub(crate) mod run_file;

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::failure::CliError;

/// The folder that is used when none is named.
pub(crate) const STANDARD: &str = "misario-data";

/// A data folder.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The folder that was named, or the standard one. It need not exist.
    pub(crate) fn at(named: Option<&Path>) -> Self {
        Self { path: named.map_or_else(|| PathBuf::from(STANDARD), Path::to_owned) }
    }

    /// Makes the folder if it is not there.
    pub(crate) fn create(&self) -> Result<(), CliError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(|source| CliError::FileUnwritable { path: self.path.clone(), source })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub(crate) fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}
