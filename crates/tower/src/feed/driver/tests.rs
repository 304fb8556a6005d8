use misario_core::app::Mode;
use misario_core::changes::{ChangeKind, Target};
use misario_core::id::ReplicaId;
use misario_core::secret::TokenKey;
use misario_jose::UnixTime;

use super::*;
use crate::connect::blank;
use crate::testing::{Bench, Counting, NOW, StillClock, app_id, at, change, sid};

/// A driver, and what its parent would send.
struct Feed {
    clock: Arc<StillClock>,
    memory: Arc<RwLock<Memory>>,
    driver: Driver,
    log: Vec<Change>,
    keys: Vec<ReplicaKey>,
}

impl Feed {
    fn new() -> Self {
        let bench = Bench::new(Mode::Session);
        let (clock, entropy) = (Arc::new(StillClock::new()), Arc::new(Counting::default()));
        let memory = Arc::new(RwLock::new(blank(&*entropy)));
        let driver = Driver::new(Arc::clone(&memory), Arc::clone(&clock) as _, entropy);
        let keys = bench.keys.replica().iter().cloned().collect();
        Self { clock, memory, driver, log: bench.first_changes(), keys }
    }

    /// A driver that follows, with a lease.
    fn leased() -> Self {
        let mut feed = Self::new();
        feed.driver.hello();
        feed.welcome().unwrap();
        let actions = feed.snapshot().unwrap();
        feed.grant(&renewals(&actions)[0]);
        assert!(feed.holds_lease());
        feed
    }

    fn welcome(&mut self) -> Result<Vec<Action>, FeedError> {
        self.welcome_of("https://auth.example.com")
    }

    fn welcome_of(&mut self, issuer: &str) -> Result<Vec<Action>, FeedError> {
        let issuer = issuer.to_owned();
        self.driver.heard(ParentFrame::Welcome { version: FEED_VERSION, ttl_ms: 2_000, issuer, leeway_secs: 0 })
    }

    fn snapshot(&mut self) -> Result<Vec<Action>, FeedError> {
        let frame = self.part(&self.log.clone(), self.head(), false);
        self.driver.heard(frame)
    }

    fn part(&self, changes: &[Change], position: Position, more: bool) -> ParentFrame {
        ParentFrame::Snapshot { position, changes: changes.to_vec(), replica_keys: self.keys.clone(), more }
    }

    fn head(&self) -> Position {
        self.log.last().unwrap().position
    }

    /// Appends a revocation, and sends it.
    fn revoke(&mut self, number: u8) -> Result<Vec<Action>, FeedError> {
        let after = self.head();
        let kind = ChangeKind::Revoked { target: Target::Login(sid(number)), before: None };
        let entries = vec![change(after.next(), kind)];
        self.log.extend(entries.clone());
        self.driver.heard(ParentFrame::Changes { after, entries })
    }

    fn grant(&mut self, renewal: &(ReplicaId, Nonce, Position)) -> Vec<Action> {
        let frame = ParentFrame::Grant { nonce: renewal.1, ttl_ms: 2_000, head: self.head() };
        self.driver.heard(frame).unwrap()
    }

    fn holds_lease(&self) -> bool {
        self.memory.read().replica().lease(self.clock.mono()).is_held()
    }

    fn resume(&mut self) -> Option<Position> {
        let ReplicaFrame::Hello { resume, .. } = self.driver.hello() else { panic!("no Hello") };
        resume
    }

    fn id(&self) -> ReplicaId {
        self.memory.read().replica().id()
    }
}

fn renewals(actions: &[Action]) -> Vec<(ReplicaId, Nonce, Position)> {
    let renewal = |action: &Action| match action {
        Action::Send(ReplicaFrame::Renew { id, nonce, applied }) => Some((*id, *nonce, *applied)),
        _ => None,
    };
    actions.iter().filter_map(renewal).collect()
}

