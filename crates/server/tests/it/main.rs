//! The authority over HTTP, from outside, as one program: linking it once is faster than once per file.
//!
//! Every answer of every test is held to the rules in `support/rules.rs` (headers, cookies, problem bodies), whatever
//! the test itself looks at.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test whose setting cannot be made has to fail loudly")]

mod bad_input;
mod feed;
mod forward_auth;
mod on_disk;
mod origins;
mod renewal;
mod revoking;
mod routes;
mod secrets;
mod serving;
mod sessions;
mod sign_in;
mod store_calls;
mod store_down;
mod support;
mod switching;
mod transports;
