//! Which HMAC keys are refused at import.
//!
//! RFC 7518 §3.2 asks for a key of at least the digest's size; RFC 8725 §3.5 adds that passwords are no keys. Whoever
//! has one token can try keys offline at full speed, so what can be guessed counts as published.

use crate::KeyError;

/// The shortest HMAC key, in octets.
pub const MIN_HMAC_KEY_LEN: usize = 32;

/// The least information the octets may show on their own, in bits; 32 random octets show about 155.
const MIN_BITS: f64 = 128.0;

/// Keys that manuals, token debuggers and templates print, in lower case.
const WELL_KNOWN: &[&str] = &[
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    "your-secret-key",
    "your_secret_key",
    "your-jwt-secret",
    "your_jwt_secret",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "super-secret-key",
    "supersecretkey",
    "supersecret",
    "secretkey",
    "secret-key",
    "secret_key",
    "my-secret-key",
    "mysecretkey",
    "jwt-secret",
    "jwt_secret",
    "jwtsecret",
    "secret",
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "password",
    "passw0rd",
    "default",
    "example",
    "test",
    "dev",
    "null",
    "undefined",
    "none",
    "keyboard cat",
    "shhhhh",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "gfg_jwt_secret_key",
    "thisisasecretkey",
    "this-is-a-secret-key",
    "my-32-character-ultra-secure-and-ultra-long-secret",
];

/// Refuses an HMAC key that is known, short or regular, in that order: a known key is the worst of the three, and
/// most known keys are short as well.
pub(crate) fn check_hmac_key(secret: &[u8]) -> Result<(), KeyError> {
    if is_well_known(secret) {
        return Err(KeyError::HmacWellKnown);
    }
    if secret.len() < MIN_HMAC_KEY_LEN {
        return Err(KeyError::HmacTooShort { size: secret.len(), minimum: MIN_HMAC_KEY_LEN });
    }
    if is_repeated(secret) || is_progression(secret) || shown_bits(secret) < MIN_BITS {
        return Err(KeyError::HmacLowEntropy);
    }
    Ok(())
}

fn is_well_known(secret: &[u8]) -> bool {
    let trimmed = secret.trim_ascii();
    WELL_KNOWN.iter().any(|known| trimmed.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether the key is a unit shorter than a key ought to be, said at least twice.
fn is_repeated(secret: &[u8]) -> bool {
    (1..MIN_HMAC_KEY_LEN)
        .take_while(|unit| unit * 2 <= secret.len())
        .any(|unit| secret.iter().zip(secret.iter().skip(unit)).all(|(a, b)| a == b))
}

/// Whether each octet follows from the one before by adding the same number: `00 01 02 …`, `abcdef…`.
fn is_progression(secret: &[u8]) -> bool {
    let mut steps = secret.iter().zip(secret.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
    let first = steps.next();
    steps.all(|step| Some(step) == first)
}

/// The information of the octets by their frequencies alone (Shannon, order 0): an upper bound for words in a natural
/// language, a good estimate for random octets in any text encoding.
#[expect(clippy::cast_precision_loss, reason = "key lengths are far below 2^52")]
fn shown_bits(secret: &[u8]) -> f64 {
    let mut counts = [0_usize; 256];
    for octet in secret {
        if let Some(count) = counts.get_mut(usize::from(*octet)) {
            *count += 1;
        }
    }
    let len = secret.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| *count as f64 * (len / *count as f64).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::check_hmac_key;
    use crate::{KeyError, b64u, digest};

    fn number(octets: &[u8]) -> u128 {
        u128::from_be_bytes(octets.try_into().unwrap())
    }

    #[test]
    fn random_keys_pass_in_every_usual_encoding() {
        for seed in 0..200_u32 {
            let key = digest::sha256(&seed.to_be_bytes());
            let hex = format!("{:032x}{:032x}", number(&key[..16]), number(&key[16..]));
            assert_eq!(check_hmac_key(&key), Ok(()), "{seed}");
            assert_eq!(check_hmac_key(hex.as_bytes()), Ok(()), "{seed}");
            assert_eq!(check_hmac_key(b64u::encode(&key).as_bytes()), Ok(()), "{seed}");
        }
    }

    #[test]
    fn published_keys_are_named_as_such() {
        for known in
            ["your-256-bit-secret", "Your-256-Bit-Secret\n", "secret", "a-string-secret-at-least-256-bits-long"]
        {
            assert_eq!(check_hmac_key(known.as_bytes()), Err(KeyError::HmacWellKnown), "{known}");
        }
    }

    #[test]
    fn keys_under_32_octets_are_too_short() {
        let key = digest::sha256(b"x");
        for size in 0..32 {
            let refused = Err(KeyError::HmacTooShort { size, minimum: 32 });
            assert_eq!(check_hmac_key(&key[..size]), refused);
        }
    }

    #[test]
    fn regular_keys_are_refused() {
        let counting: Vec<u8> = (0..64).collect();
        let unit = digest::sha256(b"unit");
        let guessable: [&[u8]; 8] = [
            &[0; 32],
            &[0xff; 64],
            &counting,
            &unit[..16].repeat(2),
            &unit[..20].repeat(3),
            b"secretsecretsecretsecretsecretsecret",
            b"correct horse battery staple okay",
            b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        ];
        for key in guessable {
            assert_eq!(check_hmac_key(key), Err(KeyError::HmacLowEntropy), "{key:?}");
        }
        // A full key said twice is still a full key.
        assert_eq!(check_hmac_key(&unit.repeat(2)), Ok(()));
    }
}
