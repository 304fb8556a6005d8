//! Where a thing stands in the change log.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A generation of the log. It is raised when a store may have lost the log's tail, so that positions handed out
/// before the loss can never be mistaken for positions handed out after it (PROTOCOL rule 24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Epoch(#[n(0)] pub u32);

/// A place in the change log, compared by epoch, then sequence (PROTOCOL rule 30). Written `epoch.sequence`.
///
/// A credential carries the position that was read *before* whatever it vouches for was read (rule 22); it was issued
/// before a change exactly when its position is smaller than the change's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
pub struct Position {
    /// The log's generation.
    #[n(0)]
    pub epoch: Epoch,
    /// The number of the entry within its epoch; entries are gap-free and start at 1.
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
        Self { epoch: self.epoch, sequence: self.sequence.saturating_add(1) }
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
