//! How often a sign-in may be tried: per account, whatever its spelling, and per network address; and how often a login
//! may prove once more who it is, counted for itself, so that nobody from outside keeps its user from it.
//!
//! Failures are counted before the password is looked at and taken back when it was right, so that parallel attempts
//! cannot slip under the limit. Each failure beyond the free ones doubles the wait, up to a limit; a success resets the
//! account. Counters live in memory, bounded; a restart forgives.

mod counters;

use std::net::IpAddr;
use std::time::Duration;

use misario_core::changes::MonoTime;
use misario_core::id::SessionId;
use misario_core::user::Username;
use parking_lot::Mutex;

use counters::{Counter, Counters, Limit};

const ACCOUNT: Limit = Limit { free: 5, forgives_every: None };
/// Many people share an address, and some of them mistype every day.
const ADDRESS: Limit = Limit { free: 50, forgives_every: Some(Duration::from_mins(1)) };

/// Who tries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Account {
    /// Whoever says to be this user.
    Name(Username),
    /// A login that lives.
    Login(SessionId),
}

/// The counters.
#[derive(Default)]
pub(crate) struct Throttle {
    counted: Mutex<Counted>,
}

/// Apart, so that a flood of the one kind pushes out nothing of the other.
#[derive(Default)]
struct Counted {
    accounts: Counters<Account>,
    addresses: Counters<IpAddr>,
}

/// An attempt that may be made. It counts as a failure unless [`Throttle::succeeded`] takes it back.
#[derive(Debug)]
pub(crate) struct Attempt {
    account: Account,
    address: Option<IpAddr>,
    at: MonoTime,
    /// When the counters were last moved before.
    account_before: MonoTime,
    address_before: MonoTime,
}

impl Throttle {
    /// Leave for one attempt, or how long to wait.
    pub(crate) fn attempt(
        &self,
        account: &Account,
        address: Option<IpAddr>,
        now: MonoTime,
    ) -> Result<Attempt, Duration> {
        let address = address.map(network);
        let mut counted = self.counted.lock();
        let of_account = counted.accounts.get(account).unwrap_or(Counter::new(now)).aged(ACCOUNT, now);
        let of_address = address
            .map(|address| (address, counted.addresses.get(&address).unwrap_or(Counter::new(now)).aged(ADDRESS, now)));
        let address_wait = of_address.and_then(|(_, counter)| counter.wait(ADDRESS, now));
        if let Some(wait) = of_account.wait(ACCOUNT, now).max(address_wait) {
            return Err(wait);
        }
        counted.accounts.put(account.clone(), of_account.with_failure(now));
        if let Some((address, counter)) = of_address {
            counted.addresses.put(address, counter.with_failure(now));
        }
        let address_before = of_address.map_or(now, |(_, counter)| counter.last());
        Ok(Attempt { account: account.clone(), address, at: now, account_before: of_account.last(), address_before })
    }

    /// The attempt was right: the account starts again, the address is as if nothing had been tried from it.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let Attempt { account, address, at, address_before, .. } = attempt;
        let mut counted = self.counted.lock();
        counted.accounts.remove(&account);
        if let Some(address) = address {
            counted.addresses.take_back(&address, at, address_before);
        }
    }

    /// The attempt was not made after all (no room in the pool, the store failed): both get their one back.
    pub(crate) fn not_made(&self, attempt: &Attempt) {
        let mut counted = self.counted.lock();
        counted.accounts.take_back(&attempt.account, attempt.at, attempt.account_before);
        if let Some(address) = attempt.address {
            counted.addresses.take_back(&address, attempt.at, attempt.address_before);
        }
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

    fn name(text: &str) -> Account {
        Account::Name(Username::new(text).unwrap())
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
        for _ in 0..ACCOUNT.free {
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
        assert_eq!(made, ACCOUNT.free as usize);
    }

    #[test]
    fn an_address_is_its_network() {
        let throttle = Throttle::default();
        for n in 0..ADDRESS.free {
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

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let throttle = Throttle::default();
        for second in [0, 10_000] {
            for _ in 0..ACCOUNT.free {
                throttle.attempt(&name("a"), None, at(second)).unwrap();
            }
            assert!(throttle.attempt(&name("a"), None, at(second)).is_err());
        }
        let hour = 60 * 60;
        assert!(throttle.attempt(&name("a"), None, at(10_000 + hour)).is_ok());
        assert!(throttle.attempt(&name("a"), None, at(10_000 + hour)).is_ok(), "it begins at nothing");
    }

    /// Whoever shares an address with a few who mistype is not kept out by them.
    #[test]
    fn an_address_is_forgiven_one_failure_a_minute() {
        let throttle = Throttle::default();
        let address = Some("192.0.2.1".parse().unwrap());
        for minute in 0..500_u64 {
            throttle.attempt(&name(&format!("u{minute}")), address, at(minute * 60)).unwrap();
        }
        for n in 0..ADDRESS.free {
            throttle.attempt(&name(&format!("v{n}")), address, at(500 * 60)).unwrap();
        }
        assert!(throttle.attempt(&name("w"), address, at(500 * 60)).is_err());
    }

    /// Else the wait of an attacker's neighbours would begin anew each time that one of them gets in.
    #[test]
    fn a_success_does_not_prolong_the_wait_of_its_address() {
        let throttle = Throttle::default();
        let address = Some("192.0.2.1".parse().unwrap());
        for n in 0..ADDRESS.free + 4 {
            let second = if n < ADDRESS.free { 0 } else { 10 * u64::from(n + 1 - ADDRESS.free) };
            throttle.attempt(&name(&format!("u{n}")), address, at(second)).unwrap();
        }
        let wait = throttle.attempt(&name("right"), address, at(40)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(16));
        let right = throttle.attempt(&name("right"), address, at(57)).unwrap();
        throttle.succeeded(right);
        assert!(throttle.attempt(&name("other"), address, at(57)).is_ok());
    }
}
