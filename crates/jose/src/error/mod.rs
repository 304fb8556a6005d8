//! What can be wrong, by who is at fault: the token, a key, or the caller who wants a token signed.
//!
//! Every leaf has a stable code. Texts are for operators; hosts show clients less (they map codes, not texts).

mod json;
mod jwt;
mod key;
mod sign;

pub use json::JsonError;
pub use jwt::{ClaimProblem, JwtError, Part};
pub use key::KeyError;
pub use sign::SignError;
