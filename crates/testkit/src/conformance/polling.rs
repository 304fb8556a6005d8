//! The law of futures: a verb that nobody polls is not carried out.

use std::sync::Arc;

use misario_core::changes::FenceKey;
use misario_core::store::{Cursor, RecordKind, SessionFilter};
use misario_jose::UnixTime;

use super::Store;
use crate::samples::{
    NOW, ended, fenced, fencing, inserted, record, recorded, renewal, replica, session, sid, touched,
};

/// Each verb that changes something is called, and its future dropped: nothing has changed, and nothing will.
pub async fn a_verb_does_nothing_until_it_is_polled(store: Arc<dyn Store>) {
    let end_of_time = UnixTime::from_secs(u64::MAX - 1);
    let at = inserted(&*store, &session(1)).await;
    let record_at = recorded(&*store, &record("u1", Some("alice"))).await;
    store.append(ended(1, NOW)).await.unwrap();
    fenced(&*store, FenceKey::Login(sid(7))).await;
    store.renew(renewal(1, store.head().await.unwrap())).await.unwrap();
    let before = everything(&*store).await;

    let counter = before.registry[0].counter;
    drop(store.insert(&session(2)));
    drop(store.swap(&touched(&session(1)), at));
    drop(store.remove(&sid(1)));
    drop(store.sweep_sessions(end_of_time, 100));
    drop(store.append(fencing(FenceKey::Everything, None)));
    drop(store.renew(renewal(2, before.head)));
    drop(store.leave(replica(1), counter));
    drop(store.prune(end_of_time, 100));
    drop(store.insert_record(record("u2", None)));
    drop(store.swap_record(record("u1", Some("bob")), record_at));
    drop(store.remove_record(RecordKind::User, "u1", record_at));
    drop(store.wait_beyond(before.head));

    assert_eq!(everything(&*store).await, before);
    // A write of after: whatever was on its way would have come before it.
    assert_eq!(store.append(ended(2, NOW)).await.unwrap().position, before.head.next());
    assert_eq!(store.list(SessionFilter::All, None::<Cursor>, 10).await.unwrap().sessions.len(), 1);
    assert_eq!(store.list_records(RecordKind::User, None, 10).await.unwrap().records, before.records);
}

/// What a store holds, as far as the verbs above could change it.
#[derive(Debug, PartialEq)]
struct Everything {
    head: misario_core::changes::Position,
    sessions: Vec<(misario_core::session::Session, misario_core::store::Revision)>,
    records: Vec<misario_core::store::Record>,
    log: Vec<misario_core::changes::Change>,
    registry: Vec<misario_core::store::RegistryEntry>,
    fences: Vec<Option<misario_core::changes::Fence>>,
}

async fn everything(store: &dyn Store) -> Everything {
    Everything {
        head: store.head().await.unwrap(),
        sessions: store.list(SessionFilter::All, None, 10).await.unwrap().sessions,
        records: store.list_records(RecordKind::User, None, 10).await.unwrap().records,
        log: store.snapshot().await.unwrap().1,
        registry: store.replicas().await.unwrap(),
        fences: store.fences(&[FenceKey::Everything, FenceKey::Login(sid(7))]).await.unwrap().fences,
    }
}
