//! Randomness, at one place.

use misario_jose::Entropy;

/// The random source of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    /// When the operating system has no randomness to give: whatever would be made without it could be guessed.
    fn fill(&self, dest: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the one place where the operating system is asked")]
        let filled = getrandom::fill(dest);
        #[expect(clippy::panic, reason = "no secret may be made of anything else, and no caller could do better")]
        if let Err(error) = filled {
            panic!("the operating system gives no randomness: {error}");
        }
    }
}

/// A number below `bound` (which must not be 0), for jitter: nothing secret depends on it.
pub(crate) fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    let mut octets = [0; 8];
    entropy.fill(&mut octets);
    u64::from_le_bytes(octets) % bound.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        OsEntropy.fill(&mut first);
        OsEntropy.fill(&mut second);
        assert_ne!(first, second);
    }

    #[test]
    fn jitter_stays_below_its_bound() {
        assert!((0..100).all(|_| below(&OsEntropy, 7) < 7));
        assert_eq!(below(&OsEntropy, 0), 0);
    }
}
