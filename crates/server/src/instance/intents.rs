//! What a call is about to make true everywhere, written down before the record that it changes: if the process dies, or
//! the store fails, between the record and the change that announces it, somebody makes up for it. The next start does, and
//! until then the sweep.

use std::collections::BTreeMap;
use std::sync::Arc;

use misario_core::changes::Target;
use misario_core::id::{ClientId, Subject};
use misario_core::store::{NewRecord, RecordInserted, RecordKind, RecordSwapped, Revision};
use parking_lot::Mutex;

use super::{Instance, Wait};
use crate::error::{Error, InternalFault};

/// What is about to be announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    /// All logins of the user end.
    RevokeUser(Subject),
    /// Everything issued to the client ends.
    RevokeClient(ClientId),
    /// The user's roles are others.
    ChangeGrant(Subject),
}

/// An intent that is written down. Dropped, it is nobody's any more, and is made up for unless it was announced.
pub(super) struct Noted {
    key: String,
    revision: Revision,
    _carried_out: CarriedOut,
}

/// The intents that calls of this process carry out just now: nobody else finishes them meanwhile.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<BTreeMap<String, usize>>>);

struct CarriedOut {
    key: String,
    all: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl UnderWay {
    fn enter(&self, key: &str) -> CarriedOut {
        *self.0.lock().entry(key.to_owned()).or_default() += 1;
        CarriedOut { key: key.to_owned(), all: Arc::clone(&self.0) }
    }

    fn has(&self, key: &str) -> bool {
        self.0.lock().contains_key(key)
    }
}

impl Drop for CarriedOut {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.key);
            }
        }
    }
}

impl Intent {
    fn key(&self) -> String {
        match self {
            Self::RevokeUser(subject) => format!("revoke_user:{subject}"),
            Self::RevokeClient(client) => format!("revoke_client:{client}"),
            Self::ChangeGrant(subject) => format!("change_grant:{subject}"),
        }
    }

    /// The intent that is written down under `key`; `None`: the record is of another kind.
    fn of_key(key: &str) -> Option<Result<Self, InternalFault>> {
        let (kind, name) = key.split_once(':')?;
        let intent = match kind {
            "revoke_user" => Subject::new(name).map(Self::RevokeUser),
            "revoke_client" => ClientId::new(name).map(Self::RevokeClient),
            "change_grant" => Subject::new(name).map(Self::ChangeGrant),
            _ => return None,
        };
        Some(intent.map_err(|_| InternalFault::Record { what: "intent" }))
    }
}

impl Instance {
    /// Writes down what is about to be announced.
    pub(super) async fn intend(&self, intent: &Intent) -> Result<Noted, Error> {
        let key = intent.key();
        let carried_out = self.under_way.enter(&key);
        let new = || NewRecord { kind: RecordKind::Instance, key: key.clone(), alias: None, body: "true".to_owned() };
        let revision = loop {
            // Noted again when it is noted already, so that only the last of several calls takes the note away.
            match self.records.load_record(RecordKind::Instance, &key).await? {
                Some(known) => {
                    if let RecordSwapped::Done(revision) = self.records.swap_record(new(), known.revision).await? {
                        break revision;
                    }
                }
                None => {
                    if let RecordInserted::Done(revision) = self.records.insert_record(new()).await? {
                        break revision;
                    }
                }
            }
        };
        Ok(Noted { key, revision, _carried_out: carried_out })
    }

    /// Takes the note away. Where that fails, it is announced once more, which ends newer logins and no more.
    pub(super) async fn announced(&self, noted: Noted) {
        self.remove_note(&noted).await;
    }

    /// The change of the record that was noted; where it certainly did not happen, the note goes.
    pub(super) async fn changed<T>(&self, noted: &Noted, outcome: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Input(_)) = &outcome {
            self.remove_note(noted).await;
        }
        outcome
    }

    async fn remove_note(&self, noted: &Noted) {
        let removed = self.records.remove_record(RecordKind::Instance, &noted.key, noted.revision).await;
        if let Err(error) = removed {
            tracing::warn!(code = error.code(), "the note of a change that is announced stays");
        }
    }

    /// Announces what was noted and is carried out by nobody.
    pub(super) async fn finish_intents(&self) -> Result<(), Error> {
        let mut after = None::<String>;
        loop {
            let page = self.records.list_records(RecordKind::Instance, after.as_deref(), 1_000).await?;
            for record in page.records {
                let Some(intent) = Intent::of_key(&record.key) else { continue };
                if self.under_way.has(&record.key) {
                    continue;
                }
                self.carry_out(intent?).await?;
                // Noted again since: that call's own.
                self.records.remove_record(RecordKind::Instance, &record.key, record.revision).await?;
                tracing::info!(intent = record.key, "a change that was begun is announced");
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn carry_out(&self, intent: Intent) -> Result<(), Error> {
        match intent {
            Intent::RevokeUser(subject) => self.revoke(Target::User(subject), Wait::No).await.map(drop),
            Intent::RevokeClient(client) => self.revoke(Target::Client(client), Wait::No).await.map(drop),
            Intent::ChangeGrant(subject) => self.announce_grant(&subject, Wait::No).await.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_found_again_under_its_key() {
        let subject = Subject::new("a:b").unwrap();
        for intent in [
            Intent::RevokeUser(subject.clone()),
            Intent::ChangeGrant(subject),
            Intent::RevokeClient(ClientId::new("web").unwrap()),
        ] {
            assert_eq!(Intent::of_key(&intent.key()), Some(Ok(intent)));
        }
        for other in ["lease_ms", "bootstrap", "throttle:x"] {
            assert_eq!(Intent::of_key(other), None, "{other}");
        }
        assert!(Intent::of_key("revoke_client:NOT A CLIENT").unwrap().is_err());
    }

    #[test]
    fn what_is_under_way_is_so_until_the_last_call_has_ended() {
        let under_way = UnderWay::default();
        let (first, second) = (under_way.enter("a"), under_way.enter("a"));
        drop(first);
        assert!(under_way.has("a") && !under_way.has("b"));
        drop(second);
        assert!(!under_way.has("a"));
    }
}
