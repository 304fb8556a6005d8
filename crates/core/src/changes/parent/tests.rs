use super::*;
use crate::changes::barrier::{BarrierReport, BarrierState};
use crate::changes::samples::{Counting, at};
use crate::changes::{LeaseConfig, Nonce};

const TTL: Duration = Duration::from_secs(2);

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

fn id(n: u8) -> ReplicaId {
    ReplicaId::from_bytes([n; 16])
}

fn parent() -> Parent {
    Parent::new(ms(0), TTL).nothing_lost()
}

fn root(applied: u64) -> Own {
    Own { lease: OwnLease::Root, applied: at(applied) }
}

fn grant(ttl_ms: u64, head: u64) -> Grant {
    Grant { ttl: Duration::from_millis(ttl_ms), head: at(head) }
}

#[test]
fn rule_5_a_child_that_left_is_not_waited_for_and_its_id_alone() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    parent.renew(id(2), at(0), root(0), ms(0)).unwrap();
    assert!(parent.leave(id(1)));
    assert!(!parent.leave(id(1)));
    assert_eq!(parent.subtree_applied(at(1), ms(1)), at(0), "the other still holds a lease");
    assert!(parent.leave(id(2)));
    assert_eq!(parent.subtree_applied(at(1), ms(1)), at(1));
}

#[test]
fn rule_5_a_parent_leaves_when_no_lease_of_its_is_left() {
    let mut parent = parent();
    assert_eq!(parent.close(ms(5)), ms(5));
    let mut parent = Parent::new(ms(0), TTL).nothing_lost();
    parent.renew(id(1), at(0), root(0), ms(100)).unwrap();
    assert_eq!(parent.close(ms(200)), ms(2_100));
    assert_eq!(parent.renew(id(1), at(0), root(0), ms(300)), Err(GrantError::Closed));
    parent.leave(id(1));
    assert_eq!(parent.close(ms(400)), ms(400));
    assert_eq!(Parent::new(ms(0), TTL).close(ms(1)), ms(2_000), "there may be leases that it knows nothing of");
}

#[test]
fn rule_6_a_parent_reports_what_its_children_show() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    parent.renew(id(2), at(0), root(0), ms(500)).unwrap();
    assert_eq!(parent.subtree_applied(at(1), ms(600)), at(0));
    parent.renew(id(1), at(1), root(1), ms(700)).unwrap();
    assert_eq!(parent.subtree_applied(at(1), ms(800)), at(0));
    parent.renew(id(2), at(1), root(1), ms(900)).unwrap();
    assert_eq!(parent.subtree_applied(at(1), ms(1_000)), at(1));
    assert_eq!(parent.subtree_applied(at(0), ms(1_000)), at(0), "never more than its own");
}

#[test]
fn rule_6_a_lease_that_ran_out_is_not_waited_for() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    assert_eq!(parent.subtree_applied(at(1), ms(1_999)), at(0));
    assert_eq!(parent.subtree_applied(at(1), ms(2_000)), at(1));
}

#[test]
fn rule_6_a_lease_granted_after_the_change_names_it_and_is_not_waited_for() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(3), ms(0)).unwrap();
    assert_eq!(parent.subtree_applied(at(3), ms(1)), at(3));
}

#[test]
fn rule_8_a_renewal_does_not_hide_the_lease_before_it() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    // The change is applied here; the child renews without having it, and its entry says head 1.
    parent.renew(id(1), at(0), root(1), ms(1_000)).unwrap();
    assert_eq!(parent.subtree_applied(at(1), ms(1_999)), at(0), "the first lease is in force and knows nothing of it");
    assert_eq!(parent.subtree_applied(at(1), ms(2_000)), at(1), "the second one is active with the change only");
    let mut barrier = parent.barrier(at(1), ms(1_000));
    assert_eq!(barrier.poll(ms(1_000)), BarrierState::Waiting { until: ms(2_000), replicas: 1 });
}

#[test]
fn rule_7_a_grant_ends_with_the_parents_own_lease() {
    let mut parent = parent();
    let own = |lease| Own { lease, applied: at(4) };
    assert_eq!(parent.renew(id(1), at(0), own(OwnLease::Until(ms(9_000))), ms(100)), Ok(grant(2_000, 4)));
    assert_eq!(parent.renew(id(1), at(0), own(OwnLease::Until(ms(1_500))), ms(100)), Ok(grant(1_400, 4)));
    for lease in [OwnLease::Until(ms(100)), OwnLease::Until(ms(50)), OwnLease::None] {
        assert_eq!(parent.renew(id(1), at(0), own(lease), ms(100)), Err(GrantError::NoLease));
    }
}

