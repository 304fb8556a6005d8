//! `dev.json`: the demo users' passwords and the demo client's secret, so that a restart prints the same.

use misario_core::secret::SecretText;
use misario_jose::{Entropy, b64u};
use serde::{Deserialize, Serialize};

use super::{DataFolder, private};
use crate::failure::CliError;

/// The file.
pub(super) const NAME: &str = "dev.json";

/// What the file says. It does not print: every field that is not a name is a secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct DevFile {
    /// The demo users.
    pub(crate) users: Vec<DevUser>,
    /// The demo clients, once they are made.
    pub(crate) clients: Vec<DevClient>,
}

/// A demo user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DevUser {
    /// Their name.
    pub(crate) username: String,
    /// Their password.
    pub(crate) password: String,
    /// Whether the store may still have another password than this one, or no such user.
    #[serde(default)]
    pub(crate) pending: bool,
}

/// A demo client.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DevClient {
    /// Its name.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: String,
}

impl DevFile {
    /// The file of the folder, or one with fresh passwords for these users, written before any of them is set: a start
    /// that is cut off then goes on with the same ones. Whoever set them says so with [`settle`](Self::settle).
    pub(crate) fn load_or_make(
        folder: &DataFolder,
        usernames: &[&str],
        entropy: &dyn Entropy,
    ) -> Result<Self, CliError> {
        if let Some(file) = private::read_json(&folder.file(NAME))? {
            return Ok(file);
        }
        let user = |name: &&str| DevUser { username: (*name).to_owned(), password: password(entropy), pending: true };
        let file = Self { users: usernames.iter().map(user).collect(), clients: Vec::new() };
        file.write(folder)?;
        Ok(file)
    }

    /// Notes that the store has these passwords.
    pub(crate) fn settle(&mut self, folder: &DataFolder) -> Result<(), CliError> {
        if self.users.iter().all(|user| !user.pending) {
            return Ok(());
        }
        self.users.iter_mut().for_each(|user| user.pending = false);
        self.write(folder)
    }

    /// Writes the file.
    pub(crate) fn write(&self, folder: &DataFolder) -> Result<(), CliError> {
        private::replace_json(&folder.file(NAME), self)
    }

    /// The client's secret, if it is known.
    pub(crate) fn client_secret(&self, id: &str) -> Option<SecretText> {
        let found = self.clients.iter().find(|client| client.id == id)?;
        Some(SecretText::new(found.secret.clone()))
    }
}

/// 96 random bits: no list and no keyboard has it. Letters, digits, `-` and `_` only, so that it can be pasted into a
/// shell between quotes.
pub(crate) fn password(entropy: &dyn Entropy) -> String {
    let mut octets = [0; 12];
    entropy.fill(&mut octets);
    b64u::encode(&octets)
}
