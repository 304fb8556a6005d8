//! The change log, leases and the barrier, as pure machines (PROTOCOL; each rule's number stands where it is kept).
//!
//! Whatever must be true at every verifier is a [`Change`] in one log. Whoever answers checks from memory is a replica:
//! it applies changes in order and may answer while it holds a lease. An append waits at a barrier until every replica
//! that holds a lease has applied it, or the lease has run out: then it is true everywhere.
//!
//! | machine | whose | what for |
//! |---|---|---|
//! | [`Replica`], with its [`View`] | everybody who answers checks | what is known, and until when it may be used |
//! | [`Parent`] | a node that others are connected to | their leases, and what they have acknowledged |
//! | [`Barrier`] | whoever appended a change | when it is true everywhere |
//!
//! [`codec`] is the form of a change in stores, [`frame`] what travels between a replica and its parent.

mod barrier;
mod change;
mod clock;
pub mod codec;
mod envelope;
pub mod frame;
#[cfg(test)]
mod interleavings;
mod lease;
mod nonce;
mod parent;
mod position;
mod recent;
mod replica;
#[cfg(test)]
mod samples;
mod view;

pub use barrier::{Barrier, BarrierReport, BarrierState, Holder};
pub use change::{Change, ChangeKind, Fence, FenceKey, NewChange, NewFence, Target};
pub use clock::MonoTime;
pub use envelope::CodecError;
pub use lease::LeaseConfig;
pub use nonce::Nonce;
pub use parent::{Grant, GrantError, Own, OwnLease, Parent};
pub use position::{Epoch, InvalidPosition, Position};
pub use replica::{Granted, LeaseState, LoadTicket, NoLease, RenewRequest, Replica};
pub use view::{Applied, ClaimFacts, SyncError, TargetKind, Verdict, View, covers};
