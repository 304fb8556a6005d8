//! What must hold however concurrent callers fall.

use std::sync::Arc;

use misario_core::changes::FenceKey;
use misario_core::session::Session;
use misario_core::store::{Inserted, NewRecord, RecordKind, RecordSwapped, Swapped};

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

/// Sign-in reads the head, the user is revoked, sign-in inserts: when the revocation has returned, nothing of before
/// can be loaded as if it counted, and nothing can be saved.
pub async fn a_sign_in_that_races_a_revocation_is_refused_or_fenced(store: Arc<dyn Store>) {
    let mut rounds = tokio::task::JoinSet::new();
    for round in 0..200_u64 {
        let store = Arc::clone(&store);
        rounds.spawn(async move {
            let owner = format!("user-{round}");
            let issued = store.head().await.unwrap();
            let session = Session { issued, ..session_of(round, &owner, "web") };
            let sign_in = tokio::spawn({
                let (store, session) = (Arc::clone(&store), session.clone());
                async move { store.insert(&session).await.unwrap() }
            });
            store.append(fencing(FenceKey::User(subject(&owner)), None)).await.unwrap();
            let early = store.load(&session.sid).await.unwrap();
            assert!(early.is_none_or(|found| found.is_fenced()));
            let answer = sign_in.await.unwrap();
            let late = store.load(&session.sid).await.unwrap();
            assert_eq!(late.is_some(), matches!(answer, Inserted::Done(_)));
            assert!(late.is_none_or(|found| found.is_fenced()));
            if let Inserted::Done(revision) = answer {
                assert_eq!(store.swap(&touched(&session), revision).await.unwrap(), Swapped::Fenced);
            }
        });
    }
    rounds.join_all().await;
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
