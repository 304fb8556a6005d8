//! Whom a database belongs to. A record in it says so, because it outlives the code that named the issuer.

use misario_core::app::Origin;
use misario_core::store::{NewRecord, RecordInserted, RecordKind, RecordStore, RecordSwapped};

use super::EmbeddedError;

const KEY: &str = "issuer";

/// Takes the database for `issuer`: if it is nobody's, already theirs, or belonged to `earlier`.
pub(super) async fn claim(
    records: &dyn RecordStore,
    issuer: &Origin,
    earlier: Option<&Origin>,
) -> Result<(), EmbeddedError> {
    // JSON; an origin holds nothing that would have to be escaped.
    let body = format!("\"{issuer}\"");
    let new = || NewRecord { kind: RecordKind::Instance, key: KEY.to_owned(), alias: None, body: body.clone() };
    loop {
        let is_done = match records.load_record(RecordKind::Instance, KEY).await? {
            None => matches!(records.insert_record(new()).await?, RecordInserted::Done(_)),
            Some(record) if record.body == body => true,
            Some(record) => {
                let stored = record.body.trim_matches('"');
                if earlier.is_none_or(|earlier| earlier.as_str() != stored) {
                    return Err(EmbeddedError::IssuerChanged { stored: stored.to_owned(), given: issuer.clone() });
                }
                let swapped = records.swap_record(new(), record.revision).await?;
                if matches!(swapped, RecordSwapped::Done(_)) {
                    tracing::warn!(from = stored, to = %issuer, "the database belongs to another issuer from here on");
                }
                matches!(swapped, RecordSwapped::Done(_))
            }
        };
        if is_done {
            return Ok(());
        }
    }
}
