//! What must hold however concurrent callers fall.

use std::sync::Arc;

use misario_core::changes::FenceKey;
use misario_core::session::Session;
use misario_core::store::{Inserted, LoadedSession, NewRecord, RecordInserted, RecordKind, RecordSwapped, Swapped};

use super::Store;
use crate::samples::{fencing, inserted, loaded, record, recorded, session, session_of, sid, subject, touched};

/// Two sign-ins that drew one handle: one has it, the others are told.
pub async fn one_of_many_inserts_wins(store: Arc<dyn Store>) {
    let mut inserts = tokio::task::JoinSet::new();
    for owner in 0..16 {
        let store = Arc::clone(&store);
        inserts.spawn(async move {
            let session = session_of(1, &format!("user-{owner}"), "web");
            (store.insert(&session).await.unwrap(), session)
        });
    }
    let answers = inserts.join_all().await;
    let done: Vec<_> = answers.iter().filter(|(answer, _)| matches!(answer, Inserted::Done(_))).collect();
    assert_eq!(done.len(), 1);
    assert_eq!(answers.iter().filter(|(answer, _)| *answer == Inserted::Exists).count(), 15);
    assert_eq!(loaded(&*store, &sid(1)).await.session, done[0].1);
}

/// Many swaps from one revision: one is done, the others lost the race.
pub async fn one_of_many_swaps_wins(store: Arc<dyn Store>) {
    let revision = inserted(&*store, &session(1)).await;
    let mut swaps = tokio::task::JoinSet::new();
    for idle in 1..=16 {
        let store = Arc::clone(&store);
        swaps.spawn(async move {
            let session = Session { idle, ..session(1) };
            (store.swap(&session, revision).await.unwrap(), idle)
        });
    }
    let answers = swaps.join_all().await;
    let done: Vec<_> = answers.iter().filter(|(answer, _)| matches!(answer, Swapped::Done(_))).collect();
    assert_eq!(done.len(), 1);
    assert_eq!(answers.iter().filter(|(answer, _)| *answer == Swapped::Conflict).count(), 15);
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!((Swapped::Done(found.revision), found.session.idle), *done[0]);
}

/// A count kept by read and swap counts every step.
pub async fn no_update_is_lost(store: Arc<dyn Store>) {
    const WRITERS: u32 = 8;
    const EACH: u32 = 25;
    recorded(&*store, &NewRecord { body: "0".to_owned(), ..record("count", None) }).await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let mut done = 0;
            while done < EACH {
                let read = store.load_record(RecordKind::User, "count").await.unwrap().expect("it is there");
                let body = (read.body.parse::<u32>().unwrap() + 1).to_string();
                let next = NewRecord { body, ..record("count", None) };
                if let RecordSwapped::Done(_) = store.swap_record(next, read.revision).await.unwrap() {
                    done += 1;
                }
            }
        });
    }
    writers.join_all().await;
    let count = store.load_record(RecordKind::User, "count").await.unwrap().expect("it is there");
    assert_eq!(count.body, (WRITERS * EACH).to_string());
}

/// How many logins are revoked while something is done with them, all at once.
const REVOCATIONS: u64 = 1_000;

/// Sign-in reads the head, the user is revoked, sign-in inserts: when the revocation has returned, nothing of before
/// can be loaded as if it counted, and nothing comes into being any more.
pub async fn a_sign_in_that_races_a_revocation_is_refused_or_fenced(store: Arc<dyn Store>) {
    let mut rounds = tokio::task::JoinSet::new();
    for round in 0..REVOCATIONS {
        let store = Arc::clone(&store);
        rounds.spawn(async move {
            let session = login(&*store, round).await;
            let sign_in = {
                let (store, session) = (Arc::clone(&store), session.clone());
                async move { store.insert(&session).await.unwrap() }
            };
            let (answer, early) = against_revocation(&store, round, sign_in, store.load(&session.sid)).await;
            let (early, late) = (early.unwrap(), store.load(&session.sid).await.unwrap());
            assert!(early.as_ref().is_none_or(LoadedSession::is_fenced));
            // What was not there then, an insert that is one step with its look at the fence cannot make any more.
            let revisions = [early, late].map(|found| found.map(|found| found.revision));
            assert_eq!(revisions[0], revisions[1], "the session came into being after the revocation had returned");
            match answer {
                Inserted::Done(revision) => {
                    assert_eq!(revisions[1], Some(revision));
                    assert_eq!(store.swap(&touched(&session), revision).await.unwrap(), Swapped::Fenced);
                }
                Inserted::Fenced => assert_eq!(revisions[1], None),
                Inserted::Exists => panic!("nobody else has that handle"),
            }
        });
    }
    rounds.join_all().await;
}

/// The same for a session that is saved: when the revocation has returned, nothing changes it any more.
pub async fn a_save_that_races_a_revocation_comes_first_or_is_refused(store: Arc<dyn Store>) {
    let mut rounds = tokio::task::JoinSet::new();
    for round in 0..REVOCATIONS {
        let store = Arc::clone(&store);
        rounds.spawn(async move {
            let session = login(&*store, round).await;
            let revision = inserted(&*store, &session).await;
            let save = {
                let (store, session) = (Arc::clone(&store), touched(&session));
                async move { store.swap(&session, revision).await.unwrap() }
            };
            let (answer, early) = against_revocation(&store, round, save, loaded(&*store, &session.sid)).await;
            let late = loaded(&*store, &session.sid).await;
            assert!(early.is_fenced());
            assert_eq!(
                (late.session, late.revision),
                (early.session, early.revision),
                "the session was saved after the revocation had returned"
            );
            match answer {
                Swapped::Done(saved) => assert_eq!(late.revision, saved),
                Swapped::Fenced => assert_eq!(late.revision, revision),
                other => panic!("nobody else changed it: {other:?}"),
            }
        });
    }
    rounds.join_all().await;
}

