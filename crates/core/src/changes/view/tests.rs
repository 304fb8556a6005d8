use super::*;
use crate::app::Mode;
use crate::changes::Epoch;
use crate::changes::samples::{app, at, change, revoked, sid, subject};
use crate::id::{ClientId, SessionId, Subject};

/// A credential of user `u1`, login 1, app `web`, client `ci`, token `t1`, key `k1`, issued at a position.
struct Sample {
    subject: Subject,
    app: AppId,
    sid: SessionId,
}

impl Sample {
    fn new() -> Self {
        Self { subject: subject("u1"), app: AppId::new("web").unwrap(), sid: sid(1) }
    }

    fn issued(&self, issued: Position) -> ClaimFacts<'_> {
        ClaimFacts {
            jti: Some("t1"),
            sid: Some(self.sid),
            subject: Some(&self.subject),
            app: Some(&self.app),
            client: Some("ci"),
            kid: Some("k1"),
            issued,
            claims_at: issued,
        }
    }

    /// The targets that concern it, with whether they end what is issued after them too.
    fn targets(&self) -> Vec<(TargetKind, Target, bool)> {
        vec![
            (TargetKind::Token, Target::Token("t1".to_owned()), true),
            (TargetKind::Login, Target::Login(self.sid), true),
            (TargetKind::Key, Target::Key("k1".to_owned()), true),
            (TargetKind::User, Target::User(self.subject.clone()), false),
            (TargetKind::App, Target::App(self.app.clone()), false),
            (TargetKind::Client, Target::Client(ClientId::new("ci").unwrap()), false),
            (TargetKind::Everything, Target::Everything, false),
        ]
    }
}

fn others() -> Vec<Target> {
    vec![
        Target::Token("t2".to_owned()),
        Target::Login(sid(2)),
        Target::Key("k2".to_owned()),
        Target::User(subject("u2")),
        Target::App(AppId::new("spa").unwrap()),
        Target::Client(ClientId::new("cd").unwrap()),
    ]
}

fn view(changes: Vec<Change>) -> View {
    let mut view = View::from_snapshot(at(0), &[]).unwrap();
    for change in changes {
        assert_eq!(view.apply(&change), Ok(Applied::Done));
    }
    view
}

fn stale(sequence: u64, before: Option<Position>) -> Change {
    change(sequence, ChangeKind::SubjectChanged { subject: subject("u1"), before })
}

#[test]
fn a_revocation_ends_what_was_issued_before_it_and_nothing_else() {
    let sample = Sample::new();
    for (by, target, whenever) in sample.targets() {
        let view = view(vec![revoked(1, target)]);
        let refused = Verdict::Revoked { by, at: at(1) };
        assert_eq!(view.judge(&sample.issued(at(0))), refused);
        assert_eq!(view.judge(&sample.issued(at(1))), if whenever { refused } else { Verdict::Good }, "{by:?}");
    }
    let view = view(others().into_iter().zip(1..).map(|(target, n)| revoked(n, target)).collect());
    assert_eq!(view.judge(&sample.issued(at(0))), Verdict::Good);
}

#[test]
fn roles_read_before_the_change_are_stale_and_end_nothing() {
    let sample = Sample::new();
    let view = view(vec![stale(1, None)]);
    assert_eq!(view.judge(&sample.issued(at(0))), Verdict::Stale);
    let reread = ClaimFacts { claims_at: at(1), ..sample.issued(at(0)) };
    assert_eq!(view.judge(&reread), Verdict::Good);
}

#[test]
fn a_credential_without_names_is_concerned_by_everything_only() {
    let none = ClaimFacts {
        jti: None,
        sid: None,
        subject: None,
        app: None,
        client: None,
        kid: None,
        issued: at(0),
        claims_at: at(0),
    };
    let targets = Sample::new().targets().into_iter().zip(1..).map(|((_, target, _), n)| revoked(n, target));
    let (rest, last) = (targets.clone().take(6).collect(), targets.last().unwrap());
    let mut view = view(rest);
    assert_eq!(view.judge(&none), Verdict::Good);
    view.apply(&last).unwrap();
    assert!(matches!(view.judge(&none), Verdict::Revoked { by: TargetKind::Everything, .. }));
}

#[test]
fn rule_15_a_gap_or_an_earlier_epoch_is_an_error_and_changes_nothing() {
    let mut view = view(vec![revoked(1, Target::Login(sid(2)))]);
    let late = revoked(3, Target::Everything);
    assert_eq!(view.apply(&late), Err(SyncError::Gap { applied: at(1), found: at(3) }));
    for sequence in 0..4 {
        let found = Position::new(Epoch(0), sequence);
        let other = Change { position: found, ..late.clone() };
        assert_eq!(view.apply(&other), Err(SyncError::OtherEpoch { applied: at(1), found }));
    }
    let found = Position::new(Epoch(2), 1);
    let again = Change { position: found, ..late.clone() };
    assert_eq!(view.apply(&again), Err(SyncError::Gap { applied: at(1), found }), "numbers go on");
    assert_eq!((view.applied(), view.len()), (at(1), 1));
}