#[test]
fn the_first_connection_asks_for_a_snapshot_and_then_for_a_lease() {
    let mut feed = Feed::new();
    assert_eq!(feed.resume(), None);
    feed.welcome().unwrap();
    assert!(feed.driver.tick().unwrap().is_empty(), "nothing is renewed before there is a view");
    let renewal = renewals(&feed.snapshot().unwrap())[0];
    assert_eq!((renewal.0, renewal.2), (feed.id(), at(2)));
    assert!(!feed.holds_lease());
    assert!(matches!(feed.grant(&renewal)[..], [Action::Leased]));
    assert!(feed.holds_lease());
}

#[test]
fn changes_are_acknowledged_as_soon_as_they_are_applied() {
    let mut feed = Feed::leased();
    assert_eq!(renewals(&feed.revoke(1).unwrap())[0].2, at(3));
    let entries = vec![feed.log[2].clone()];
    let again = feed.driver.heard(ParentFrame::Changes { after: at(2), entries }).unwrap();
    assert!(renewals(&again).is_empty(), "what was applied before is acknowledged already");
}

#[test]
fn a_grant_ahead_of_the_view_waits_for_its_changes() {
    let mut feed = Feed::leased();
    feed.clock.advance(Duration::from_millis(1_990));
    let ReplicaFrame::Renew { nonce, .. } = feed.driver.tick().unwrap()[0] else { panic!("no Renew") };
    let ahead = ParentFrame::Grant { nonce, ttl_ms: 2_000, head: at(3) };
    assert!(feed.driver.heard(ahead).unwrap().is_empty());
    assert!(!feed.holds_lease());
    feed.revoke(1).unwrap();
    assert!(feed.holds_lease());
}

#[test]
fn whoever_comes_back_goes_on_with_the_same_id_view_and_lease() {
    let mut feed = Feed::leased();
    feed.revoke(1).unwrap();
    let id = feed.id();
    feed.driver.ended(&FeedError::Closed);
    assert_eq!(feed.resume(), Some(at(3)));
    assert!(feed.holds_lease(), "while it is away");
    feed.welcome().unwrap();
    feed.driver.heard(ParentFrame::Keys { replica_keys: feed.keys.clone() }).unwrap();
    assert_eq!(renewals(&feed.revoke(2).unwrap())[0].2, at(4));
    assert_eq!(feed.id(), id);
}

#[test]
fn whoever_missed_changes_starts_again_without_a_lease() {
    let mut feed = Feed::leased();
    let id = feed.id();
    let kind = ChangeKind::Revoked { target: Target::Everything, before: None };
    let entries = vec![change(at(9), kind)];
    let error = feed.driver.heard(ParentFrame::Changes { after: at(8), entries }).unwrap_err();
    assert!(!feed.holds_lease());
    feed.driver.ended(&error);
    assert_eq!(feed.resume(), None);
    feed.welcome().unwrap();
    let renewal = renewals(&feed.snapshot().unwrap())[0];
    assert_eq!(renewal.0, feed.id());
    assert_ne!(renewal.0, id, "another incarnation");
    feed.grant(&renewal);
    assert_eq!(feed.resume(), Some(at(2)));
}

#[test]
fn another_authority_or_other_keys_are_never_gone_on_with() {
    let mut feed = Feed::leased();
    feed.driver.hello();
    let error = feed.welcome_of("https://other.example.com").unwrap_err();
    assert!(matches!(error, FeedError::Changed) && !feed.holds_lease());
    feed.driver.ended(&error);
    assert_eq!(feed.resume(), None);

    let mut feed = Feed::leased();
    feed.driver.hello();
    feed.welcome().unwrap();
    let replica_keys = vec![TokenKey::new(1, &[8; 32]).replica().clone()];
    let error = feed.driver.heard(ParentFrame::Keys { replica_keys }).unwrap_err();
    feed.driver.ended(&error);
    assert_eq!(feed.resume(), None);
    assert!(!feed.holds_lease());
}

