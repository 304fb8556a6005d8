//! Very many cut-offs in little memory: 32 octets each and a few per cent of slack.
//!
//! Keys are 128 bits that nobody can choose (random handles, digests), so 256 sorted shards by the first octet stay
//! equally long. A look-up is one binary search, an insertion moves half a shard, a sweep takes some shards at a time,
//! so that none of them holds a lock for long however many revocations are live.

use misario_jose::{UnixTime, digest};

use super::cut_off::CutOff;
use crate::changes::{Epoch, Position};

/// What a cut-off is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key([u8; 16]);

impl Key {
    /// For 128 random bits.
    pub(super) const fn random(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// For a text that others choose. Two texts with one key would be revoked together; finding such a pair takes 2^64
    /// digests, and harms only whoever issues both.
    pub(super) fn text(text: &str) -> Self {
        let mut key = [0; 16];
        key.iter_mut().zip(digest::sha256(text.as_bytes())).for_each(|(to, from)| *to = from);
        Self(key)
    }
}

const SHARDS: usize = 256;

/// How many shards one sweep looks through: a whole round takes sixteen.
const SWEPT_AT_ONCE: usize = 16;

/// Cut-offs by key.
#[derive(Default)]
pub(super) struct Table {
    /// Empty until the first insertion.
    shards: Vec<Vec<Entry>>,
    len: usize,
    /// Where the next sweep begins.
    cursor: usize,
}

impl Table {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: impl FnOnce() -> Key) -> Option<CutOff> {
        if self.len == 0 {
            return None;
        }
        let key = key();
        let shard = self.shards.get(usize::from(key.0[0]))?;
        let place = shard.binary_search_by_key(&key, |entry| entry.key).ok()?;
        shard.get(place).map(Entry::cut_off)
    }

    pub(super) fn insert(&mut self, key: Key, cut_off: CutOff) {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, Vec::new);
        }
        let Some(shard) = self.shards.get_mut(usize::from(key.0[0])) else { return };
        match shard.binary_search_by_key(&key, |entry| entry.key) {
            Ok(place) => {
                if let Some(entry) = shard.get_mut(place) {
                    let mut merged = entry.cut_off();
                    merged.merge(cut_off);
                    *entry = Entry::new(key, merged);
                }
            }
            Err(place) => {
                if shard.len() == shard.capacity() {
                    // Doubling would waste as much as the entries themselves.
                    shard.reserve_exact(shard.len() / 16 + 1);
                }
                shard.insert(place, Entry::new(key, cut_off));
                self.len += 1;
            }
        }
    }

    /// Forgets what is over, in a sixteenth of the table.
    pub(super) fn sweep(&mut self, now: UnixTime) {
        for _ in 0..SWEPT_AT_ONCE {
            let Some(shard) = self.shards.get_mut(self.cursor) else { break };
            self.cursor = (self.cursor + 1) % SHARDS;
            let before = shard.len();
            shard.retain(|entry| entry.cut_off().is_live(now));
            self.len -= before - shard.len();
            if shard.len() < before && shard.capacity() > shard.len() * 2 {
                shard.shrink_to(shard.len() + shard.len() / 16);
            }
        }
    }
}

/// A key and its [`CutOff`], in fields whose alignment leaves no padding.
struct Entry {
    key: Key,
    epoch: u32,
    sequence: [u8; 8],
    until: u32,
}

impl Entry {
    fn new(key: Key, cut_off: CutOff) -> Self {
        Self {
            key,
            epoch: cut_off.before.epoch.0,
            sequence: cut_off.before.sequence.to_be_bytes(),
            until: seconds(cut_off.until),
        }
    }

    fn cut_off(&self) -> CutOff {
        CutOff {
            before: Position::new(Epoch(self.epoch), u64::from_be_bytes(self.sequence)),
            until: unix_time(self.until),
        }
    }
}

/// Seconds since 1970 fit into 32 bits until 2106; whatever is later counts as for ever, which revokes more, not less.
fn seconds(time: UnixTime) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

fn unix_time(seconds: u32) -> UnixTime {
    UnixTime::from_secs(if seconds == u32::MAX { u64::MAX } else { seconds.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_off(sequence: u64, until: u64) -> CutOff {
        CutOff { before: Position::new(Epoch(3), sequence), until: UnixTime::from_secs(until) }
    }

    #[test]
    fn an_entry_takes_32_octets_and_shards_little_slack() {
        assert_eq!(size_of::<Entry>(), 32);
        let mut table = Table::default();
        let count = 50_000;
        for n in 0..count {
            table.insert(Key::text(&n.to_string()), cut_off(n, 10));
        }
        let octets: usize = table.shards.iter().map(|shard| shard.capacity() * size_of::<Entry>()).sum();
        assert!(octets <= 36 * 50_000, "{octets}");
        for n in 0..count {
            assert_eq!(table.get(|| Key::text(&n.to_string())), Some(cut_off(n, 10)));
        }
        assert_eq!(table.get(|| Key::text("other")), None);
    }

    #[test]
    fn numbers_survive_the_narrow_fields() {
        let mut table = Table::default();
        let wide = CutOff {
            before: Position::new(Epoch(u32::MAX), u64::MAX - 7),
            until: UnixTime::from_secs(u64::from(u32::MAX) + 9),
        };
        table.insert(Key::random([7; 16]), wide);
        let kept = table.get(|| Key::random([7; 16])).unwrap();
        assert_eq!(kept.before, wide.before);
        assert!(kept.until >= wide.until, "rounded towards refusing");
    }

    #[test]
    fn sixteen_sweeps_are_a_round_and_forget_only_what_is_over() {
        let mut table = Table::default();
        for n in 0..2_000 {
            table.insert(Key::text(&n.to_string()), cut_off(n, 100 + n % 2));
        }
        for _ in 0..16 {
            table.sweep(UnixTime::from_secs(101));
        }
        assert_eq!(table.len(), 1_000);
        assert!((0..2_000).all(|n| table.get(|| Key::text(&n.to_string())).is_some() == (n % 2 == 1)));
    }
}
