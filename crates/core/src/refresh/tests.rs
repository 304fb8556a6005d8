use super::*;

const POLICY: RefreshPolicy = RefreshPolicy { reuse_interval: 10 };

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_000_000 + secs)
}

/// A family whose head was made by `rotations` rotations, ten seconds and more apart.
fn family(rotations: u32) -> TokenFamily {
    (0..rotations).fold(TokenFamily::first(), |family, n| {
        let next = Generation(family.head.0 + 1);
        family.rotated(next, POLICY, at(u64::from(n) * 100))
    })
}

#[test]
fn the_head_rotates() {
    assert_eq!(decide(&family(0), Generation(1), POLICY, at(0)), Rotation::Rotate { next: Generation(2) });
}

#[test]
fn a_lost_response_is_given_again_however_late() {
    let family = family(3);
    assert_eq!(decide(&family, Generation(3), POLICY, at(86_400 * 365)), Rotation::Retry { head: Generation(4) });
}

#[test]
fn the_parent_of_a_used_head_is_a_sibling_only_for_the_interval() {
    let family = family(1).seen(Generation(2)).unwrap();
    assert_eq!(decide(&family, Generation(1), POLICY, at(9)), Rotation::Retry { head: Generation(2) });
    assert_eq!(decide(&family, Generation(1), POLICY, at(10)), Rotation::Reused { head: Generation(2) });
}

#[test]
fn siblings_may_be_several_rotations_behind_within_the_interval() {
    let mut family = TokenFamily::first();
    for second in 0..5 {
        family = family.rotated(Generation(family.head.0 + 1), POLICY, at(second));
    }
    assert_eq!(decide(&family, Generation(1), POLICY, at(9)), Rotation::Retry { head: Generation(6) });
    assert_eq!(decide(&family, Generation(1), POLICY, at(10)), Rotation::Reused { head: Generation(6) });
    assert_eq!(decide(&family, Generation(2), POLICY, at(10)), Rotation::Retry { head: Generation(6) });
}

#[test]
fn older_than_the_parent_is_reuse_even_if_the_head_was_never_used() {
    assert_eq!(decide(&family(3), Generation(2), POLICY, at(1_000)), Rotation::Reused { head: Generation(4) });
}

#[test]
fn what_the_family_never_had_changes_nothing() {
    assert_eq!(decide(&family(1), Generation(3), POLICY, at(0)), Rotation::Reject);
    assert_eq!(decide(&family(1), Generation(0), POLICY, at(0)), Rotation::Reject);
    let exhausted = TokenFamily { head: Generation(u32::MAX), ..TokenFamily::first() };
    assert_eq!(decide(&exhausted, Generation(u32::MAX), POLICY, at(0)), Rotation::Reject);
}

#[test]
fn a_clock_that_goes_back_ends_no_login() {
    let family = family(1).seen(Generation(2)).unwrap();
    assert_eq!(decide(&family, Generation(1), POLICY, UnixTime::from_secs(5)), Rotation::Retry { head: Generation(2) });
}

#[test]
fn the_memory_of_a_family_is_bounded() {
    let mut family = TokenFamily::first();
    for _ in 0..1_000 {
        family = family.rotated(Generation(family.head.0 + 1), POLICY, at(0));
    }
    assert_eq!(family.recent.len(), RECENT);
    // Only a clock that jumped leaves the memory full and the parent's own rotation out of it.
    family.recent.pop();
    family.recent.push(Rotated { generation: Generation(1), at: at(0) });
    let parent = Generation(family.head.0 - 1);
    let retried = family.retried(parent, POLICY, at(0)).unwrap();
    assert_eq!((retried.recent.len(), retried.recent.last().unwrap().generation), (RECENT, parent));
}

#[test]
fn only_the_head_is_marked_as_used_and_once() {
    let family = family(2);
    assert!(family.seen(Generation(2)).is_none());
    let used = family.seen(Generation(3)).unwrap();
    assert!(used.seen(Generation(3)).is_none());
    assert!(!used.rotated(Generation(4), POLICY, at(0)).head_used());
}

#[test]
fn a_sibling_may_show_what_a_lost_response_was_retried_with() {
    // The response with 2 was lost; the laptop slept; two tabs wake and both show 1.
    let family = family(1);
    assert_eq!(decide(&family, Generation(1), POLICY, at(86_400)), Rotation::Retry { head: Generation(2) });
    let family = family.retried(Generation(1), POLICY, at(86_400)).unwrap();
    // The first tab has 2 and calls the API with its access token, while the second tab's request is on the wire.
    let family = family.seen(Generation(2)).unwrap();
    assert_eq!(decide(&family, Generation(1), POLICY, at(86_409)), Rotation::Retry { head: Generation(2) });
    assert_eq!(decide(&family, Generation(1), POLICY, at(86_410)), Rotation::Reused { head: Generation(2) });
}

#[test]
fn a_burst_of_retries_starts_the_interval_once() {
    let family = family(1);
    assert!(family.retried(Generation(1), POLICY, at(9)).is_none(), "the rotation's own interval still runs");
    let family = family.retried(Generation(1), POLICY, at(10)).unwrap();
    assert!(family.retried(Generation(1), POLICY, at(19)).is_none());
    assert_eq!(family.retried(Generation(1), POLICY, at(20)).unwrap().recent.len(), 1);
}

#[test]
fn no_token_keeps_itself_alive_once_the_head_was_used() {
    let used = family(1).retried(Generation(1), POLICY, at(100)).unwrap().seen(Generation(2)).unwrap();
    let rotated = family(1).rotated(Generation(3), POLICY, at(100));
    for second in 0..1_000 {
        assert!(used.retried(Generation(1), POLICY, at(second)).is_none());
        assert!(rotated.retried(Generation(1), POLICY, at(second)).is_none(), "it is no parent of the head");
        assert!(rotated.retried(Generation(3), POLICY, at(second)).is_none(), "the head rotates");
    }
}

#[test]
fn what_a_step_up_replaced_is_refused_and_ends_nothing() {
    let family = family(1).replaced();
    assert_eq!(family.head(), Generation(3));
    for shown in [1, 2] {
        assert_eq!(decide(&family, Generation(shown), POLICY, at(1)), Rotation::Reject);
    }
    let next = family.rotated(Generation(4), POLICY, at(50));
    assert_eq!(decide(&next, Generation(2), POLICY, at(51)), Rotation::Reject);
    assert_eq!(decide(&next, Generation(3), POLICY, at(51)), Rotation::Retry { head: Generation(4) });
}

mod interleavings;
