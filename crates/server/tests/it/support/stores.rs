//! A store that counts what is asked of it, fails when it is told to, and can be looked at as a whole.

use std::sync::{Arc, Mutex};

use misario_core::changes::{Change, FenceKey, NewChange, Position};
use misario_core::id::{ReplicaId, SessionId};
use misario_core::session::Session;
use misario_core::store::{
    Appended, ChangeLog, Cursor, Fences, Inserted, LiveStore, LoadedSession, LogRead, MemoryStore, NewRecord, Page,
    Record, RecordInserted, RecordKind, RecordPage, RecordStore, RecordSwapped, RegistryEntry, Renewal, Revision,
    SessionFilter, SessionStore, StoreError, StoreFuture, Swapped,
};
use misario_jose::UnixTime;
use serde_json::json;

/// Both roles in one.
pub(crate) trait Whole: LiveStore + RecordStore {}
impl<T: LiveStore + RecordStore> Whole for T {}

tokio::task_local! {
    static ASKED: Arc<Mutex<Vec<&'static str>>>;
}

/// What `work` returns, and what it asked of the store itself; what goes on in the background does not count.
pub(crate) async fn counted<T>(work: impl Future<Output = T>) -> (T, Vec<&'static str>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let done = ASKED.scope(Arc::clone(&asked), work).await;
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    (done, asked)
}

/// The store.
#[derive(Clone)]
pub(crate) struct Probe {
    inner: Arc<dyn Whole>,
    health: Arc<Mutex<Health>>,
    damaged: Arc<Mutex<Option<SessionId>>>,
    happens: Arc<Mutex<Option<(&'static str, Event)>>>,
}

/// What happens while a verb is carried out.
type Event = Box<dyn FnMut() + Send>;

/// How a store fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// It does not.
    #[default]
    Well,
    /// Nothing is done, and an error is the answer.
    Down,
    /// Everything is done, and an error is the answer all the same.
    Mute,
    /// Nothing is appended to the log; all else is done.
    Wordless,
    /// No session is removed; all else is done.
    Untidy,
}

impl Default for Probe {
    fn default() -> Self {
        Self::around(Arc::new(MemoryStore::new()))
    }
}

impl Probe {
    /// Around that store.
    pub(crate) fn around(inner: Arc<dyn Whole>) -> Self {
        Self { inner, health: Arc::default(), damaged: Arc::default(), happens: Arc::default() }
    }

    /// From here on every verb behaves like this.
    pub(crate) fn set(&self, health: Health) {
        *self.health.lock().unwrap() = health;
    }

    /// From here on this happens whenever the verb is carried out.
    pub(crate) fn during(&self, verb: &'static str, happens: impl FnMut() + Send + 'static) {
        *self.happens.lock().unwrap() = Some((verb, Box::new(happens)));
    }

    /// From here on this record cannot be read.
    pub(crate) fn damage(&self, sid: SessionId) {
        *self.damaged.lock().unwrap() = Some(sid);
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        verb: &'static str,
        go: impl FnOnce(&'a dyn Whole) -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        let _ = ASKED.try_with(|asked| asked.lock().unwrap().push(verb));
        if let Some((concerned, event)) = self.happens.lock().unwrap().as_mut()
            && *concerned == verb
        {
            event();
        }
        let health = match *self.health.lock().unwrap() {
            Health::Wordless if verb == "append" => Health::Down,
            Health::Untidy if verb == "remove" => Health::Down,
            Health::Wordless | Health::Untidy => Health::Well,
            health => health,
        };
        // A wait that only the next change would end is no answer to lose.
        let answer =
            (health == Health::Well || (health == Health::Mute && verb != "wait_beyond")).then(|| go(&*self.inner));
        Box::pin(async move {
            // Others get their turn before and after any verb, so that races happen.
            tokio::task::yield_now().await;
            let unavailable = StoreError::unavailable("the test says so");
            let answer = match answer {
                Some(answer) => {
                    answer.await.and_then(|done| if health == Health::Well { Ok(done) } else { Err(unavailable) })
                }
                None => Err(unavailable),
            };
            tokio::task::yield_now().await;
            answer
        })
    }

    /// Everything that is stored, as text.
    pub(crate) async fn dump(&self) -> String {
        let sessions = self.inner.list(SessionFilter::All, None, 1_000).await.unwrap();
        let sessions: Vec<_> = sessions.sessions.iter().map(|(session, at)| json!([session, at.0])).collect();
        let mut records = Vec::new();
        for kind in RecordKind::ALL {
            let page = self.inner.list_records(kind, None, 1_000).await.unwrap();
            records.extend(page.records.into_iter().map(|r| json!([kind.name(), r.key, r.body, r.revision.0])));
        }
        let (head, changes) = self.inner.snapshot().await.unwrap();
        json!({ "sessions": sessions, "records": records, "log": format!("{head} {changes:?}") }).to_string()
    }

    /// The number of the log's last entry.
    pub(crate) async fn head_sequence(&self) -> u64 {
        self.inner.head().await.unwrap().sequence
    }

    /// The sessions that are stored.
    pub(crate) async fn sessions(&self) -> Vec<Session> {
        let page = self.inner.list(SessionFilter::All, None, 1_000).await.unwrap();
        page.sessions.into_iter().map(|(session, _)| session).collect()
    }
}

impl SessionStore for Probe {
    fn insert<'a>(&'a self, session: &'a Session) -> StoreFuture<'a, Inserted> {
        self.ask("insert", |store| store.insert(session))
    }
    fn load<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, Option<LoadedSession>> {
        if *self.damaged.lock().unwrap() == Some(*sid) {
            let error = StoreError::Corrupt { what: "session", source: None };
            return Box::pin(std::future::ready(Err(error)));
        }
        self.ask("load", |store| store.load(sid))
    }
    fn swap<'a>(&'a self, session: &'a Session, expected: Revision) -> StoreFuture<'a, Swapped> {
        self.ask("swap", |store| store.swap(session, expected))
    }
    fn remove<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, bool> {
        self.ask("remove", |store| store.remove(sid))
    }
    fn list(&self, filter: SessionFilter, after: Option<Cursor>, limit: u32) -> StoreFuture<'_, Page> {
        self.ask("list", |store| store.list(filter, after, limit))
    }
    fn sweep_sessions(&self, ended_before: UnixTime, limit: u32) -> StoreFuture<'_, u32> {
        self.ask("sweep_sessions", |store| store.sweep_sessions(ended_before, limit))
    }
}

