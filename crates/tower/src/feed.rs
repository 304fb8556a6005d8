//! The replica that follows an authority: an app in a process of its own answers checks from memory, under a lease.
//!
//! One WebSocket to `GET /v1/feed` carries everything: changes and acknowledgements, leases, questions that memory
//! cannot answer, and the logins that were used. The rules are those of `core::changes` (PROTOCOL); this module moves
//! frames ([`client`]), decides what follows on each of them without any I/O ([`driver`]), and turns questions into
//! frames ([`ask`], [`codec`]).
//!
//! A connection that breaks costs nothing while the lease lasts: the same process comes back with the same id and view
//! and goes on from where it stood. Only who missed changes starts again from a snapshot, without a lease.
//!
//! # Security
//! Questions hold credentials, and `tungstenite` writes whole frames to the `log` facade at level TRACE. A process that
//! turns that level on for everything has to leave the target `tungstenite` out, as [`crate::may_be_logged`] does.

pub(crate) mod ask;
pub(crate) mod client;
mod codec;
pub(crate) mod driver;
mod error;
mod refusal;

pub use codec::{AnswerBody, AskBody, BodyError};
pub use error::FeedError;

/// The name of the protocol in the WebSocket handshake.
pub const SUBPROTOCOL: &str = "misario.feed.v1";

/// Questions of one follower that the authority answers at once; more wait on the wire, and whatever is behind them with
/// them. So a follower has half as many open.
pub const QUESTIONS: usize = 64;

/// Where the authority serves it.
pub const PATH: &str = "/v1/feed";
