//! An app that follows an authority in another process.

use misario_core::id::AppId;
use misario_core::secret::SecretText;
use misario_tower::{ConnectError, ConnectOptions, Connection};

use crate::Misario;

/// A connection to be made.
#[derive(Debug)]
pub struct Connect {
    url: String,
    client: String,
    secret: SecretText,
    app: String,
}

impl Connect {
    pub(crate) fn new(url: &str) -> Self {
        let secret = SecretText::new(String::new());
        Self { url: url.to_owned(), client: String::new(), secret, app: String::new() }
    }

    /// As which client: its id and secret. It needs the right `feed`.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        id.clone_into(&mut self.client);
        self.secret = SecretText::new(secret.to_owned());
        self
    }

    /// For which app.
    pub fn app(mut self, app: &str) -> Self {
        app.clone_into(&mut self.app);
        self
    }

    /// Connects, and returns when checks are answered from memory.
    pub async fn start(self) -> Result<Misario, ConnectError> {
        let app = AppId::new(&self.app).map_err(|error| ConnectError::AppInvalid { error })?;
        let options = ConnectOptions::new(self.url, self.client, self.secret, app);
        Ok(Misario::of_connection(Connection::start(options).await?))
    }
}
