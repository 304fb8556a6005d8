//! Keys: each carries its one algorithm and is parsed once (RFC 8725 §3.1: one key, one algorithm).

pub(crate) mod pkcs8;
mod set;
mod signing;
mod strength;
mod verifying;

pub use set::KeySet;
pub use signing::SigningKey;
pub use strength::MIN_HMAC_KEY_LEN;
pub use verifying::VerifyingKey;