#[test]
fn a_snapshot_comes_in_parts_of_one_connection() {
    let mut feed = Feed::new();
    feed.driver.hello();
    feed.welcome().unwrap();
    let (first, second) = (feed.log[..1].to_vec(), feed.log[1..].to_vec());
    let frame = feed.part(&first, at(2), true);
    assert!(feed.driver.heard(frame).unwrap().is_empty());
    // The connection breaks, and the next one brings a whole snapshot.
    assert_eq!(feed.resume(), None);
    feed.welcome().unwrap();
    for (changes, more) in [(first, true), (second, false)] {
        let frame = feed.part(&changes, at(2), more);
        feed.driver.heard(frame).unwrap();
    }
    assert_eq!(feed.memory.read().replica().view().applied(), at(2));
    assert_eq!(feed.memory.read().apps().len(), 1);
}

#[test]
fn parts_of_two_snapshots_are_not_put_together() {
    let mut feed = Feed::new();
    feed.driver.hello();
    feed.welcome().unwrap();
    for (position, is_refused) in [(at(2), false), (at(3), true)] {
        let frame = feed.part(&[], position, true);
        assert_eq!(feed.driver.heard(frame).is_err(), is_refused);
    }
}

#[test]
fn frames_have_their_order() {
    let mut feed = Feed::new();
    feed.driver.hello();
    assert!(matches!(feed.snapshot(), Err(FeedError::Unexpected { .. })));
    feed.welcome().unwrap();
    assert!(matches!(feed.welcome(), Err(FeedError::Unexpected { .. })));
    let bye = ParentFrame::Bye { code: "server_stopping".to_owned() };
    assert!(matches!(feed.driver.heard(bye), Err(FeedError::Bye { code }) if code == "server_stopping"));
}

#[test]
fn what_a_parent_cannot_mean_is_refused() {
    for (version, ttl_ms, leeway_secs, is_refused) in [
        (FEED_VERSION, 2_000, 300, false),
        (FEED_VERSION + 1, 2_000, 0, true),
        (FEED_VERSION, 0, 0, true),
        (FEED_VERSION, 3_600_000, 0, true),
        (FEED_VERSION, 2_000, 301, true),
    ] {
        let mut feed = Feed::new();
        feed.driver.hello();
        let welcome = ParentFrame::Welcome { version, ttl_ms, issuer: String::new(), leeway_secs };
        assert_eq!(feed.driver.heard(welcome).is_err(), is_refused, "{version} {ttl_ms} {leeway_secs}");
    }
}

#[test]
fn no_lease_is_longer_than_was_announced() {
    let mut feed = Feed::leased();
    feed.clock.advance(Duration::from_millis(250));
    let ReplicaFrame::Renew { nonce, .. } = feed.driver.tick().unwrap()[0] else { panic!("no Renew") };
    let longer = ParentFrame::Grant { nonce, ttl_ms: 2_001, head: feed.head() };
    assert!(matches!(feed.driver.heard(longer), Err(FeedError::Unexpected { .. })));
    feed.clock.advance(Duration::from_millis(1_750));
    assert!(!feed.holds_lease(), "the one before has run out, and no other took its place");
}

#[test]
fn a_lease_is_renewed_every_eighth_of_it() {
    let mut feed = Feed::leased();
    assert_eq!(feed.driver.pause(), Duration::from_millis(250));
    feed.clock.advance(Duration::from_millis(249));
    assert!(feed.driver.tick().unwrap().is_empty());
    feed.clock.advance(Duration::from_millis(1));
    assert!(feed.driver.pause().is_zero());
    assert!(matches!(feed.driver.tick().unwrap()[..], [ReplicaFrame::Renew { .. }]));
    assert!(feed.driver.tick().unwrap().is_empty());
    assert!(!feed.driver.pause().is_zero());
}

/// A lease of two seconds is worth 1.6 s here: a half-open connection leaves time for the next one.
#[test]
fn a_connection_that_answers_no_renewal_is_given_up_before_the_lease_is_over() {
    let mut feed = Feed::leased();
    for step in [250, 500, 500] {
        feed.clock.advance(Duration::from_millis(step));
        assert!(matches!(feed.driver.tick().unwrap()[..], [ReplicaFrame::Renew { .. }]));
    }
    feed.clock.advance(Duration::from_millis(1));
    assert!(matches!(feed.driver.tick(), Err(FeedError::Silent { millis: 1_251 })));
    assert!(feed.holds_lease());
}

