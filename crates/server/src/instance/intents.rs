//! What a call is about to make true everywhere, written down before the record that it changes: if the process dies, or
//! the store fails, between the record and the change that announces it, somebody makes up for it. The next start does, and
//! until then the sweep.

use std::collections::BTreeSet;
use std::sync::Arc;

use misario_core::changes::Target;
use misario_core::id::{ClientId, Subject};
use misario_core::store::{NewRecord, Record, RecordInserted, RecordKind, RecordSwapped, Revision};
use misario_jose::b64u;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Instance, Wait};
use crate::error::{Error, InternalFault};

/// What the keys of these records begin with; a number of its own for each call follows.
const PREFIX: &str = "intent:";

/// What is about to be announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
pub(super) struct UnderWay(Arc<Mutex<BTreeSet<String>>>);

struct CarriedOut {
    key: String,
    all: Arc<Mutex<BTreeSet<String>>>,
}

impl UnderWay {
    fn enter(&self, key: &str) -> CarriedOut {
        self.0.lock().insert(key.to_owned());
        CarriedOut { key: key.to_owned(), all: Arc::clone(&self.0) }
    }

    fn has(&self, key: &str) -> bool {
        self.0.lock().contains(key)
    }
}

impl Drop for CarriedOut {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

impl Instance {
    /// Writes down what is about to be announced. Each call has a note of its own: what one of two does not come to, the
    /// other's end takes away from nobody.
    pub(super) async fn intend(&self, intent: &Intent) -> Result<Noted, Error> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let key = format!("{PREFIX}{}", b64u::encode(&random));
        let carried_out = self.under_way.enter(&key);
        let unwritable = |_| InternalFault::Record { what: "intent" };
        let body = serde_json::to_string(intent).map_err(unwritable)?;
        let new = NewRecord { kind: RecordKind::Instance, key: key.clone(), alias: None, body };
        match self.records.insert_record(new).await? {
            RecordInserted::Done(revision) => Ok(Noted { key, revision, _carried_out: carried_out }),
            // 128 random bits were drawn twice: the randomness is broken.
            RecordInserted::Exists => Err(InternalFault::Record { what: "intent" }.into()),
        }
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
                if record.key.starts_with(PREFIX) && !self.under_way.has(&record.key) {
                    self.finish(record).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Announces what the record says, unless its own call came to its end since the record was listed: whoever signed in
    /// after that is not concerned.
    async fn finish(&self, record: Record) -> Result<(), Error> {
        let intent: Intent =
            serde_json::from_str(&record.body).map_err(|_| InternalFault::Record { what: "intent" })?;
        let Record { key, alias, body, revision } = record;
        let claim = NewRecord { kind: RecordKind::Instance, key: key.clone(), alias, body };
        let RecordSwapped::Done(claimed) = self.records.swap_record(claim, revision).await? else { return Ok(()) };
        self.carry_out(intent).await?;
        self.records.remove_record(RecordKind::Instance, &key, claimed).await?;
        tracing::info!("a change that was begun is announced");
        Ok(())
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
    fn an_intent_is_stored_in_its_form() {
        let subject = Subject::new("a:b").unwrap();
        for (intent, form) in [
            (Intent::RevokeUser(subject.clone()), r#"{"revoke_user":"a:b"}"#),
            (Intent::ChangeGrant(subject), r#"{"change_grant":"a:b"}"#),
            (Intent::RevokeClient(ClientId::new("web").unwrap()), r#"{"revoke_client":"web"}"#),
        ] {
            assert_eq!(serde_json::to_string(&intent).unwrap(), form);
            assert_eq!(serde_json::from_str::<Intent>(form).unwrap(), intent);
        }
    }

    #[test]
    fn what_is_under_way_is_so_until_its_call_has_ended() {
        let under_way = UnderWay::default();
        let (first, second) = (under_way.enter("a"), under_way.enter("b"));
        drop(first);
        assert!(!under_way.has("a") && under_way.has("b"));
        drop(second);
        assert!(!under_way.has("b"));
    }
}
