//! Changes for tests.

use misario_jose::{Entropy, UnixTime};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Change, ChangeKind, Epoch, Position, Target};
use crate::app::{App, Mode, Transport};
use crate::id::{AppId, ClientId, SessionId, Subject};

/// Octets that never repeat: a counter in every eighth.
#[derive(Default)]
pub(super) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            chunk.iter_mut().zip(count.to_be_bytes()).for_each(|(to, from)| *to = from);
        }
    }
}

pub(super) fn at(sequence: u64) -> Position {
    Position::new(Epoch(1), sequence)
}

pub(super) fn sid(n: u8) -> SessionId {
    SessionId::from_bytes([n; 16])
}

pub(super) fn subject(name: &str) -> Subject {
    Subject::new(name).unwrap()
}

pub(super) fn app(id: &str, mode: Mode) -> App {
    let origin = format!("https://{id}.example").parse().unwrap();
    App::new(AppId::new(id).unwrap(), mode, &[Transport::Cookie, Transport::Bearer], vec![origin])
}

/// The change of this kind at `sequence`, kept until second 1,000.
pub(super) fn change(sequence: u64, kind: ChangeKind) -> Change {
    Change { position: at(sequence), at: UnixTime::from_secs(100 + sequence), until: UnixTime::from_secs(1_000), kind }
}

pub(super) fn revoked(sequence: u64, target: Target) -> Change {
    change(sequence, ChangeKind::Revoked { target, before: None })
}

fn position() -> impl Strategy<Value = Position> {
    (any::<u32>(), any::<u64>()).prop_map(|(epoch, sequence)| Position::new(Epoch(epoch), sequence))
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        ".{0,40}".prop_map(Target::Token),
        any::<[u8; 16]>().prop_map(|bytes| Target::Login(SessionId::from_bytes(bytes))),
        "[^\\p{Cc}]{1,60}".prop_map(|text| Target::User(subject(&text))),
        "[a-z][a-z0-9-]{0,31}".prop_map(|text| Target::App(AppId::new(&text).unwrap())),
        "[a-z][a-z0-9-]{0,31}".prop_map(|text| Target::Client(ClientId::new(&text).unwrap())),
        ".{0,40}".prop_map(Target::Key),
        Just(Target::Everything),
    ]
}

fn kind() -> impl Strategy<Value = ChangeKind> {
    let mode = prop_oneof![Just(Mode::Session), Just(Mode::Jwt), Just(Mode::Hybrid)];
    prop_oneof![
        (target(), proptest::option::of(position()))
            .prop_map(|(target, before)| ChangeKind::Revoked { target, before }),
        ("[^\\p{Cc}]{1,60}", proptest::option::of(position()))
            .prop_map(|(text, before)| ChangeKind::SubjectChanged { subject: subject(&text), before }),
        any::<[u8; 16]>().prop_map(|bytes| ChangeKind::SessionChanged { sid: SessionId::from_bytes(bytes) }),
        ".{0,200}".prop_map(|jwks| ChangeKind::KeysChanged { jwks }),
        ("[a-z][a-z0-9-]{0,31}", mode, proptest::option::of(any::<u32>())).prop_map(|(id, mode, max_logins)| {
            ChangeKind::AppChanged { app: Box::new(App { max_logins, ..app(&id, mode) }) }
        }),
    ]
}

/// Any change.
pub(super) fn any_change() -> impl Strategy<Value = Change> {
    (position(), any::<u64>(), any::<u64>(), kind()).prop_map(|(position, at, until, kind)| Change {
        position,
        at: UnixTime::from_secs(at),
        until: UnixTime::from_secs(until),
        kind,
    })
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
