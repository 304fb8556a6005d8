//! Signing keys: made, published, acknowledged by the verifiers, only then used.

use misario_core::changes::{ChangeKind, NewChange, Target};
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
        let _one_at_a_time = self.changing_keys.lock().await;
        self.add_key(algorithm).await
    }

    /// For who has the lock, so that the log's last key set is that of all keys.
    async fn add_key(&self, algorithm: Algorithm) -> Result<(KeyView, Published), Error> {
        let now = self.clock.wall();
        let (record, key) = SigningKeyRecord::generate(algorithm, &self.keys, &*self.entropy, now);
        let stored = Keyed { kind: RecordKind::SigningKey, key: &record.kid, alias: None, value: &record };
        self.create(stored).await?;
        let (mut public, mut secret) = self.signing.read().verifying();
        let set = if algorithm.is_symmetric() { &mut secret } else { &mut public };
        let _ = set.insert(key.verifying_key());
        self.memory.write().set_secret_keys(secret);
        let published = self.announce_keys(JwkSet::of(&public).to_json(), Wait::Yes).await?;
        self.signing.write().push(key);
        tracing::info!(kid = record.kid, alg = algorithm.name(), "signing key in use");
        Ok((KeyView { kid: record.kid, alg: algorithm, created: now, state: "signing" }, published))
    }

    /// Makes a key of the algorithm, if there is none.
    pub(super) async fn ensure_signing_key(&self, algorithm: Algorithm) -> Result<(), Error> {
        let _one_at_a_time = self.changing_keys.lock().await;
        if !self.signing.read().has(algorithm) {
            self.add_key(algorithm).await?;
        }
        Ok(())
    }

    /// Revokes the key and takes it out of use: its entry is pruned some day, and it must not verify then. A key that
    /// signs gets a successor first, so that nobody is refused what was never revoked.
    pub(super) async fn revoke_key(&self, kid: &str, wait: Wait) -> Result<Published, Error> {
        let _one_at_a_time = self.changing_keys.lock().await;
        let signs = self.signing.read().signs(kid);
        if let Some(algorithm) = signs {
            self.add_key(algorithm).await?;
        }
        // Stored before it is said (PROTOCOL rule 20): after a crash in between, the start says what is stored.
        while let Some((_, revision)) = self.load::<SigningKeyRecord>(RecordKind::SigningKey, kid).await? {
            self.records.remove_record(RecordKind::SigningKey, kid, revision).await?;
        }
        self.signing.write().remove(kid);
        self.announce_end(Target::Key(kid.to_owned()), None, Wait::No).await?;
        let (public, secret) = self.signing.read().verifying();
        self.memory.write().set_secret_keys(secret);
        // The later of the two positions: who shows it shows both.
        let published = self.announce_keys(JwkSet::of(&public).to_json(), wait).await?;
        tracing::info!(kid, "signing key revoked");
        Ok(published)
    }

    /// Publishes the keys, if the log does not say them: after a crash between a key and its change.
    pub(super) async fn announce_stored_keys(&self) -> Result<(), Error> {
        let (public, secret) = self.signing.read().verifying();
        self.memory.write().set_secret_keys(secret);
        let jwks = JwkSet::of(&public).to_json();
        let known = self.memory.read().replica().view().jwks() == jwks;
        if !known && public.iter().next().is_some() {
            self.announce_keys(jwks, Wait::Yes).await?;
        }
        Ok(())
    }

    /// The public keys that are published, as a JWK Set. Every verifier that follows the log has a key before it signs;
    /// whoever polls this set has it when it polls next.
    pub fn jwks(&self) -> String {
        self.memory.read().replica().view().jwks().to_owned()
    }

    async fn announce_keys(&self, jwks: String, wait: Wait) -> Result<Published, Error> {
        let kind = ChangeKind::KeysChanged { jwks };
        self.publish(NewChange { at: self.clock.wall(), until: FOR_EVER, kind, fence: None }, wait).await
    }
}
