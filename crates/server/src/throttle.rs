//! How often a sign-in may be tried: per account, whatever its spelling, and per network address.
//!
//! Failures are counted before the password is looked at and taken back when it was right, so that parallel attempts
//! cannot slip under the limit. Each failure beyond the free ones doubles the wait, up to a limit; a success resets the
//! account. Counters live in memory, bounded; a restart forgives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use misario_core::changes::MonoTime;
use misario_core::user::Username;
use parking_lot::Mutex;

/// Failures of an account that cost nothing yet.
const FREE_PER_ACCOUNT: u32 = 5;
/// Failures from an address that cost nothing yet: many people share one.
const FREE_PER_ADDRESS: u32 = 50;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Counters that were not touched for so long are forgotten.
const FORGET: Duration = Duration::from_hours(1);
const MAX_COUNTERS: usize = 100_000;

/// The counters.
#[derive(Default)]
pub(crate) struct Throttle {
    counters: Mutex<HashMap<Counted, Counter>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Counted {
    Account(Username),
    Address(IpAddr),
}

#[derive(Clone, Copy)]
struct Counter {
    failures: u32,
    last: MonoTime,
}

/// An attempt that may be made. It counts as a failure unless [`Throttle::succeeded`] takes it back.
#[derive(Debug)]
pub(crate) struct Attempt {
    account: Username,
    address: Option<IpAddr>,
}

impl Throttle {
    /// Leave for one attempt, or how long to wait.
    pub(crate) fn attempt(
        &self,
        account: &Username,
        address: Option<IpAddr>,
        now: MonoTime,
    ) -> Result<Attempt, Duration> {
        let address = address.map(network);
        let mut counters = self.counters.lock();
        if counters.len() >= MAX_COUNTERS {
            counters.retain(|_, counter| now.since(counter.last) < FORGET);
        }
        let keys = [
            Some((Counted::Account(account.clone()), FREE_PER_ACCOUNT)),
            address.map(|address| (Counted::Address(address), FREE_PER_ADDRESS)),
        ];
        let longest = keys.iter().flatten().filter_map(|(key, free)| counters.get(key)?.wait(*free, now)).max();
        if let Some(wait) = longest {
            return Err(wait);
        }
        for (key, _) in keys.into_iter().flatten() {
            let counter = counters.entry(key).or_insert(Counter { failures: 0, last: now });
            counter.failures = counter.failures.saturating_add(1);
            counter.last = now;
        }
        Ok(Attempt { account: account.clone(), address })
    }

    /// The attempt was right: the account starts again, the address gets its one back.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let mut counters = self.counters.lock();
        counters.remove(&Counted::Account(attempt.account));
        if let Some(counter) = attempt.address.and_then(|address| counters.get_mut(&Counted::Address(address))) {
            counter.failures = counter.failures.saturating_sub(1);
        }
    }

    /// The attempt was not made after all (no room in the pool, the store failed): both get their one back.
    pub(crate) fn not_made(&self, attempt: &Attempt) {
        let mut counters = self.counters.lock();
        let keys = [Some(Counted::Account(attempt.account.clone())), attempt.address.map(Counted::Address)];
        for key in keys.into_iter().flatten() {
            if let Some(counter) = counters.get_mut(&key) {
                counter.failures = counter.failures.saturating_sub(1);
            }
        }
    }
}

impl Counter {
    fn wait(self, free: u32, now: MonoTime) -> Option<Duration> {
        let beyond = self.failures.checked_sub(free)?;
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        wait.checked_sub(now.since(self.last)).filter(|left| !left.is_zero())
    }
}

/// An IPv6 customer has a /64, and as many addresses as they like in it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        IpAddr::V4(v4) => IpAddr::V4(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> MonoTime {
        MonoTime::from_millis(secs * 1_000)
    }

    fn name(text: &str) -> Username {
        Username::new(text).unwrap()
    }

    #[test]
    fn an_account_is_one_whatever_its_spelling() {
        let throttle = Throttle::default();
        for spelling in ["alice", "ALICE", " alice", "Ａlice", "aLiCe"] {
            throttle.attempt(&name(spelling), None, at(0)).unwrap();
        }
        assert_eq!(throttle.attempt(&name("Alice"), None, at(0)).unwrap_err(), Duration::from_secs(1));
        assert!(throttle.attempt(&name("bob"), None, at(0)).is_ok());
    }

    #[test]
    fn the_wait_doubles_and_a_success_resets_it() {
        let throttle = Throttle::default();
        let alice = name("alice");
        for _ in 0..FREE_PER_ACCOUNT {
            throttle.attempt(&alice, None, at(0)).unwrap();
        }
        throttle.attempt(&alice, None, at(1)).unwrap();
        assert_eq!(throttle.attempt(&alice, None, at(1)).unwrap_err(), Duration::from_secs(2));
        let right = throttle.attempt(&alice, None, at(3)).unwrap();
        throttle.succeeded(right);
        assert!(throttle.attempt(&alice, None, at(3)).is_ok());
    }

    #[test]
    fn parallel_attempts_do_not_slip_under_the_limit() {
        let throttle = Throttle::default();
        let made = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..250).filter(|_| throttle.attempt(&name("a"), None, at(0)).is_ok()).count()))
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
        });
        assert_eq!(made, FREE_PER_ACCOUNT as usize);
    }

    #[test]
    fn an_address_is_its_network() {
        let throttle = Throttle::default();
        for n in 0..FREE_PER_ADDRESS {
            let address = format!("2001:db8::{n:x}").parse().unwrap();
            throttle.attempt(&name(&format!("u{n}")), Some(address), at(0)).unwrap();
        }
        let neighbour = "2001:db8::ffff".parse().unwrap();
        assert!(throttle.attempt(&name("other"), Some(neighbour), at(0)).is_err());
        let stranger = "2001:db8:0:1::1".parse().unwrap();
        assert!(throttle.attempt(&name("other"), Some(stranger), at(0)).is_ok());
    }

    #[test]
    fn an_attempt_that_was_not_made_does_not_count() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            let attempt = throttle.attempt(&name("a"), None, at(0)).unwrap();
            throttle.not_made(&attempt);
        }
    }
}