impl ChangeLog for Probe {
    fn append(&self, change: NewChange) -> StoreFuture<'_, Appended> {
        self.ask("append", |store| store.append(change))
    }
    fn read_from(&self, position: Position, limit: u32) -> StoreFuture<'_, LogRead> {
        self.ask("read_from", |store| store.read_from(position, limit))
    }
    fn snapshot(&self) -> StoreFuture<'_, (Position, Vec<Change>)> {
        self.ask("snapshot", |store| store.snapshot())
    }
    fn head(&self) -> StoreFuture<'_, Position> {
        self.ask("head", |store| store.head())
    }
    fn wait_beyond(&self, position: Position) -> StoreFuture<'_, ()> {
        self.ask("wait_beyond", |store| store.wait_beyond(position))
    }
    fn fences<'a>(&'a self, keys: &'a [FenceKey]) -> StoreFuture<'a, Fences> {
        self.ask("fences", |store| store.fences(keys))
    }
    fn renew(&self, renewal: Renewal) -> StoreFuture<'_, Position> {
        self.ask("renew", |store| store.renew(renewal))
    }
    fn replicas(&self) -> StoreFuture<'_, Vec<RegistryEntry>> {
        self.ask("replicas", |store| store.replicas())
    }
    fn leave(&self, id: ReplicaId, counter: u64) -> StoreFuture<'_, bool> {
        self.ask("leave", |store| store.leave(id, counter))
    }
    fn prune(&self, now: UnixTime, limit: u32) -> StoreFuture<'_, u32> {
        self.ask("prune", |store| store.prune(now, limit))
    }
}

impl RecordStore for Probe {
    fn insert_record(&self, record: NewRecord) -> StoreFuture<'_, RecordInserted> {
        self.ask("insert_record", |store| store.insert_record(record))
    }
    fn load_record<'a>(&'a self, kind: RecordKind, key: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.ask("load_record", |store| store.load_record(kind, key))
    }
    fn load_by_alias<'a>(&'a self, kind: RecordKind, alias: &'a str) -> StoreFuture<'a, Option<Record>> {
        self.ask("load_by_alias", |store| store.load_by_alias(kind, alias))
    }
    fn swap_record(&self, record: NewRecord, expected: Revision) -> StoreFuture<'_, RecordSwapped> {
        self.ask("swap_record", |store| store.swap_record(record, expected))
    }
    fn remove_record<'a>(&'a self, kind: RecordKind, key: &'a str, expected: Revision) -> StoreFuture<'a, bool> {
        self.ask("remove_record", |store| store.remove_record(kind, key, expected))
    }
    fn list_records<'a>(&'a self, kind: RecordKind, after: Option<&'a str>, limit: u32) -> StoreFuture<'a, RecordPage> {
        self.ask("list_records", |store| store.list_records(kind, after, limit))
    }
}
