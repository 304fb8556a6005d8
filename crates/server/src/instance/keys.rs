//! Signing keys: made, published, acknowledged by the verifiers, only then used.

use misario_core::changes::{ChangeKind, NewChange};
use misario_core::store::RecordKind;
use misario_jose::{Algorithm, JwkSet, UnixTime};
use serde::Serialize;

use super::apps::FOR_EVER;
use super::records::Keyed;
use super::signing::SigningKeyRecord;
use super::{Instance, Published, Wait};
use crate::error::Error;

/// A signing key as people see it.
#[derive(Debug, Clone, Serialize)]
pub struct KeyView {
    /// Its name.
    pub kid: String,
    /// Its algorithm.
    pub alg: Algorithm,
    /// When it was made.
    pub created: UnixTime,
    /// `signing`: new tokens get it; `verifying`: older tokens have it.
    pub state: &'static str,
}

impl Instance {
    /// All signing keys, oldest first.
    pub async fn list_keys(&self) -> Result<Vec<KeyView>, Error> {
        let mut records = self.load_all::<SigningKeyRecord>(RecordKind::SigningKey).await?;
        records.sort_by(|a, b| (a.created, &a.kid).cmp(&(b.created, &b.kid)));
        let newest = |alg| records.iter().rev().find(|record| record.alg == alg).map(|record| &record.kid);
        let view = |record: &SigningKeyRecord| KeyView {
            kid: record.kid.clone(),
            alg: record.alg,
            created: record.created,
            state: if newest(record.alg) == Some(&record.kid) { "signing" } else { "verifying" },
        };
        Ok(records.iter().map(view).collect())
    }

    /// Makes a key; it signs as soon as every verifier has it.
    pub async fn generate_key(&self, algorithm: Algorithm) -> Result<(KeyView, Published), Error> {
        let now = self.clock.wall();
        let (record, key) = SigningKeyRecord::generate(algorithm, &self.keys, &*self.entropy, now);
        let stored = Keyed { kind: RecordKind::SigningKey, key: &record.kid, alias: None, value: &record };
        self.create(stored).await?;
        let (mut public, mut secret) = self.signing.read().verifying();
        let set = if algorithm.is_symmetric() { &mut secret } else { &mut public };
        let _ = set.insert(key.verifying_key());
        self.memory.write().set_secret_keys(secret);
        let published = self.announce_keys(JwkSet::of(&public).to_json()).await?;
        self.signing.write().push(key);
        tracing::info!(kid = record.kid, alg = algorithm.name(), "signing key in use");
        Ok((KeyView { kid: record.kid, alg: algorithm, created: now, state: "signing" }, published))
    }

    /// Makes a key of the algorithm, if there is none.
    pub(super) async fn ensure_signing_key(&self, algorithm: Algorithm) -> Result<(), Error> {
        if !self.signing.read().has(algorithm) {
            self.generate_key(algorithm).await?;
        }
        Ok(())
    }

    /// Publishes the keys, if the log does not say them: after a crash between a key and its change.
    pub(super) async fn announce_stored_keys(&self) -> Result<(), Error> {
        let (public, secret) = self.signing.read().verifying();
        self.memory.write().set_secret_keys(secret);
        let jwks = JwkSet::of(&public).to_json();
        let known = self.memory.read().replica().view().jwks() == jwks;
        if !known && public.iter().next().is_some() {
            self.announce_keys(jwks).await?;
        }
        Ok(())
    }

    /// The public keys, as a JWK Set.
    pub fn jwks(&self) -> String {
        JwkSet::of(&self.signing.read().verifying().0).to_json()
    }

    async fn announce_keys(&self, jwks: String) -> Result<Published, Error> {
        let kind = ChangeKind::KeysChanged { jwks };
        self.publish(NewChange { at: self.clock.wall(), until: FOR_EVER, kind, fence: None }, Wait::Yes).await
    }
}