/// A login of a user of its own, about to be made.
async fn login(store: &dyn Store, round: u64) -> Session {
    Session { issued: store.head().await.unwrap(), ..session_of(round, &format!("user-{round}"), "web") }
}

/// Writes while the user of that login is revoked. What the write answered, and what `look` finds as soon as the
/// revocation has returned.
async fn against_revocation<A: Send + 'static, F>(
    store: &Arc<dyn Store>,
    round: u64,
    write: impl Future<Output = A> + Send + 'static,
    look: impl Future<Output = F>,
) -> (A, F) {
    let revoke = {
        let store = Arc::clone(store);
        let change = fencing(FenceKey::User(subject(&format!("user-{round}"))), None);
        async move { drop(store.append(change).await.unwrap()) }
    };
    // Who is started first has a lead; it changes hands.
    let (write, revoke) = if round.is_multiple_of(2) {
        let write = tokio::spawn(write);
        (write, tokio::spawn(revoke))
    } else {
        let revoke = tokio::spawn(revoke);
        (tokio::spawn(write), revoke)
    };
    revoke.await.unwrap();
    let found = look.await;
    (write.await.unwrap(), found)
}

/// One of many records gets the alias they all want, whether they are made with it or change to it.
pub async fn one_of_many_takes_the_alias(store: Arc<dyn Store>) {
    const RECORDS: u64 = 16;
    for (alias, exist) in [("made", false), ("changed", true)] {
        let mut writes = tokio::task::JoinSet::new();
        for number in 0..RECORDS {
            let wanted = record(&format!("{alias}-{number}"), Some(alias));
            let made = NewRecord { alias: None, ..wanted.clone() };
            let revision = if exist { Some(recorded(&*store, &made).await) } else { None };
            let store = Arc::clone(&store);
            writes.spawn(async move {
                let taken = match revision {
                    Some(revision) => match store.swap_record(wanted.clone(), revision).await.unwrap() {
                        RecordSwapped::Done(_) => true,
                        RecordSwapped::Conflict => false,
                        RecordSwapped::Gone => panic!("nobody removes it"),
                    },
                    None => matches!(store.insert_record(wanted.clone()).await.unwrap(), RecordInserted::Done(_)),
                };
                (taken, wanted.key)
            });
        }
        let answers = writes.join_all().await;
        let winners: Vec<_> = answers.iter().filter(|(taken, _)| *taken).map(|(_, key)| key).collect();
        assert_eq!(winners.len(), 1, "{alias}");
        let found = store.load_by_alias(RecordKind::User, alias).await.unwrap().expect("somebody has it");
        assert_eq!(&found.key, winners[0], "{alias}");
        for (taken, key) in &answers {
            let read = store.load_record(RecordKind::User, key).await.unwrap();
            assert_eq!(read.is_some_and(|read| read.alias.is_some()), *taken, "{key}");
        }
    }
}

/// One request saves the session while another logs out: the save is done before the removal or finds the session
/// gone, and the session is gone in the end, in each of `rounds` rounds.
pub async fn a_save_racing_a_removal_never_revives_a_session(store: Arc<dyn Store>, rounds: u64) {
    /// Rounds that are under way at once, so that a store which groups its writes can do so.
    const AT_ONCE: u16 = 250;
    let (mut saved, mut gone) = (0_u64, 0_u64);
    for first in (0..rounds).step_by(AT_ONCE.into()) {
        let mut races = tokio::task::JoinSet::new();
        for round in first..rounds.min(first + u64::from(AT_ONCE)) {
            races.spawn(save_against_removal(Arc::clone(&store), round));
        }
        for answer in races.join_all().await {
            match answer {
                Swapped::Done(_) => saved += 1,
                Swapped::Gone => gone += 1,
                other => panic!("nobody else changed or fenced it: {other:?}"),
            }
        }
    }
    assert_eq!(saved + gone, rounds);
    assert!(saved > 0 && gone > 0, "no race at all: {saved} saves came first, {gone} removals");
}

async fn save_against_removal(store: Arc<dyn Store>, round: u64) -> Swapped {
    let session = session(round);
    let revision = inserted(&*store, &session).await;
    let save = {
        let (store, session) = (Arc::clone(&store), touched(&session));
        async move { store.swap(&session, revision).await.unwrap() }
    };
    let remove = {
        let (store, sid) = (Arc::clone(&store), session.sid);
        async move { store.remove(&sid).await.unwrap() }
    };
    // Who is started first has a lead; it changes hands.
    let (save, remove) = if round.is_multiple_of(2) {
        let save = tokio::spawn(save);
        (save, tokio::spawn(remove))
    } else {
        let remove = tokio::spawn(remove);
        (tokio::spawn(save), remove)
    };
    let (answer, removed) = (save.await.unwrap(), remove.await.unwrap());
    assert!(removed, "a save does not stand in the way of a removal");
    assert_eq!(store.load(&session.sid).await.unwrap(), None, "the save brought the session back");
    answer
}
