use super::*;
use crate::changes::samples::at;
use crate::store::RegistryEntry;

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

fn id(n: u8) -> ReplicaId {
    ReplicaId::from_bytes([n; 16])
}

fn entry(n: u8, applied: u64, ttl_ms: u64) -> RegistryEntry {
    RegistryEntry { id: id(n), applied: at(applied), ttl: Duration::from_millis(ttl_ms), counter: 1 }
}

/// The barrier of an append at position 5 whose reply came at 1,000 ms.
fn appended(registry: Vec<RegistryEntry>) -> Barrier {
    Barrier::after_append(&Appended { position: at(5), registry }, ms(1_000))
}

fn done(acknowledged: usize, left: usize, fenced: usize, waited_ms: u64) -> BarrierState {
    let waited = Duration::from_millis(waited_ms);
    BarrierState::Done(BarrierReport { acknowledged, left, fenced, waited })
}

#[test]
fn nobody_to_wait_for_is_done_at_once() {
    assert_eq!(appended(vec![]).poll(ms(1_000)), done(0, 0, 0, 0));
}

#[test]
fn it_is_done_when_all_have_acknowledged_the_position() {
    let mut barrier = appended(vec![entry(1, 4, 2_000), entry(2, 3, 2_000)]);
    barrier.acknowledged(id(1), at(5));
    barrier.acknowledged(id(2), at(4));
    barrier.acknowledged(id(3), at(9));
    assert_eq!(barrier.poll(ms(1_010)), BarrierState::Waiting { until: ms(3_000), replicas: 1 });
    assert_eq!(barrier.waiting_for().collect::<Vec<_>>(), [id(2)]);
    barrier.acknowledged(id(2), at(6));
    barrier.acknowledged(id(2), at(7));
    assert_eq!(barrier.poll(ms(1_020)), done(2, 0, 0, 20));
}

#[test]
fn rule_1_another_incarnation_acknowledges_for_itself_only() {
    let mut barrier = appended(vec![entry(1, 4, 2_000)]);
    barrier.acknowledged(id(2), at(5));
    assert!(matches!(barrier.poll(ms(1_001)), BarrierState::Waiting { .. }));
}

#[test]
fn rule_5_who_has_left_is_not_waited_for() {
    let mut barrier = appended(vec![entry(1, 4, 2_000)]);
    barrier.left(id(2));
    assert!(matches!(barrier.poll(ms(1_001)), BarrierState::Waiting { .. }));
    barrier.left(id(1));
    assert_eq!(barrier.poll(ms(1_002)), done(0, 1, 0, 2));
}

#[test]
fn rule_9_later_entries_do_not_prolong_it() {
    // Each has its own snapshot; a replica that renews or joins afterwards is in none.
    let mut first = appended(vec![entry(1, 4, 2_000)]);
    let mut second = Barrier::after_append(
        &Appended { position: at(6), registry: vec![entry(1, 4, 2_000), entry(2, 4, 2_000)] },
        ms(2_900),
    );
    assert_eq!(first.poll(ms(3_000)), done(0, 0, 1, 2_000));
    assert_eq!(second.poll(ms(3_000)), BarrierState::Waiting { until: ms(4_900), replicas: 2 });
}

#[test]
fn rule_10_leases_are_counted_from_the_reply_on_the_waiters_clock() {
    let mut barrier = appended(vec![entry(1, 4, 2_000)]);
    assert_eq!(barrier.poll(ms(2_999)), BarrierState::Waiting { until: ms(3_000), replicas: 1 });
    assert_eq!(barrier.poll(ms(3_000)), done(0, 0, 1, 2_000));
}

#[test]
fn rule_11_the_longest_lease_is_waited_for() {
    let mut barrier = appended(vec![entry(1, 4, 500), entry(2, 4, 4_000)]);
    assert_eq!(barrier.poll(ms(1_600)), BarrierState::Waiting { until: ms(5_000), replicas: 1 });
    assert_eq!(barrier.poll(ms(5_000)), done(0, 0, 2, 4_000));
}

#[test]
fn rule_12_a_repeated_revocation_waits_for_those_who_lack_it() {
    // The position is the head, read together with the registry.
    let mut barrier = appended(vec![entry(1, 5, 2_000), entry(2, 4, 2_000)]);
    assert_eq!(barrier.poll(ms(1_000)), BarrierState::Waiting { until: ms(3_000), replicas: 1 });
    barrier.acknowledged(id(2), at(5));
    assert_eq!(barrier.poll(ms(1_000)), done(2, 0, 0, 0));
}

#[test]
fn rule_14_a_registry_that_may_be_lost_is_waited_for() {
    let mut barrier = appended(vec![entry(1, 5, 2_000)]).not_before(ms(1_500)).not_before(ms(1_200));
    assert_eq!(barrier.poll(ms(1_499)), BarrierState::Waiting { until: ms(1_500), replicas: 0 });
    assert_eq!(barrier.poll(ms(1_500)), done(1, 0, 0, 500));
}

#[test]
fn the_longest_of_several_leases_of_a_holder_counts() {
    let holders = [300, 500, 400].map(|end| Holder { id: id(1), end: ms(end) });
    let mut barrier = Barrier::over(at(5), holders, ms(0));
    assert_eq!(barrier.poll(ms(0)), BarrierState::Waiting { until: ms(500), replicas: 1 });
}

#[test]
fn a_clock_that_is_set_back_ends_no_barrier() {
    let mut barrier = appended(vec![entry(1, 4, 2_000)]);
    assert!(matches!(barrier.poll(ms(2_999)), BarrierState::Waiting { .. }));
    assert!(matches!(barrier.poll(ms(10)), BarrierState::Waiting { .. }));
}
