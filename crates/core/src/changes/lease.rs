//! How long a replica may answer, from the grants it was given.

use std::collections::VecDeque;
use std::time::Duration;

use super::{MonoTime, Nonce, Position};

/// How leases are reckoned on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseConfig {
    /// The lease to ask for, as the parent announces it.
    pub ttl: Duration,
    /// How much the rate of a clock may be wrong (ρ), in thousandths. Slewing a clock can reach the default, 100.
    pub clock_error_permille: u32,
    /// The steps in which this process sees its clock, and how stale a cached reading of it may be (rule 19).
    pub granularity: Duration,
}

impl LeaseConfig {
    /// Leases of `ttl`, clocks that are wrong by at most a tenth, and read to the millisecond.
    pub const fn new(ttl: Duration) -> Self {
        Self { ttl, clock_error_permille: 100, granularity: Duration::from_millis(1) }
    }

    /// What a replica takes off a lease of `ttl`: `ttl · 2ρ / (1 + ρ) + g`, so that it stops before its parent thinks
    /// it has, if the one clock is slow and the other fast.
    pub fn margin(&self, ttl: Duration) -> Duration {
        let rho = u128::from(self.clock_error_permille);
        let drift = (ttl.as_millis() * 2 * rho).div_ceil(1_000 + rho);
        let granularity = self.granularity.as_nanos().div_ceil(1_000_000);
        Duration::from_millis(u64::try_from(drift + granularity).unwrap_or(u64::MAX))
    }

    /// How often to renew: an eighth of the lease.
    pub fn heartbeat(&self) -> Duration {
        (self.ttl / 8).max(Duration::from_millis(1))
    }
}

/// A grant, with both of its fields: neither is ever combined with another grant's (rule 3).
#[derive(Debug, Clone, Copy)]
struct Grant {
    until: MonoTime,
    head: Position,
}

/// The requests under way and the grants received.
#[derive(Debug, Default)]
pub(super) struct Lease {
    outstanding: VecDeque<(Nonce, MonoTime)>,
    /// Grants whose head is not applied yet.
    pending: Vec<Grant>,
    /// The largest `until` of those whose head is.
    active: Option<MonoTime>,
}

/// How many requests and how many pending grants are kept. A replica renews eight times per lease and once per change,
/// so those forgotten are the oldest; forgetting one shortens a lease and never prolongs it.
const KEPT: usize = 64;

impl Lease {
    /// Notes a request that is sent at `t0`, which stays here (rule 2).
    pub(super) fn sent(&mut self, nonce: Nonce, t0: MonoTime) {
        if self.outstanding.len() == KEPT {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back((nonce, t0));
    }

    /// When the request with this nonce was sent, if it waits for its grant. It does not any more (rule 2).
    pub(super) fn answered(&mut self, nonce: Nonce) -> Option<MonoTime> {
        let place = self.outstanding.iter().position(|(outstanding, _)| *outstanding == nonce)?;
        self.outstanding.remove(place).map(|(_, t0)| t0)
    }

    /// Adds a grant; it is active once `head` is applied.
    pub(super) fn granted(&mut self, until: MonoTime, head: Position, applied: Position) {
        if self.pending.len() == KEPT {
            self.pending.remove(0);
        }
        self.pending.push(Grant { until, head });
        self.activate(applied);
    }

    /// Activates the grants whose head is applied (rule 3).
    pub(super) fn activate(&mut self, applied: Position) {
        let active = &mut self.active;
        self.pending.retain(|grant| {
            let is_pending = grant.head > applied;
            if !is_pending {
                *active = (*active).max(Some(grant.until));
            }
            is_pending
        });
    }

    /// Until when the replica may answer.
    pub(super) const fn until(&self) -> Option<MonoTime> {
        self.active
    }

    /// The largest head that a pending grant waits for.
    pub(super) fn awaited(&self) -> Option<Position> {
        self.pending.iter().map(|grant| grant.head).max()
    }

    /// Forgets everything, requests included, so that a grant that is still on its way is not taken either.
    pub(super) fn drop_all(&mut self) {
        *self = Self::default();
    }

    /// Moves all times back: what is noted keeps its distance to a clock that was set back.
    pub(super) fn set_back(&mut self, by: Duration) {
        for (_, t0) in &mut self.outstanding {
            *t0 = t0.minus(by);
        }
        for grant in &mut self.pending {
            grant.until = grant.until.minus(by);
        }
        self.active = self.active.map(|until| until.minus(by));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_365_ms_of_2_s() {
        let config = LeaseConfig::new(Duration::from_secs(2));
        assert_eq!(config.margin(config.ttl), Duration::from_millis(365));
        assert_eq!(config.heartbeat(), Duration::from_millis(250));
    }

    #[test]
    fn rule_19_a_stale_clock_widens_the_margin() {
        let config = LeaseConfig { granularity: Duration::from_micros(10_500), ..LeaseConfig::new(Duration::ZERO) };
        assert_eq!(config.margin(Duration::ZERO), Duration::from_millis(11));
    }

    #[test]
    fn a_slow_replica_stops_before_a_fast_parent() {
        for ttl in (1..5_000).map(Duration::from_millis) {
            let until = ttl.saturating_sub(LeaseConfig::new(ttl).margin(ttl));
            // The replica's clock shows 0.9 s per second, the parent's 1.1 s.
            assert!(until.as_secs_f64() / 0.9 <= ttl.as_secs_f64() / 1.1 + 1e-9, "{ttl:?}");
        }
    }

    #[test]
    fn requests_and_grants_are_bounded() {
        let mut lease = Lease::default();
        for n in 0..100 {
            lease.sent(Nonce::from_bytes([n; 16]), MonoTime::from_millis(n.into()));
            lease.granted(MonoTime::from_millis(n.into()), Position::ZERO.next(), Position::ZERO);
        }
        assert_eq!((lease.outstanding.len(), lease.pending.len()), (KEPT, KEPT));
        assert_eq!(lease.answered(Nonce::from_bytes([0; 16])), None);
        assert!(lease.answered(Nonce::from_bytes([99; 16])).is_some());
    }
}