#[test]
fn whoever_slept_asks_before_it_gives_up() {
    let mut feed = Feed::leased();
    feed.clock.advance(Duration::from_mins(1));
    assert!(matches!(feed.driver.tick().unwrap()[0], ReplicaFrame::Renew { .. }));
}

#[test]
fn a_greeting_may_take_longer() {
    let mut feed = Feed::leased();
    feed.resume();
    feed.clock.advance(Duration::from_millis(1_500));
    feed.welcome().unwrap();
    feed.clock.advance(Duration::from_secs(3));
    feed.driver.tick().unwrap();
    feed.clock.advance(Duration::from_millis(1));
    assert!(matches!(feed.driver.tick(), Err(FeedError::Silent { millis: 3_001 })));
}

fn uses(frames: Vec<ReplicaFrame>) -> Vec<ReplicaFrame> {
    frames.into_iter().filter(|frame| matches!(frame, ReplicaFrame::Seen { .. })).collect()
}

fn seen_at(seconds: u64) -> ReplicaFrame {
    ReplicaFrame::Seen {
        app: app_id("web"),
        uses: vec![Use { sid: sid(1), at: UnixTime::from_secs(seconds), generation: None }],
    }
}

#[test]
fn used_logins_are_reported_until_the_report_was_handed_over() {
    let mut feed = Feed::leased();
    let touch = |seconds| Touch { at: UnixTime::from_secs(seconds), generation: None };
    feed.memory.read().touches().note(&app_id("web"), sid(1), touch(NOW));
    feed.clock.advance(REPORT);
    assert_eq!(uses(feed.driver.tick().unwrap()), [seen_at(NOW)]);
    // The connection broke before it went out.
    feed.driver.ended(&FeedError::Closed);
    feed.resume();
    feed.welcome().unwrap();
    feed.clock.advance(REPORT);
    assert_eq!(uses(feed.driver.tick().unwrap()), [seen_at(NOW)]);
    // Used once more between the report and the socket: that use is still to be told.
    feed.memory.read().touches().note(&app_id("web"), sid(1), touch(NOW + 1));
    feed.driver.sent(&seen_at(NOW));
    assert_eq!(feed.driver.before_asking(), [seen_at(NOW + 1)]);
    feed.driver.sent(&seen_at(NOW + 1));
    assert_eq!(feed.driver.before_asking(), []);
}

#[test]
fn nothing_is_asked_before_the_authority_said_who_it_is() {
    let mut feed = Feed::leased();
    assert!(feed.driver.is_welcomed());
    feed.resume();
    assert!(!feed.driver.is_welcomed(), "another one may have answered");
    feed.welcome().unwrap();
    assert!(feed.driver.is_welcomed());
}

#[test]
fn whoever_leaves_has_stopped_answering() {
    let mut feed = Feed::leased();
    let id = feed.id();
    assert_eq!(feed.driver.leave(), ReplicaFrame::Leave { id });
    assert!(!feed.holds_lease());
    assert!(feed.revoke(1).unwrap().is_empty(), "what comes late changes nothing, and is no fault of the authority's");
    assert!(feed.driver.tick().unwrap().is_empty(), "and nothing is renewed");
    assert!(!feed.holds_lease());
}

/// A grant that was on its way when the word of leave was sent.
#[test]
fn a_late_grant_gives_no_lease_to_whoever_left() {
    let mut feed = Feed::leased();
    feed.clock.advance(Duration::from_millis(250));
    let actions: Vec<_> = feed.driver.tick().unwrap().into_iter().map(Action::Send).collect();
    let renewal = renewals(&actions)[0];
    feed.driver.leave();
    assert!(feed.grant(&renewal).is_empty());
    assert!(!feed.holds_lease());
}
