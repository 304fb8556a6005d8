use super::*;
use crate::changes::samples::{Counting, at, revoked, sid};
use crate::changes::{Epoch, Target};

const TTL: Duration = Duration::from_secs(2);

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

struct Bench {
    entropy: Counting,
    replica: Replica,
}

impl Bench {
    fn new() -> Self {
        let entropy = Counting::default();
        Self { replica: Replica::new(LeaseConfig::new(TTL), &entropy), entropy }
    }

    /// A replica that has joined at position 0.
    fn joined() -> Self {
        let mut bench = Self::new();
        bench.join(0, &[]);
        bench
    }

    fn join(&mut self, position: u64, changes: &[Change]) {
        self.replica.adopt_snapshot(at(position), changes, &self.entropy).unwrap();
    }

    fn renew(&mut self, now: u64) -> RenewRequest {
        self.replica.renew(ms(now), &self.entropy).unwrap()
    }

    fn granted(&mut self, now: u64, nonce: Nonce, head: u64) -> Granted {
        self.replica.granted(ms(now), nonce, TTL, at(head))
    }

    /// A lease whose request was sent at `t0`.
    fn lease(&mut self, t0: u64, head: u64) -> Granted {
        let nonce = self.renew(t0).nonce;
        self.granted(t0 + 1, nonce, head)
    }

    fn apply(&mut self, sequence: u64) {
        self.replica.apply(&revoked(sequence, Target::Login(sid(1)))).unwrap();
    }

    fn held(&self, now: u64) -> bool {
        self.replica.lease(ms(now)).is_held()
    }

    fn why(&self, now: u64) -> Option<NoLease> {
        match self.replica.lease(ms(now)) {
            LeaseState::None { why } => Some(why),
            LeaseState::Held { .. } => None,
        }
    }
}

#[test]
fn rule_1_every_incarnation_has_a_random_id() {
    let mut bench = Bench::new();
    let (first, other) = (bench.replica.id(), Replica::new(LeaseConfig::new(TTL), &bench.entropy).id());
    assert_ne!(first, other);
    bench.join(0, &[]);
    assert!(bench.replica.id() != first && bench.replica.id() != other);
}

#[test]
fn rule_2_a_grant_counts_only_for_a_request_of_this_incarnation_that_is_under_way() {
    let mut bench = Bench::joined();
    assert_eq!(bench.granted(1, Nonce::from_bytes([9; 16]), 0), Granted::Ignored);
    let late = bench.renew(2).nonce;
    bench.join(0, &[]);
    assert_eq!(bench.granted(3, late, 0), Granted::Ignored, "asked for by the incarnation before");
    assert_eq!(bench.lease(4, 0), Granted::Active);
}

#[test]
fn rule_2_a_lease_counts_from_when_its_request_was_sent() {
    let mut bench = Bench::joined();
    let nonce = bench.renew(10_000).nonce;
    assert_eq!(bench.granted(11_000, nonce, 0), Granted::Active);
    assert_eq!(bench.replica.lease(ms(11_000)), LeaseState::Held { until: ms(10_000 + 2_000 - 365) });
    assert!(bench.held(11_634));
    assert_eq!(bench.why(11_635), Some(NoLease::Expired));
    let nonce = bench.renew(20_000).nonce;
    assert_eq!(bench.granted(30_000, nonce, 0), Granted::Active);
    assert!(!bench.held(30_000), "a grant that comes late is over already");
}

#[test]
fn rule_3_a_grant_is_active_once_its_head_is_applied() {
    let mut bench = Bench::joined();
    assert_eq!(bench.lease(0, 2), Granted::Pending);
    assert_eq!(bench.replica.behind(), Some(at(2)));
    bench.apply(1);
    assert_eq!(bench.why(2), Some(NoLease::NeverSynced));
    bench.apply(2);
    assert!(bench.held(2));
    assert_eq!(bench.replica.behind(), None);
}

#[test]
fn rule_3_late_old_and_repeated_grants_are_harmless() {
    let mut bench = Bench::joined();
    let (old, new) = (bench.renew(0).nonce, bench.renew(1_000).nonce);
    assert_eq!(bench.granted(1_001, new, 0), Granted::Active);
    assert_eq!(bench.granted(1_002, old, 0), Granted::Active);
    assert_eq!(bench.granted(1_003, new, 0), Granted::Ignored);
    assert_eq!(bench.replica.lease(ms(1_003)), LeaseState::Held { until: ms(3_000 - 365) }, "the largest until");
}

