//! The change log, leases and the barrier, as pure machines (PROTOCOL; each rule's number stands where it is kept).
//!
//! Whatever must be true at every verifier is a [`Change`] in one log. Whoever answers checks from memory is a replica:
//! it applies changes in order and may answer while it holds a lease. An append waits at a barrier until every replica
//! that holds a lease has applied it, or the lease has run out: then it is true everywhere.

mod change;
mod clock;
pub mod codec;
mod envelope;
pub mod frame;
mod lease;
mod nonce;
mod position;
mod recent;
mod replica;
#[cfg(test)]
mod samples;
mod view;

pub use change::{Change, ChangeKind, Fence, FenceKey, NewChange, NewFence, Target};
pub use clock::MonoTime;
pub use envelope::CodecError;
pub use lease::LeaseConfig;
pub use nonce::Nonce;
pub use position::{Epoch, InvalidPosition, Position};
pub use replica::{Granted, LeaseState, LoadTicket, NoLease, RenewRequest, Replica};
pub use view::{Applied, ClaimFacts, SyncError, TargetKind, Verdict, View, covers};
