//! What several test files need: a generator that always says the same, and tokens of one issuer.
use misario_jose::{Algorithm, Entropy, KeySet, SigningKey, UnixTime, Verifier, digest};
use serde_json::{Value, json};

/// A generator whose output is the SHA-256 of its number and a counter.
pub(crate) struct Seeded(pub(crate) u8);

impl Entropy for Seeded {
    fn fill(&self, dest: &mut [u8]) {
        for (block, chunk) in dest.chunks_mut(32).enumerate() {
            let bytes = digest::sha256(&[self.0, u8::try_from(block).unwrap()]);
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(NOW)
}

/// Claims that the verifier of [`verifier`] accepts at [`now`].
pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://issuer.test", "sub": "user-1", "aud": "api.test",
        "iat": NOW - 10, "exp": NOW + 600, "jti": "j1",
    })
}

pub(crate) fn verifier() -> Verifier {
    Verifier::builder().issuer("https://issuer.test").audience("api.test").algorithms(Algorithm::ALL).build()
}

/// A signing key and the set that holds its verifying half.
pub(crate) fn key(algorithm: Algorithm) -> (SigningKey, KeySet) {
    let key = SigningKey::generate(algorithm, &Seeded(1));
    let mut keys = KeySet::new();
    keys.insert(key.verifying_key()).unwrap();
    (key, keys)
}
