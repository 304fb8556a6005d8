//! Where a thing stands in the change log.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};

/// A generation of the log. It is raised when a store may have lost the log's tail, or may have been put back to an
/// earlier state, so that positions handed out before can never be mistaken for positions handed out after (PROTOCOL
/// rule 24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Epoch(#[n(0)] pub u32);

impl Epoch {
    /// An epoch for a log that is opened at `now`: later than that of every opening before, as far as the clock is right.
    pub fn beginning(now: UnixTime) -> Self {
        Self(u32::try_from(now.as_secs()).unwrap_or(u32::MAX))
    }
}

/// A place in the change log, compared by epoch, then sequence (PROTOCOL rule 30). Written `epoch.sequence`.
///
/// A credential carries the position that was read *before* whatever it vouches for was read (rule 22); it was issued
/// before a change exactly when its position is smaller than the change's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
pub struct Position {
    /// The log's generation.
    #[n(0)]
    pub epoch: Epoch,
    /// The number of the entry in the log; entries are gap-free, over all epochs, and start at 1.
    #[n(1)]
    pub sequence: u64,
}

impl Position {
    /// Before every entry.
    pub const ZERO: Self = Self { epoch: Epoch(0), sequence: 0 };

    /// The place `sequence` of `epoch`.
    pub const fn new(epoch: Epoch, sequence: u64) -> Self {
        Self { epoch, sequence }
    }

    /// The place of the entry that follows in the same epoch.
    pub const fn next(self) -> Self {
        self.next_in(self.epoch)
    }

    /// The place of the entry that follows, in `epoch` or the own one, whichever is later.
    pub const fn next_in(self, epoch: Epoch) -> Self {
        let epoch = if epoch.0 > self.epoch.0 { epoch } else { self.epoch };
        Self { epoch, sequence: self.sequence.saturating_add(1) }
    }

    /// Whether an entry at `self` can follow directly on one at `before`: the next number, in the same epoch or a later
    /// one. That `before` is of this log, and not of one that was lost, is for whoever reads the log to know.
    pub const fn follows(self, before: Self) -> bool {
        self.epoch.0 >= before.epoch.0 && self.sequence == before.sequence.saturating_add(1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch.0, self.sequence)
    }
}

/// A text was not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a log position is written epoch.sequence, in decimal digits")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (epoch, sequence) = text.split_once('.').ok_or(InvalidPosition)?;
        // `u64::from_str` reads a sign and leading zeros; one spelling per position is enough.
        let digits = |part: &str| part == "0" || part.bytes().all(|b| b.is_ascii_digit()) && !part.starts_with('0');
        if !digits(epoch) || !digits(sequence) {
            return Err(InvalidPosition);
        }
        Ok(Self {
            epoch: Epoch(epoch.parse().map_err(|_| InvalidPosition)?),
            sequence: sequence.parse().map_err(|_| InvalidPosition)?,
        })
    }
}

impl Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_epoch_is_later_whatever_its_sequence() {
        assert!(Position::new(Epoch(2), 1) > Position::new(Epoch(1), 900));
    }

    #[test]
    fn a_position_has_one_spelling() {
        assert_eq!("1.42".parse(), Ok(Position::new(Epoch(1), 42)));
        assert_eq!("0.0".parse(), Ok(Position::ZERO));
        for bad in ["", "1", "1.", ".1", "+1.2", "1.02", "1.2.3", "1.-2", "1.18446744073709551616", " 1.2"] {
            assert!(bad.parse::<Position>().is_err(), "{bad:?}");
        }
    }
}
