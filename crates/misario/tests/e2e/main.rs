//! misario as it is deployed: SQLite files, sockets, several processes, and what can go wrong between them.
//!
//! What a single process shows is tested where it is written. Here an authority and connected apps are started as their
//! users start them, connections are cut and held up by a proxy, processes are stopped and killed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails here panics; that is the test's answer"
)]

mod at_rest;
mod common;
mod connected;
mod lifelines;
mod outage;
mod own_sign_in;
mod soak_crash;