#[test]
fn rule_3_fields_of_two_grants_are_never_combined() {
    let mut bench = Bench::joined();
    bench.lease(0, 0);
    // The later grant lasts longer, and names a head that is not applied.
    bench.lease(1_500, 1);
    assert!(bench.held(1_634));
    assert!(!bench.held(1_635));
    bench.apply(1);
    assert!(bench.held(1_635));
}

#[test]
fn rule_4_a_snapshot_drops_the_lease_and_makes_another_incarnation() {
    let mut bench = Bench::joined();
    bench.apply(1);
    bench.lease(0, 1);
    let pending = bench.renew(1).nonce;
    bench.granted(2, pending, 3);
    let before = bench.replica.id();
    let retired = bench.replica.adopt_snapshot(at(0), &[], &bench.entropy).unwrap();
    assert_eq!(retired, before);
    assert_ne!(bench.replica.id(), before);
    assert_eq!(bench.why(3), Some(NoLease::NeverSynced));
    (1..=3).for_each(|sequence| bench.apply(sequence));
    assert!(!bench.held(4), "the pending grant is gone too");
}

#[test]
fn rule_4_a_snapshot_that_contradicts_itself_leaves_no_lease() {
    let mut bench = Bench::joined();
    bench.lease(0, 0);
    let changes = [revoked(9, Target::Everything)];
    assert!(bench.replica.adopt_snapshot(at(1), &changes, &bench.entropy).is_err());
    assert_eq!(bench.why(1), Some(NoLease::Gap));
}

#[test]
fn rule_5_after_leave_there_is_no_lease_ever() {
    let mut bench = Bench::joined();
    bench.lease(0, 0);
    let nonce = bench.renew(1).nonce;
    assert_eq!(bench.replica.leave(), bench.replica.id());
    assert_eq!(bench.why(2), Some(NoLease::Left));
    assert_eq!(bench.granted(2, nonce, 0), Granted::Ignored);
    assert!(bench.replica.renew(ms(3), &bench.entropy).is_none());
    assert_eq!(bench.replica.apply(&revoked(1, Target::Everything)), Err(SyncError::Left));
    assert_eq!(bench.replica.adopt_snapshot(at(5), &[], &bench.entropy), Err(SyncError::Left));
    bench.replica.rejoin();
    assert_eq!(bench.why(4), Some(NoLease::Left));
    assert_eq!(bench.replica.next_heartbeat(ms(4)), None);
}

#[test]
fn rule_6_a_renewal_acknowledges_for_the_subtree_and_the_lease_needs_only_its_own_view() {
    let mut bench = Bench::joined();
    bench.apply(1);
    let request = bench.replica.renew_for_subtree(ms(0), at(0), &bench.entropy).unwrap();
    assert_eq!(request.applied, at(0));
    assert_eq!(bench.granted(1, request.nonce, 1), Granted::Active);
    let request = bench.replica.renew_for_subtree(ms(2), at(9), &bench.entropy).unwrap();
    assert_eq!(request.applied, at(1), "never more than it has applied itself");
}

#[test]
fn rule_11_an_incarnation_never_asks_for_less_than_it_did() {
    let mut bench = Bench::joined();
    bench.replica.set_ttl(Duration::from_secs(1));
    assert_eq!(bench.renew(0).ttl, TTL);
    assert_eq!(bench.replica.next_heartbeat(ms(0)), Some(ms(125)));
    bench.join(0, &[]);
    assert_eq!(bench.renew(1).ttl, Duration::from_secs(1));
    bench.replica.set_ttl(Duration::from_secs(3));
    assert_eq!(bench.renew(2).ttl, Duration::from_secs(3));
}

#[test]
fn rule_15_a_gap_drops_the_lease_until_a_snapshot() {
    let mut bench = Bench::joined();
    bench.lease(0, 0);
    let nonce = bench.renew(1).nonce;
    assert!(bench.replica.apply(&revoked(2, Target::Everything)).is_err());
    assert_eq!(bench.why(2), Some(NoLease::Gap));
    assert_eq!(bench.granted(2, nonce, 0), Granted::Ignored);
    assert_eq!(bench.replica.apply(&revoked(1, Target::Everything)), Err(SyncError::NeedsSnapshot));
    assert!(bench.replica.renew(ms(3), &bench.entropy).is_none());
    bench.join(2, &[]);
    bench.lease(4, 2);
    assert!(bench.held(5));
}

#[test]
fn rule_15_a_change_of_another_epoch_that_does_not_follow_is_a_gap() {
    let mut bench = Bench::joined();
    bench.lease(0, 0);
    let position = Position::new(Epoch(2), 7);
    assert!(bench.replica.apply(&Change { position, ..revoked(1, Target::Everything) }).is_err());
    assert_eq!(bench.why(1), Some(NoLease::Gap));
}