#[test]
fn the_first_entry_of_a_later_epoch_follows_on_the_last_of_the_one_before() {
    let mut view = view(vec![revoked(1, Target::Login(sid(2)))]);
    let position = Position::new(Epoch(9), 2);
    let next = Change { position, ..revoked(2, Target::Login(sid(3))) };
    assert_eq!(view.apply(&next), Ok(Applied::Done));
    assert_eq!((view.applied(), view.len()), (position, 2));
}

#[test]
fn a_repeated_change_is_ignored() {
    let mut view = view(vec![revoked(1, Target::Login(sid(2))), revoked(2, Target::Login(sid(3)))]);
    assert_eq!(view.apply(&revoked(1, Target::Everything)), Ok(Applied::Before));
    assert_eq!((view.applied(), view.len()), (at(2), 2));
}

#[test]
fn rule_16_a_snapshot_shows_what_the_entries_showed() {
    let sample = Sample::new();
    let mut changes = vec![
        change(3, ChangeKind::AppChanged { app: Box::new(app("web", Mode::Session)) }),
        change(4, ChangeKind::AppChanged { app: Box::new(app("web", Mode::Hybrid)) }),
        change(5, ChangeKind::KeysChanged { jwks: "a".to_owned() }),
        change(6, ChangeKind::KeysChanged { jwks: "b".to_owned() }),
        revoked(8, Target::Login(sid(1))),
    ];
    changes.reverse();
    let view = View::from_snapshot(at(9), &changes).unwrap();
    assert_eq!(view.applied(), at(9));
    assert_eq!(view.apps()[&sample.app].mode, Mode::Hybrid, "the later state, in whatever order they came");
    assert_eq!(view.jwks(), "b");
    assert!(matches!(view.judge(&sample.issued(at(9))), Verdict::Revoked { by: TargetKind::Login, .. }));
    let contradiction = View::from_snapshot(at(2), &[revoked(3, Target::Everything)]);
    assert_eq!(contradiction.unwrap_err(), SyncError::Snapshot { position: at(2), found: at(3) });
}

#[test]
fn rule_16_nothing_is_forgotten_before_its_until_has_passed() {
    let sample = Sample::new();
    let targets = sample.targets().into_iter().zip(1..).map(|((_, target, _), n)| revoked(n, target));
    let mut view = view(targets.chain([stale(8, None)]).collect());
    let mut round = |secs| (0..16).for_each(|_| view.prune(UnixTime::from_secs(secs)));
    round(1_000);
    round(999);
    assert_eq!(view.len(), 8);
    (0..16).for_each(|_| view.prune(UnixTime::from_secs(1_001)));
    assert!(view.is_empty());
}

#[test]
fn rule_30_a_revocation_appended_again_keeps_its_cut_off() {
    let sample = Sample::new();
    let again = |n| change(n, ChangeKind::Revoked { target: Target::User(subject("u1")), before: Some(at(1)) });
    let mut view = View::from_snapshot(at(4), &[]).unwrap();
    view.apply(&again(5)).unwrap();
    assert!(matches!(view.judge(&sample.issued(at(0))), Verdict::Revoked { .. }));
    assert_eq!(view.judge(&sample.issued(at(2))), Verdict::Good, "signed in after the revocation");
    view.apply(&revoked(6, Target::User(subject("u1")))).unwrap();
    view.apply(&again(7)).unwrap();
    assert_eq!(
        view.judge(&sample.issued(at(5))),
        Verdict::Revoked { by: TargetKind::User, at: at(6) },
        "a later smaller cut-off lowers nothing",
    );
    view.apply(&stale(8, None)).unwrap();
    view.apply(&stale(9, Some(at(1)))).unwrap();
    let facts = ClaimFacts { claims_at: at(7), ..sample.issued(at(6)) };
    assert_eq!(view.judge(&facts), Verdict::Stale);
}

#[test]
fn rule_21_a_change_covers_what_it_is_about() {
    let sample = Sample::new();
    let facts = sample.issued(at(0));
    for (_, target, _) in sample.targets() {
        assert!(covers(&revoked(1, target.clone()), &facts), "{target:?}");
    }
    for target in others() {
        assert!(!covers(&revoked(1, target.clone()), &facts), "{target:?}");
    }
    assert!(covers(&stale(1, None), &facts));
    assert!(covers(&change(1, ChangeKind::SessionChanged { sid: sid(1) }), &facts));
    assert!(!covers(&change(1, ChangeKind::SessionChanged { sid: sid(2) }), &facts));
    assert!(covers(&change(1, ChangeKind::AppChanged { app: Box::new(app("web", Mode::Jwt)) }), &facts));
    let keys = change(1, ChangeKind::KeysChanged { jwks: String::new() });
    assert!(covers(&keys, &facts));
    assert!(!covers(&keys, &ClaimFacts { kid: None, ..facts }), "a session was signed by no key");
}

#[test]
fn every_error_has_its_code_documented_once() {
    let (applied, found) = (at(1), at(3));
    let errors = [
        SyncError::Gap { applied, found },
        SyncError::OtherEpoch { applied, found },
        SyncError::NeedsSnapshot,
        SyncError::Left,
        SyncError::Snapshot { position: applied, found },
    ];
    let codes: Vec<_> = SyncError::CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(errors.map(|error| error.code()).as_slice(), codes);
}
