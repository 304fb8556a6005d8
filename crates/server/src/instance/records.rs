//! Records as values: JSON in, JSON out, changed by compare-and-swap.

use misario_core::store::{NewRecord, RecordInserted, RecordKind, RecordSwapped, Revision};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Instance;
use crate::error::{Error, InputFault, InternalFault};

/// How often a change is tried again when somebody else was faster.
const TRIES: usize = 16;

impl Instance {
    /// The record of that key.
    pub(super) async fn load<T: DeserializeOwned>(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Result<Option<(T, Revision)>, Error> {
        let Some(record) = self.records.load_record(kind, key).await? else { return Ok(None) };
        Ok(Some((read(kind, &record.body)?, record.revision)))
    }

    /// The record of that second name.
    pub(super) async fn load_alias<T: DeserializeOwned>(
        &self,
        kind: RecordKind,
        alias: &str,
    ) -> Result<Option<T>, Error> {
        let Some(record) = self.records.load_by_alias(kind, alias).await? else { return Ok(None) };
        read(kind, &record.body).map(Some)
    }

    /// All records of a kind. Only for kinds of which an instance has few.
    pub(super) async fn load_all<T: DeserializeOwned>(&self, kind: RecordKind) -> Result<Vec<T>, Error> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.records.list_records(kind, after.as_deref(), 1_000).await?;
            for record in &page.records {
                all.push(read(kind, &record.body)?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// A page of records.
    pub(super) async fn load_page<T: DeserializeOwned>(
        &self,
        kind: RecordKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let page = self.records.list_records(kind, after, limit).await?;
        let values = page.records.iter().map(|record| read(kind, &record.body)).collect::<Result<_, _>>()?;
        Ok((values, page.next))
    }

    /// Creates the record.
    pub(super) async fn create<T: Serialize>(&self, record: Keyed<'_, T>) -> Result<(), Error> {
        let what = record.kind.name();
        match self.records.insert_record(record.to_new()?).await? {
            RecordInserted::Done(_) => Ok(()),
            RecordInserted::Exists => Err(InputFault::Exists { what }.into()),
        }
    }

    /// Changes the record, again and again until nobody else changed it in between. `alias` tells the second name of
    /// the changed value.
    pub(super) async fn update<T, R>(
        &self,
        kind: RecordKind,
        key: &str,
        alias: impl Fn(&T) -> Option<String>,
        mut change: impl FnMut(&mut T) -> Result<R, Error>,
    ) -> Result<(T, R), Error>
    where
        T: DeserializeOwned + Serialize,
    {
        let what = kind.name();
        for _ in 0..TRIES {
            let (mut value, revision) = self.load::<T>(kind, key).await?.ok_or(InputFault::NotFound { what })?;
            let result = change(&mut value)?;
            let alias = alias(&value);
            let record = Keyed { kind, key, alias: alias.as_deref(), value: &value }.to_new()?;
            match self.records.swap_record(record, revision).await? {
                RecordSwapped::Done(_) => return Ok((value, result)),
                RecordSwapped::Conflict => {}
                RecordSwapped::Gone => return Err(InputFault::NotFound { what }.into()),
            }
        }
        Err(InputFault::Contended { what }.into())
    }
}

/// A value and what it is stored under.
pub(super) struct Keyed<'a, T> {
    pub(super) kind: RecordKind,
    pub(super) key: &'a str,
    pub(super) alias: Option<&'a str>,
    pub(super) value: &'a T,
}

impl<T: Serialize> Keyed<'_, T> {
    fn to_new(&self) -> Result<NewRecord, Error> {
        let unreadable = InternalFault::Record { what: self.kind.name() };
        Ok(NewRecord {
            kind: self.kind,
            key: self.key.to_owned(),
            alias: self.alias.map(str::to_owned),
            body: serde_json::to_string(self.value).map_err(|_| unreadable)?,
        })
    }
}

fn read<T: DeserializeOwned>(kind: RecordKind, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|_| InternalFault::Record { what: kind.name() }.into())
}
