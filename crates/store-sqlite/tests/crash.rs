//! `kill -9` in a storm of writes: what was acknowledged is there, and nothing is there by half.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test without a store fails")]

use std::path::Path;
use std::sync::Arc;

use misario_core::changes::{Change, ChangeKind, FenceKey, Position, Target};
use misario_core::id::SessionId;
use misario_core::session::Session;
use misario_core::store::{ChangeLog, RecordKind, RecordStore, Revision, SessionStore, Swapped};
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::child::{self, Again};
use misario_testkit::conformance::rounds;
use misario_testkit::entropy::SeededEntropy;
use misario_testkit::samples::{fenced, inserted, loaded, record, recorded, session, sid, subject};
use rusqlite::Connection;

const TEST: &str = "an_acknowledged_write_survives_kill_9";

/// How many tasks of each kind write at once.
const TASKS: u64 = 4;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("misario.db"), Options::default()).unwrap()
}

#[test]
fn an_acknowledged_write_survives_kill_9() {
    if let Some(role) = child::role() {
        let (round, folder) = role.split_once(' ').unwrap();
        return storm(round.parse().unwrap(), folder.as_ref());
    }
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dice = SeededEntropy::new(9);
    let mut acknowledged = 0;
    for round in 0..rounds(10, 200) {
        let role = format!("{round} {}", folder.path().display());
        let mut child = Again::test(TEST).role(&role).start();
        let first = 1 + dice.below(400);
        let mut told: Vec<String> = (0..first).map_while(|_| child.line()).collect();
        told.extend(child.kill());
        assert!(told.len() as u64 >= first, "the child ended by itself");
        acknowledged += told.len();
        runtime.block_on(check_acknowledged(folder.path(), &told));
        check_whole(folder.path());
    }
    assert!(acknowledged > 1_000, "{acknowledged} writes are no storm");
}

/// Writes and tells until it is killed.
fn storm(round: u64, folder: &Path) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Arc::new(open(folder));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let first = (round * TASKS + task) << 32;
            tasks.spawn(sign_in_and_out(Arc::clone(&store), first));
            tasks.spawn(save(Arc::clone(&store), first));
            tasks.spawn(revoke(Arc::clone(&store), first));
            tasks.spawn(make_records(Arc::clone(&store), first));
        }
        tasks.join_all().await;
    });
}

async fn sign_in_and_out(store: Arc<SqliteStore>, first: u64) {
    for number in first + 1.. {
        inserted(&*store, &session(number)).await;
        child::tell(&format!("in {number}"));
        if number.is_multiple_of(3) {
            assert!(store.remove(&sid(number)).await.unwrap());
            child::tell(&format!("out {number}"));
        }
    }
}

/// The session whose `idle` counts its saves; its handle is no number of [`sign_in_and_out`].
fn counting(first: u64, saves: u64) -> Session {
    let mut octets = *sid(first).as_bytes();
    octets[0] = 0xcc;
    Session { sid: SessionId::from_bytes(octets), idle: saves, ..session(first) }
}

async fn save(store: Arc<SqliteStore>, first: u64) {
    let mut revision: Revision = inserted(&*store, &counting(first, 0)).await;
    for saves in 1.. {
        match store.swap(&counting(first, saves), revision).await.unwrap() {
            Swapped::Done(next) => revision = next,
            other => panic!("nobody else saves it: {other:?}"),
        }
        child::tell(&format!("saved {first} {saves}"));
    }
}

async fn revoke(store: Arc<SqliteStore>, first: u64) {
    for number in first.. {
        let position = fenced(&*store, user(number)).await;
        child::tell(&format!("revoked {number} {position}"));
    }
}

fn user(number: u64) -> FenceKey {
    FenceKey::User(subject(&format!("user-{number}")))
}

async fn make_records(store: Arc<SqliteStore>, first: u64) {
    for number in first.. {
        recorded(&*store, &record(&format!("u{number}"), Some(&format!("user-{number}")))).await;
        child::tell(&format!("record {number}"));
    }
}

async fn check_acknowledged(folder: &Path, told: &[String]) {
    let store = open(folder);
    let (head, log) = store.snapshot().await.unwrap();
    for line in told {
        let mut words = line.split(' ');
        let what = words.next().unwrap();
        let number: u64 = words.next().unwrap().parse().unwrap();
        match what {
            "in" => {
                let is_there = store.load(&sid(number)).await.unwrap().is_some();
                // A removal may have happened and not been told.
                assert!(is_there || number.is_multiple_of(3), "{line}");
            }
            "out" => assert!(store.load(&sid(number)).await.unwrap().is_none(), "{line}"),
            "saved" => {
                let saves: u64 = words.next().unwrap().parse().unwrap();
                let stored = loaded(&store, &counting(number, 0).sid).await.session.idle;
                // The save after the last that was told may have happened.
                assert!(stored >= saves, "{line}: {stored}");
            }
            "revoked" => {
                let position: Position = words.next().unwrap().parse().unwrap();
                assert!(position <= head, "{line}");
                let kind = ChangeKind::Revoked { target: target(number), before: None };
                assert!(log.iter().any(|change| change.position == position && change.kind == kind), "{line}");
                let fences = store.fences(&[user(number)]).await.unwrap().fences;
                assert_eq!(fences[0].map(|fence| fence.before), Some(position), "{line}");
            }
            "record" => {
                let alias = format!("user-{number}");
                assert!(store.load_by_alias(RecordKind::User, &alias).await.unwrap().is_some(), "{line}");
            }
            other => panic!("{other}?"),
        }
    }
    check_gap_free(head, &log);
    store.close().await.unwrap();
}

fn target(number: u64) -> Target {
    match user(number) {
        FenceKey::User(subject) => Target::User(subject),
        _ => unreachable!("a user's fence"),
    }
}

fn check_gap_free(head: Position, log: &[Change]) {
    let positions: Vec<u64> = log.iter().map(|change| change.position.sequence).collect();
    assert_eq!(positions, (1..=head.sequence).collect::<Vec<_>>());
}

/// Every entry has its fence and every fence its entry, told or not; and SQLite finds nothing wrong.
fn check_whole(folder: &Path) {
    let raw = Connection::open(folder.join("misario.db")).unwrap();
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let pairs = count("SELECT count(*) FROM log JOIN fences USING (epoch, seq)");
    assert_eq!(count("SELECT count(*) FROM log"), pairs);
    assert_eq!(count("SELECT count(*) FROM fences"), pairs);
    assert_eq!(count("SELECT head FROM marks"), pairs);
    assert!(count("SELECT max(revision) FROM sessions") <= count("SELECT revision FROM marks"));
    let finding: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(finding, "ok");
}
