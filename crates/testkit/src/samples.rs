//! Sessions, changes and records to store, as small as they can be and as full as they may be.

use std::time::Duration;

use misario_core::app::{App, Mode, Transport};
use misario_core::changes::{ChangeKind, Epoch, FenceKey, NewChange, NewFence, Position, Target};
use misario_core::id::{AppId, ClientId, ReplicaId, SessionId, Subject};
use misario_core::refresh::TokenFamily;
use misario_core::session::{Device, SealedSeed, Session};
use misario_core::store::{
    Appended, Inserted, LoadedSession, NewRecord, Record, RecordInserted, RecordKind, Renewal, Revision,
};
use misario_core::user::Grant;
use misario_jose::UnixTime;

use crate::conformance::Store;

/// When all of this happens.
pub const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// The handle of that number; handles sort as their numbers do.
pub fn sid(number: u64) -> SessionId {
    let mut octets = [0; 16];
    octets[8..].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(octets)
}

/// The replica of that number.
pub fn replica(number: u8) -> ReplicaId {
    ReplicaId::from_bytes([number; 16])
}

/// The subject of that name.
pub fn subject(name: &str) -> Subject {
    Subject::new(name).unwrap()
}

/// The app of that name.
pub fn app(name: &str) -> AppId {
    AppId::new(name).unwrap()
}

/// A login of `alice` in `web`, issued at the place that the first entry of the log follows.
pub fn session(number: u64) -> Session {
    Session {
        sid: sid(number),
        app: app("web"),
        subject: subject("alice"),
        transport: Transport::Cookie,
        issued: Position::new(Epoch(1), 0),
        created: NOW,
        created_tick: 0,
        auth_time: NOW,
        login_exp: NOW.saturating_add(12 * 3600),
        idle: 1800,
        last_seen: NOW,
        grant: Grant { roles: vec!["staff".to_owned()], permissions: vec!["read".to_owned()] },
        grant_at: Position::new(Epoch(1), 0),
        amr: vec!["pwd".to_owned()],
        org: Some("löwe & söhne".to_owned()),
        device: Device { label: "Firefox, Linux".to_owned(), network: "192.0.2.0/24".to_owned() },
        seed: SealedSeed { key: 1, sealed: "c2VhbGVk".to_owned() },
        token: None,
        family: Some(TokenFamily::first()),
        data: Some(serde_json::json!({ "cart": [1, 2, 3] })),
    }
}

/// As [`session`], of another user in another app.
pub fn session_of(number: u64, owner: &str, app_name: &str) -> Session {
    Session { subject: subject(owner), app: app(app_name), ..session(number) }
}

/// A session that differs from `session` and is the same login.
pub fn touched(session: &Session) -> Session {
    Session { last_seen: session.last_seen.saturating_add(60), ..session.clone() }
}

/// Inserts the session, which must be free to insert.
pub async fn inserted(store: &dyn Store, session: &Session) -> Revision {
    match store.insert(session).await.unwrap() {
        Inserted::Done(revision) => revision,
        other => panic!("not inserted: {other:?}"),
    }
}

/// Loads the session, which must be there.
pub async fn loaded(store: &dyn Store, sid: &SessionId) -> LoadedSession {
    store.load(sid).await.unwrap().expect("the session is there")
}

/// The end of one login, without a fence, kept until `until`.
pub fn ended(number: u64, until: UnixTime) -> NewChange {
    change(ChangeKind::Revoked { target: Target::Login(sid(number)), before: None }, until)
}

/// A change without a fence.
pub fn change(kind: ChangeKind, until: UnixTime) -> NewChange {
    NewChange { at: NOW, until, kind, fence: None }
}

/// A revocation that puts up the fence `key`.
pub fn fencing(key: FenceKey, until: Option<UnixTime>) -> NewChange {
    let target = match &key {
        FenceKey::User(subject) => Target::User(subject.clone()),
        FenceKey::App(app) => Target::App(app.clone()),
        FenceKey::Login(sid) => Target::Login(*sid),
        _ => Target::Everything,
    };
    let kind = match &key {
        FenceKey::Stale(subject) => ChangeKind::SubjectChanged { subject: subject.clone(), before: None },
        FenceKey::Client(client) => ChangeKind::Revoked { target: Target::Client(client.clone()), before: None },
        _ => ChangeKind::Revoked { target, before: None },
    };
    NewChange { fence: Some(NewFence { key, until }), ..change(kind, NOW.saturating_add(900)) }
}

/// Appends the change; its place.
pub async fn appended(store: &dyn Store, change: NewChange) -> Position {
    let Appended { position, .. } = store.append(change).await.unwrap();
    position
}

/// Puts up a fence that stands for ever; its place.
pub async fn fenced(store: &dyn Store, key: FenceKey) -> Position {
    appended(store, fencing(key, None)).await
}

/// The fences that end the sample session.
pub fn ending() -> [FenceKey; 4] {
    [FenceKey::Login(sid(1)), FenceKey::User(subject("alice")), FenceKey::App(app("web")), FenceKey::Everything]
}

/// One change of every kind, with every target.
pub fn kinds() -> Vec<ChangeKind> {
    let targets = [
        Target::Token("jti-1".to_owned()),
        Target::Login(sid(1)),
        Target::User(subject("älice")),
        Target::App(app("web")),
        Target::Client(ClientId::new("robot").unwrap()),
        Target::Key("kid-1".to_owned()),
        Target::Everything,
    ];
    let before = Some(Position::new(Epoch(1), 7));
    let revoked = targets.into_iter().map(|target| ChangeKind::Revoked { target, before });
    let origin = "https://app.example".parse().unwrap();
    let an_app = App::new(app("web"), Mode::Hybrid, &[Transport::Cookie, Transport::Bearer], vec![origin]);
    revoked
        .chain([
            ChangeKind::SubjectChanged { subject: subject("bob"), before: None },
            ChangeKind::SessionChanged { sid: sid(9) },
            ChangeKind::KeysChanged { jwks: r#"{"keys":[]}"#.to_owned() },
            ChangeKind::AppChanged { app: Box::new(an_app) },
        ])
        .collect()
}

/// A replica's call for a lease of two seconds.
pub fn renewal(number: u8, applied: Position) -> Renewal {
    Renewal { id: replica(number), applied, ttl: Duration::from_secs(2) }
}

/// A user record with a body that names its key.
pub fn record(key: &str, alias: Option<&str>) -> NewRecord {
    NewRecord {
        kind: RecordKind::User,
        key: key.to_owned(),
        alias: alias.map(str::to_owned),
        body: format!(r#"{{"of":{key:?}}}"#),
    }
}

/// Inserts the record, which must be free to insert.
pub async fn recorded(store: &dyn Store, record: &NewRecord) -> Revision {
    match store.insert_record(record.clone()).await.unwrap() {
        RecordInserted::Done(revision) => revision,
        RecordInserted::Exists => panic!("{:?} was taken", record.key),
    }
}

/// The record as it must be read.
pub fn read(record: &NewRecord, revision: Revision) -> Record {
    Record { key: record.key.clone(), alias: record.alias.clone(), body: record.body.clone(), revision }
}
