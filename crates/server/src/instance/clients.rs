//! Clients: everything that authenticates without being a person.

use std::collections::BTreeSet;

use misario_core::changes::{FenceKey, Position, Target};
use misario_core::client::{Client, ClientKind, Right};
use misario_core::id::{AppId, ClientId};
use misario_core::secret::{ClientSecret, SecretText, TokenDigest};
use misario_core::store::RecordKind;

use super::intents::Intent;
use super::records::Keyed;
use super::{Instance, Published, Wait};
use crate::error::{Error, InputFault, InternalFault};

/// A client to create.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Its name.
    pub id: ClientId,
    /// The app it belongs to; absent: it acts for any.
    pub app: Option<AppId>,
    /// What it may ask for.
    pub rights: BTreeSet<Right>,
    /// The scopes its own tokens may have.
    pub scopes: Vec<String>,
}

impl Instance {
    /// Creates the client; its secret is told here and never again.
    pub async fn add_client(&self, new: NewClient) -> Result<(Client, SecretText), Error> {
        if let Some(app) = &new.app {
            self.app(app)?;
        }
        let (secret, digest) = self.new_secret(&new.id)?;
        let client = Client {
            id: new.id,
            app: new.app,
            kind: ClientKind::Secret { digests: vec![digest] },
            rights: new.rights,
            scopes: new.scopes,
            disabled: false,
            created: self.clock.wall(),
        };
        let key = client.id.as_str();
        self.create(Keyed { kind: RecordKind::Client, key, alias: None, value: &client }).await?;
        Ok((client, secret))
    }

    /// All clients.
    pub async fn list_clients(&self) -> Result<Vec<Client>, Error> {
        self.load_all(RecordKind::Client).await
    }

    /// Gives the client another secret. The one before counts until the next rotation, or not at all.
    pub async fn rotate_client(&self, id: &ClientId, drop_old: bool) -> Result<(Client, SecretText), Error> {
        let (secret, digest) = self.new_secret(id)?;
        let intent = if drop_old { Some(self.intend(&Intent::RevokeClient(id.clone())).await?) } else { None };
        let changed = self
            .update(
                RecordKind::Client,
                id.as_str(),
                |_: &Client| None,
                |client: &mut Client| {
                    let newest = match &client.kind {
                        ClientKind::Secret { digests } if !drop_old => digests.last().cloned(),
                        _ => None,
                    };
                    client.kind = ClientKind::Secret { digests: newest.into_iter().chain([digest.clone()]).collect() };
                    Ok(())
                },
            )
            .await;
        let (client, ()) = match &intent {
            Some(intent) => self.changed(intent, changed).await?,
            None => changed?,
        };
        if let Some(intent) = intent {
            // What was opened with the old secret ends, too; whoever has the new one connects again.
            self.revoke(Target::Client(id.clone()), Wait::Yes).await?;
            self.announced(intent).await;
        }
        Ok((client, secret))
    }

    /// Refuses the client everywhere.
    pub async fn disable_client(&self, id: &ClientId) -> Result<(Client, Published), Error> {
        let intent = self.intend(&Intent::RevokeClient(id.clone())).await?;
        let changed = self.update(
            RecordKind::Client,
            id.as_str(),
            |_: &Client| None,
            |client: &mut Client| {
                client.disabled = true;
                Ok(())
            },
        );
        let (client, ()) = self.changed(&intent, changed.await).await?;
        let published = self.revoke(Target::Client(id.clone()), Wait::Yes).await?;
        self.announced(intent).await;
        Ok((client, published))
    }

    /// Removes the client, if it is there: for those that a run makes for itself.
    pub async fn remove_client(&self, id: &ClientId) -> Result<(), Error> {
        if let Some((_, revision)) = self.load::<Client>(RecordKind::Client, id.as_str()).await? {
            self.records.remove_record(RecordKind::Client, id.as_str(), revision).await?;
        }
        Ok(())
    }

    /// The client that shows this name and secret. Unknown, disabled and wrong look the same; garbage is refused
    /// without a look-up.
    pub async fn authenticate_client(&self, id: &str, secret: &str) -> Result<Client, Error> {
        let refused = || Error::from(InputFault::InvalidClient);
        let id = ClientId::new(id).map_err(|_| refused())?;
        let shown = ClientSecret::parse(&self.keys, secret).map_err(|_| refused())?;
        let shown = shown.digest(&self.keys, &id).ok_or_else(refused)?;
        let (client, _) = self.load::<Client>(RecordKind::Client, id.as_str()).await?.ok_or_else(refused)?;
        match &client.kind {
            ClientKind::Secret { digests } if !client.disabled && digests.iter().any(|own| own.matches(&shown)) => {
                Ok(client)
            }
            _ => Err(refused()),
        }
    }

    /// Whether the client is still there and may follow the log, and nothing has revoked it since the position at which it
    /// showed its secret: that one may be dropped by now.
    pub(crate) async fn may_still_feed(&self, id: &ClientId, shown_at: Position) -> Result<bool, Error> {
        let fences = self.live.fences(&[FenceKey::Client(id.clone())]).await?;
        if fences.fences.iter().flatten().any(|fence| fence.before > shown_at) {
            return Ok(false);
        }
        let client = self.load::<Client>(RecordKind::Client, id.as_str()).await?;
        Ok(client.is_some_and(|(client, _)| client.may(Right::Feed, client.app.as_ref())))
    }

    fn new_secret(&self, id: &ClientId) -> Result<(SecretText, TokenDigest), Error> {
        let missing = || InternalFault::TokenKeyMissing { key: self.keys.current().id() };
        let secret = ClientSecret::generate(&self.keys, &*self.entropy);
        let text = secret.to_text(&self.keys).ok_or_else(missing)?;
        Ok((text, secret.digest(&self.keys, id).ok_or_else(missing)?))
    }
}
