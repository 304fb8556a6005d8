//! The name of one request for a lease.

use minicbor::{Decode, Encode};
use misario_jose::Entropy;

/// Names one renewal, so that the grant that answers it is told from all others (PROTOCOL rule 2). Random, so that no
/// nonce of an earlier incarnation or connection is ever outstanding again. When the request was sent is kept beside
/// it by the replica, and travels nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Nonce(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl Nonce {
    /// A nonce of 128 random bits.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut octets = [0; 16];
        entropy.fill(&mut octets);
        Self(octets)
    }

    /// The nonce with these octets.
    pub const fn from_bytes(octets: [u8; 16]) -> Self {
        Self(octets)
    }
}
