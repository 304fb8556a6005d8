//! Tokens from bytes to verified claims: JWS, JWK and JWT with ES256, EdDSA and HS256, read strictly and verified in
//! one fixed order, with keys that carry their algorithm.
//!
//! It is pure: time and randomness are arguments, nothing is fetched, nothing is global. It does not know sessions,
//! revocation or HTTP, fetches no keys, reads no encrypted tokens (JWE) and no JSON serialization, and never accepts
//! an unsigned token.
//!
//! ```
//! use misario_jose::{Algorithm, Entropy, KeySet, Scratch, SigningKey, UnixTime, Verifier};
//! # struct Example;
//! # impl Entropy for Example {
//! #     fn fill(&self, dest: &mut [u8]) {
//! #         for (i, byte) in dest.iter_mut().enumerate() { *byte = (i as u8).wrapping_mul(151) ^ 0x5a; }
//! #     }
//! # }
//! # let entropy = Example;
//! let key = SigningKey::generate(Algorithm::Es256, &entropy);
//! let token = key.sign_jwt("at+jwt", &serde_json::json!({
//!     "iss": "https://auth.example.com", "aud": "https://app.example.com",
//!     "sub": "alice", "iat": 1_800_000_000, "exp": 1_800_000_900,
//! }))?;
//!
//! let mut keys = KeySet::new();
//! keys.insert(key.verifying_key())?;
//! let verifier = Verifier::builder()
//!     .issuer("https://auth.example.com")
//!     .audience("https://app.example.com")
//!     .build();
//! let mut scratch = Scratch::new();
//! let jwt = verifier.verify(&token, &keys, UnixTime::from_secs(1_800_000_010), &mut scratch)?;
//! assert_eq!(jwt.subject(), Some("alice"));
//!
//! let late = verifier.verify(&token, &keys, UnixTime::from_secs(1_800_000_900), &mut scratch);
//! assert_eq!(late.unwrap_err().code(), "jwt_expired");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//! | where | what |
//! |---|---|
//! | `jws`, `header`, `claims` | a token's parts, typed and unverified |
//! | `json` | the strict reader under them |
//! | `verify` | [`Verifier`], its builder, the checks in their order, [`VerifiedJwt`] |
//! | `explain` | the same checks as a report for people |
//! | `key`, `jwk` | [`SigningKey`], [`VerifyingKey`], [`KeySet`]; keys as JSON |
//! | [`b64u`], [`digest`], [`mac`], [`seal`] | primitives for the layers above |
//! | `backend` | aws-lc-rs natively, RustCrypto on wasm |
//! | `error` | every refusal with its stable code |

mod algorithm;
pub mod b64u;
mod backend;
mod claims;
mod compare;
pub mod digest;
mod entropy;
mod error;
mod explain;
mod header;
mod json;
mod jwk;
mod jws;
mod key;
mod key_id;
pub mod mac;
pub mod seal;
mod time;
mod verify;

pub use algorithm::Algorithm;
pub use compare::constant_time_eq;
pub use entropy::Entropy;
pub use error::{ClaimProblem, JsonError, JwtError, KeyError, Part, SignError};
pub use explain::{CheckLine, ExplainedKey, Explanation, Outcome};
pub use jwk::{Jwk, JwkSet, UnusableKey};
pub use jws::Jws;
pub use key::{KeySet, MIN_HMAC_KEY_LEN, SigningKey, VerifyingKey};
pub use key_id::KeyId;
pub use time::UnixTime;
pub use verify::{Given, Missing, Scratch, VerifiedJwt, Verifier, VerifierBuilder};
