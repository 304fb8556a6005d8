//! The check as a machine: what it answers from memory, what it asks, and what it refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what the tests share is in no test function")]

mod asks;
mod bench;
mod jwt;
mod several;
