//! The cryptographic primitives, from one of two sources with the same names.
//!
//! The target decides, not a Cargo feature: natively aws-lc-rs, on wasm RustCrypto. `--cfg misario_portable` builds
//! the second one natively, so that every vector runs on both. Nothing here knows about tokens.
//!
//! An algorithm is added as one more constructor of [`PublicKey`] and [`KeyPair`]; the callers only see
//! `verify` and `sign`.

#[cfg(not(any(target_family = "wasm", misario_portable)))]
mod native;
#[cfg(not(any(target_family = "wasm", misario_portable)))]
pub(crate) use native::{AeadKey, HmacKey, KeyPair, PublicKey, sha256};

#[cfg(any(target_family = "wasm", misario_portable))]
mod portable;
#[cfg(any(target_family = "wasm", misario_portable))]
pub(crate) use portable::{AeadKey, HmacKey, KeyPair, PublicKey, sha256};
