//! Seconds since the Unix epoch, handed in by whoever has a clock.

use serde::{Deserialize, Serialize};

/// A wall-clock moment in whole seconds since 1970-01-01T00:00:00Z (RFC 7519 §2, `NumericDate`).
///
/// Arithmetic saturates: a lifetime added to a hostile `exp` must not wrap into the past.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The moment `secs` seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The moment `secs` seconds later, at most the largest representable one.
    pub const fn saturating_add(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs))
    }

    /// The moment `secs` seconds earlier, at least the epoch.
    pub const fn saturating_sub(self, secs: u64) -> Self {
        Self(self.0.saturating_sub(secs))
    }

    /// Seconds from `earlier` to this moment; 0 when `earlier` is not earlier.
    pub const fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::UnixTime;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let end = UnixTime::from_secs(u64::MAX);
        assert_eq!(end.saturating_add(1), end);
        assert_eq!(UnixTime::from_secs(3).saturating_sub(4), UnixTime::default());
        assert_eq!(UnixTime::from_secs(3).secs_since(UnixTime::from_secs(5)), 0);
        assert_eq!(UnixTime::from_secs(5).secs_since(UnixTime::from_secs(3)), 2);
    }
}
