//! Monotonic time, as an argument.

use std::time::Duration;

/// Milliseconds on one process's own monotonic clock. Comparable only with values of the same clock; it crosses no
/// wire (PROTOCOL rules 2 and 10). Hosts read it from `CLOCK_BOOTTIME`, which goes on while the machine is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MonoTime(u64);

impl MonoTime {
    /// The instant `millis` milliseconds after the clock's own zero.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds after the clock's own zero.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The instant `later` after this one.
    pub const fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(millis(later)))
    }

    /// The instant `earlier` before this one, at least the clock's zero.
    pub const fn minus(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(millis(earlier)))
    }

    /// How long ago `earlier` was; zero if it is in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what does not fit is cut to the largest value first")]
const fn millis(duration: Duration) -> u64 {
    let millis = duration.as_millis();
    if millis > u64::MAX as u128 { u64::MAX } else { millis as u64 }
}
