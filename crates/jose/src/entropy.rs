//! Randomness as an argument.

/// A source of unpredictable bytes, implemented by the host.
///
/// # Security
/// Keys made from it are as hard to guess as its output. It must be a cryptographic generator, seeded by the
/// operating system; a predictable one makes every generated key public. It has no way to fail: a host that
/// cannot get randomness has to stop instead of returning.
pub trait Entropy: Send + Sync {
    /// Fills the whole of `dest`.
    fn fill(&self, dest: &mut [u8]);
}
