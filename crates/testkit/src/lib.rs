//! Development only: what tests of all crates share. It is published nowhere and no product crate depends on it.
//!
//! | module | what is there |
//! |---|---|
//! | [`child`] | tests with a second process |
//! | [`clock`] | a clock that moves when it is told to |
//! | [`entropy`] | randomness that replays |
//! | [`mod@conformance`] | what every store must do, as one suite |
//! | [`samples`] | things to store |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a check that fails panics; that is its answer"
)]
#![expect(clippy::missing_panics_doc, reason = "every check panics if the store breaks the law it is named after")]

pub mod child;
pub mod clock;
pub mod conformance;
pub mod entropy;
pub mod samples;
