//! The crate from outside, as one program: linking it once is faster than once per file.

#![expect(clippy::unwrap_used, reason = "a test whose setting cannot be made has to fail loudly")]

mod attack_corpus;
mod checks;
mod codes;
mod explain;
mod misuse;
mod no_panic;
mod round_trip;
mod support;
mod vectors;
