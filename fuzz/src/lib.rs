//! What the fuzz targets share: keys nobody else has, and one verifier.

use misario_core::secret::{TokenKey, TokenKeys};
use misario_jose::{Algorithm, Entropy, KeySet, SigningKey, UnixTime, Verifier};

/// The time at which every token is judged.
pub const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// The same bytes for everybody, so that an input found once fails again on another machine.
pub struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, dest: &mut [u8]) {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for byte in dest {
            // xorshift64: enough to look irregular, and that is all it is for.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
    }
}

/// The symmetric signing key.
pub fn secret_key() -> SigningKey {
    SigningKey::generate(Algorithm::Hs256, &Fixed)
}

/// A set with the public halves of an ES256 and an EdDSA key.
pub fn public_keys() -> KeySet {
    let mut keys = KeySet::new();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, &Fixed).verifying_key();
        keys.insert(key).expect("two keys of two types");
    }
    keys
}

/// A set with the symmetric key.
pub fn secret_keys() -> KeySet {
    let mut keys = KeySet::new();
    keys.insert(secret_key().verifying_key()).expect("one key");
    keys
}

/// A verifier of all algorithms that expects what misario's tokens carry.
pub fn verifier() -> Verifier {
    let all = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256];
    Verifier::builder().issuer("https://i").audience("a").typ("at+jwt").algorithms(&all).leeway(LEEWAY).build()
}

/// The verifier's leeway in seconds.
pub const LEEWAY: u64 = 60;

/// The authority's token keys.
pub fn token_keys() -> TokenKeys {
    TokenKeys::new(TokenKey::new(2, &[2; 32]), vec![TokenKey::new(1, &[1; 32])])
}
