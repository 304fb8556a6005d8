//! Randomness that replays, and randomness that is broken.

use std::sync::atomic::{AtomicU64, Ordering};

use misario_jose::Entropy;

/// Octets that look random and are the same for the same seed. Not secret in any way.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits (SplitMix64).
    pub fn next_u64(&self) -> u64 {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bits = self.0.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        self.next_u64().checked_rem(end).unwrap_or(0)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let bits = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bits[..chunk.len()]);
        }
    }
}

/// A generator that gives one octet for ever: whatever is made with it collides.
#[derive(Debug, Clone, Copy)]
pub struct StuckEntropy(pub u8);

impl Entropy for StuckEntropy {
    fn fill(&self, dest: &mut [u8]) {
        dest.fill(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_and_another_differs() {
        let draw = |seed| {
            let mut octets = [0; 21];
            SeededEntropy::new(seed).fill(&mut octets);
            octets
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(draw(7)[..8], draw(7)[8..16]);
    }
}