#[test]
fn rule_17_a_renewal_acknowledges_what_is_applied() {
    let mut bench = Bench::joined();
    assert_eq!(bench.renew(0).applied, at(0));
    bench.apply(1);
    assert_eq!(bench.renew(0).applied, at(1));
    bench.apply(1);
    assert_eq!(bench.renew(0).applied, at(1), "a repeated change is no other");
}

#[test]
fn a_replica_that_never_joined_has_no_lease_and_asks_for_none() {
    let mut bench = Bench::new();
    assert_eq!(bench.why(0), Some(NoLease::NeverSynced));
    assert!(bench.replica.renew(ms(0), &bench.entropy).is_none());
    assert_eq!(bench.replica.next_heartbeat(ms(0)), None);
    assert_eq!(bench.replica.apply(&revoked(1, Target::Everything)), Err(SyncError::NeedsSnapshot));
}

#[test]
fn a_heartbeat_is_an_eighth_of_the_lease() {
    let mut bench = Bench::joined();
    assert_eq!(bench.replica.next_heartbeat(ms(7)), Some(ms(7)));
    bench.renew(7);
    assert_eq!(bench.replica.next_heartbeat(ms(8)), Some(ms(257)));
}

#[test]
fn a_clock_that_is_set_back_prolongs_no_lease() {
    let mut bench = Bench::joined();
    bench.lease(10_000, 0);
    let under_way = bench.renew(10_500).nonce;
    // Set back by 8 s, half a second after the last reading: what is left of the lease is what was left at 10,500.
    assert!(!bench.held(3_000), "before the driver has noticed");
    bench.renew(2_500);
    assert!(bench.held(2_500 + 1_134));
    assert!(!bench.held(2_500 + 1_135));
    assert_eq!(bench.granted(2_501, under_way, 0), Granted::Active);
    assert_eq!(bench.replica.lease(ms(2_501)), LeaseState::Held { until: ms(2_500 + 1_635) });
}

#[test]
fn a_check_may_have_read_its_clock_before_the_driver_did() {
    let mut bench = Bench::joined();
    bench.lease(1_000, 0);
    assert!(bench.held(999));
    assert!(bench.held(1_001 - 365));
    assert!(!bench.held(1_000 - 365));
}

#[test]
fn rule_21_a_load_that_raced_a_covering_change_is_not_cached() {
    let mut bench = Bench::joined();
    bench.apply(1);
    let ticket = bench.replica.begin_load();
    let about = |sequence: u64| move |change: &Change| change.position == at(sequence);
    assert!(bench.replica.may_cache(&ticket, at(1), about(2)));
    bench.apply(2);
    bench.apply(3);
    assert!(!bench.replica.may_cache(&ticket, at(1), about(2)));
    assert!(!bench.replica.may_cache(&ticket, at(1), about(3)));
    assert!(bench.replica.may_cache(&ticket, at(1), about(1)), "applied before the load");
    assert!(bench.replica.may_cache(&ticket, at(2), about(2)), "the value shows the change");
    assert!(bench.replica.may_cache(&ticket, at(7), about(3)), "newer than the view: what comes will evict it");
}

#[test]
fn rule_21_a_load_is_not_cached_when_it_cannot_be_known() {
    let mut bench = Bench::joined();
    let ticket = bench.replica.begin_load();
    (1..=1_024).for_each(|sequence| bench.apply(sequence));
    assert!(bench.replica.may_cache(&ticket, at(0), |_| false));
    bench.apply(1_025);
    assert!(!bench.replica.may_cache(&ticket, at(0), |_| false), "the first change is forgotten");
    assert!(bench.replica.may_cache(&ticket, at(1), |_| false));
    bench.join(2_000, &[]);
    let ticket = bench.replica.begin_load();
    assert!(!bench.replica.may_cache(&ticket, at(1_999), |_| false), "older than the snapshot");
}

#[test]
fn rule_21_a_load_is_not_cached_after_a_rejoin() {
    let mut bench = Bench::joined();
    let ticket = bench.replica.begin_load();
    bench.replica.rejoin();
    assert!(!bench.replica.may_cache(&ticket, at(0), |_| false));
    bench.join(0, &[]);
    assert!(!bench.replica.may_cache(&ticket, at(0), |_| false));
    assert!(bench.replica.may_cache(&bench.replica.begin_load(), at(0), |_| false));
}

#[test]
fn every_reason_has_its_own_code() {
    let reasons = [NoLease::NeverSynced, NoLease::Expired, NoLease::Gap, NoLease::Left];
    let codes: std::collections::BTreeSet<_> = reasons.iter().map(|why| why.code()).collect();
    assert_eq!(codes.len(), reasons.len());
}
