//! The clocks of a process, at one place.

use misario_core::authn::Moment;
use misario_core::changes::MonoTime;
use misario_jose::UnixTime;

/// What tells the time. Everything below this crate takes time as an argument; whatever drives it takes a `Clock`.
pub trait Clock: Send + Sync {
    /// The wall clock, for times in credentials.
    fn wall(&self) -> UnixTime;

    /// A monotonic clock that goes on while the machine sleeps, for leases.
    fn mono(&self) -> MonoTime;

    /// Both, for a check: read them after the request arrived and before the memory is locked (PROTOCOL rule 18).
    fn moment(&self) -> Moment {
        Moment { wall: self.wall(), mono: self.mono() }
    }
}

/// The clocks of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> UnixTime {
        #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
        let now = std::time::SystemTime::now();
        // A clock before 1970 is no clock: every credential then looks as if it were from the future, and is refused.
        UnixTime::from_secs(now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    fn mono(&self) -> MonoTime {
        #[expect(clippy::disallowed_methods, reason = "the one place where the monotonic clock is read")]
        let now = rustix::time::clock_gettime(CLOCK);
        let millis = now.tv_sec.saturating_mul(1_000).saturating_add(now.tv_nsec / 1_000_000);
        MonoTime::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

/// `CLOCK_MONOTONIC` stands still while Linux is suspended, and a lease would outlive its end by the length of the nap.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia", target_os = "openbsd"))]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
/// Goes on during sleep on macOS.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "fuchsia", target_os = "openbsd")))]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_does_not_go_back() {
        let first = SystemClock.mono();
        assert!(SystemClock.mono() >= first);
        assert!(first.as_millis() > 0);
    }

    #[test]
    fn the_wall_clock_is_in_this_era() {
        assert!(SystemClock.wall() > UnixTime::from_secs(1_700_000_000));
    }
}
