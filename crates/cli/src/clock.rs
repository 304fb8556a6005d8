//! The clocks of this process, for everything that takes time as an argument.

use std::time::{Duration, Instant};

use misario_jose::UnixTime;
use misario_tower::{Clock as _, SystemClock};

/// The wall clock.
pub(crate) fn now() -> UnixTime {
    SystemClock.wall()
}

/// A moment to measure from: demonstrations count in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(Instant);

impl Mark {
    /// This moment.
    #[expect(clippy::disallowed_methods, reason = "the one place where durations are measured")]
    pub(crate) fn set() -> Self {
        Self(Instant::now())
    }

    /// From `earlier` to this moment.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }
}

/// Milliseconds, for people and for JSON.
pub(crate) fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 100_000.0).round() / 100.0
}