#[test]
fn rule_7_a_pending_grant_of_its_own_lets_a_parent_grant_nothing() {
    let entropy = Counting::default();
    let mut replica = Replica::new(LeaseConfig::new(TTL), &entropy);
    replica.adopt_snapshot(at(0), &[], &entropy).unwrap();
    let ask = |replica: &mut Replica| -> Nonce { replica.renew(ms(0), &entropy).unwrap().nonce };
    let nonce = ask(&mut replica);
    replica.granted(ms(1), nonce, TTL, at(1));
    assert_eq!(Own::of(&replica, ms(1)), Own { lease: OwnLease::None, applied: at(0) });
    let nonce = ask(&mut replica);
    replica.granted(ms(1), nonce, TTL, at(0));
    assert_eq!(Own::of(&replica, ms(1)).lease, OwnLease::Until(ms(1_635)), "after the margin");
}

#[test]
fn rule_7_an_acknowledgement_counts_even_if_there_is_nothing_to_grant() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    let own = Own { lease: OwnLease::None, applied: at(1) };
    assert!(parent.renew(id(1), at(1), own, ms(1)).is_err());
    assert_eq!(parent.subtree_applied(at(1), ms(2)), at(1));
}

#[test]
fn rule_8_a_barrier_of_children_waits_for_exact_ends() {
    let mut parent = parent();
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    parent.renew(id(2), at(0), root(0), ms(700)).unwrap();
    parent.renew(id(3), at(1), root(0), ms(700)).unwrap();
    let mut barrier = parent.barrier(at(1), ms(800));
    parent.renew(id(4), at(0), root(1), ms(900)).unwrap();
    assert_eq!(barrier.poll(ms(1_999)), BarrierState::Waiting { until: ms(2_700), replicas: 2 });
    barrier.acknowledged(id(2), at(1));
    let report = BarrierReport { acknowledged: 1, left: 0, fenced: 1, waited: Duration::from_millis(1_200) };
    assert_eq!(barrier.poll(ms(2_000)), BarrierState::Done(report));
}

#[test]
fn rule_14_a_parent_that_may_have_lost_leases_waits_one_ttl() {
    let mut parent = Parent::new(ms(1_000), TTL);
    assert_eq!(parent.lost_registry_until(), Some(ms(3_000)));
    assert_eq!(parent.subtree_applied(at(5), ms(2_999)), Position::ZERO);
    assert_eq!(
        parent.barrier(at(5), ms(1_500)).poll(ms(2_999)),
        BarrierState::Waiting { until: ms(3_000), replicas: 0 }
    );
    assert_eq!(parent.subtree_applied(at(5), ms(3_000)), at(5));
    parent.expire(ms(3_000));
    assert_eq!(parent.lost_registry_until(), None);
}

#[test]
fn children_are_bounded_and_the_dead_make_room() {
    let mut parent = parent().with_limit(2);
    parent.renew(id(1), at(0), root(0), ms(0)).unwrap();
    parent.renew(id(2), at(0), root(0), ms(1_000)).unwrap();
    assert_eq!(parent.renew(id(3), at(0), root(0), ms(1_500)), Err(GrantError::Full { limit: 2 }));
    parent.renew(id(2), at(0), root(0), ms(1_500)).unwrap();
    parent.renew(id(3), at(0), root(0), ms(2_000)).unwrap();
    assert_eq!(parent.len(), 2);
    parent.expire(ms(9_000));
    assert!(parent.is_empty());
}

#[test]
fn however_often_a_child_renews_its_leases_are_bounded_and_none_is_forgotten() {
    let mut parent = parent();
    for n in 0..1_000 {
        parent.renew(id(1), at(0), root(n), ms(n)).unwrap();
    }
    assert!(parent.children[&id(1)].grants.len() <= GIVEN);
    assert_eq!(parent.subtree_applied(at(2_000), ms(1_500)), at(0));
    assert_eq!(parent.close(ms(1_500)), ms(2_999));
    assert_eq!(parent.subtree_applied(at(2_000), ms(2_999)), at(2_000));
}

#[test]
fn every_error_has_its_code_documented_once() {
    let errors = [GrantError::NoLease, GrantError::Full { limit: 1 }, GrantError::Closed];
    let codes: Vec<_> = GrantError::CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(errors.map(|error| error.code()).as_slice(), codes);
}
