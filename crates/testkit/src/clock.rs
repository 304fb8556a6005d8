//! Time that moves when it is told to.

use std::sync::Arc;
use std::time::Duration;

use misario_core::changes::MonoTime;
use misario_jose::UnixTime;
use parking_lot::Mutex;

/// A wall clock and a monotonic clock that stand still between calls. Clones show the same time.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    /// In milliseconds, so that small steps add up.
    wall: u64,
    mono: u64,
}

impl FakeClock {
    /// A clock whose wall time is `start`; its monotonic time is a minute, so that one can look back.
    pub fn at(start: UnixTime) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall: start.as_secs().saturating_mul(1000), mono: 60_000 })))
    }

    /// The wall time.
    pub fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.lock().wall / 1000)
    }

    /// The monotonic time.
    pub fn mono(&self) -> MonoTime {
        MonoTime::from_millis(self.0.lock().mono)
    }

    /// Time goes by, on both clocks.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let mut hands = self.0.lock();
        hands.wall = hands.wall.saturating_add(by);
        hands.mono = hands.mono.saturating_add(by);
    }

    /// Somebody sets the wall clock; the monotonic one does not notice.
    pub fn set_wall(&self, to: UnixTime) {
        self.0.lock().wall = to.as_secs().saturating_mul(1000);
    }
}

impl Default for FakeClock {
    /// A clock in January 2027.
    fn default() -> Self {
        Self::at(UnixTime::from_secs(1_800_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_wall_clock_is_no_time_gone_by() {
        let clock = FakeClock::default();
        let (wall, mono) = (clock.now(), clock.mono());
        clock.advance(Duration::from_millis(600));
        clock.clone().advance(Duration::from_millis(600));
        assert_eq!(clock.now().secs_since(wall), 1);
        assert_eq!(clock.mono().since(mono), Duration::from_millis(1200));
        clock.set_wall(UnixTime::from_secs(5));
        assert_eq!(clock.now(), UnixTime::from_secs(5));
        assert_eq!(clock.mono().since(mono), Duration::from_millis(1200));
    }
}
