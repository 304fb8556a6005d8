//! What a call is about to revoke, written down before the row that it changes: if the process dies between the row and
//! the append, the next start makes up for it.

use misario_core::changes::Target;
use misario_core::id::Subject;
use misario_core::store::{NewRecord, RecordInserted, RecordKind, RecordSwapped, Revision};

use super::{Instance, Wait};
use crate::error::{Error, InternalFault};

/// What the keys of these records begin with.
const PREFIX: &str = "revoke_user:";

impl Instance {
    /// Notes that all logins of the user are about to be ended; the revision of the note.
    pub(super) async fn intend_to_revoke(&self, subject: &Subject) -> Result<Revision, Error> {
        let new =
            || NewRecord { kind: RecordKind::Instance, key: key_of(subject), alias: None, body: "true".to_owned() };
        loop {
            // Noted again when it is noted already, so that only the last of several calls takes the note away.
            match self.records.load_record(RecordKind::Instance, &key_of(subject)).await? {
                Some(known) => {
                    if let RecordSwapped::Done(revision) = self.records.swap_record(new(), known.revision).await? {
                        return Ok(revision);
                    }
                }
                None => {
                    if let RecordInserted::Done(revision) = self.records.insert_record(new()).await? {
                        return Ok(revision);
                    }
                }
            }
        }
    }

    /// Takes the note away. Where that fails, the next start revokes once more, which ends newer logins and no more.
    pub(super) async fn revoked_as_intended(&self, subject: &Subject, noted: Revision) {
        let removed = self.records.remove_record(RecordKind::Instance, &key_of(subject), noted).await;
        if let Err(error) = removed {
            tracing::warn!(code = error.code(), "the note of a revocation that is done stays");
        }
    }

    /// Revokes what an earlier process noted and did not come to.
    pub(super) async fn finish_revocations(&self) -> Result<(), Error> {
        let mut after = None::<String>;
        loop {
            let page = self.records.list_records(RecordKind::Instance, after.as_deref(), 1_000).await?;
            for record in page.records {
                let Some(subject) = record.key.strip_prefix(PREFIX) else { continue };
                let unreadable = |_| InternalFault::Record { what: "revocation" };
                let subject = Subject::new(subject).map_err(unreadable)?;
                self.revoke(Target::User(subject.clone()), Wait::No).await?;
                self.revoked_as_intended(&subject, record.revision).await;
                tracing::info!(%subject, "a revocation that was begun is done");
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

fn key_of(subject: &Subject) -> String {
    format!("{PREFIX}{subject}")
}
