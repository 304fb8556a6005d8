//! The domain of misario: what a login is, when a credential counts, and how a change becomes true at every verifier,
//! as pure functions and state machines.
//!
//! There is no clock, no randomness, no socket and no file in this crate: `now` ([`misario_jose::UnixTime`],
//! [`changes::MonoTime`]) and randomness ([`misario_jose::Entropy`]) are arguments, what must be stored goes through
//! the contract in [`store`], and hosts (`misario-tower`, `misario-server`) drive the machines. It builds for wasm32.
//!
//! | module | what is there |
//! |---|---|
//! | [`id`] | public handles: may be logged |
//! | [`secret`] | tokens and their keys: may not |
//! | [`app`], [`user`], [`client`] | what is logged in to, and who by |
//! | [`authn`], [`claims`] | the check: from headers to a permit |
//! | [`session`], [`refresh`] | a login's record and its refresh tokens |
//! | [`changes`] | the change log, leases, the barrier |
//! | [`store`] | the contract, and the store in memory |

pub mod app;
pub mod authn;
pub mod changes;
pub mod claims;
pub mod client;
pub mod id;
pub mod refresh;
pub mod secret;
pub mod session;
pub mod store;
pub mod user;
