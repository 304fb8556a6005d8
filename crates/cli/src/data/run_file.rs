//! `run.json`: how commands find a running server and prove that they may administer it.

use std::path::PathBuf;
use std::{fs, io};

use misario_core::secret::SecretText;
use serde::{Deserialize, Serialize};

use super::{DataFolder, private};
use crate::failure::CliError;

const NAME: &str = "run.json";

/// A client's id and secret.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    /// Its name.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: SecretText,
}

/// What the file says.
#[derive(Debug)]
pub(crate) struct Run {
    /// The server's base URL.
    pub(crate) url: String,
    /// Its process.
    pub(crate) pid: u32,
    /// A client that may administer it, made for this run.
    pub(crate) client: Credential,
}

#[derive(Serialize, Deserialize)]
struct Written {
    url: String,
    pid: u32,
    client: WrittenClient,
}

#[derive(Serialize, Deserialize)]
struct WrittenClient {
    id: String,
    secret: String,
}

/// The file, for as long as the server runs.
#[derive(Debug)]
pub(crate) struct RunFile {
    path: PathBuf,
}

impl RunFile {
    /// Writes the file.
    pub(crate) fn write(folder: &DataFolder, run: &Run) -> Result<Self, CliError> {
        let client = WrittenClient { id: run.client.id.clone(), secret: run.client.secret.expose().to_owned() };
        let path = folder.file(NAME);
        private::replace_json(&path, &Written { url: run.url.clone(), pid: run.pid, client })?;
        Ok(Self { path })
    }

    /// What the file of a folder says; `None` when there is none. One that was left behind by a killed server is read as
    /// well: whether it counts is for the folder's lock to say.
    pub(crate) fn read(folder: &DataFolder) -> Result<Option<Run>, CliError> {
        let written: Option<Written> = private::read_json(&folder.file(NAME))?;
        Ok(written.map(|Written { url, pid, client }| Run {
            url,
            pid,
            client: Credential { id: client.id, secret: SecretText::new(client.secret) },
        }))
    }
}

/// Removes what a killed server left.
pub(super) fn remove_left_over(folder: &DataFolder) -> io::Result<()> {
    match fs::remove_file(folder.file(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // A file that stays behind names a server that does not answer, and a client whose secret ends with the run.
        let _ = fs::remove_file(&self.path);
    }
}
