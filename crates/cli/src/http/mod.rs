//! The one HTTP client: bounded in size and time, without redirects, plain HTTP.
//!
//! It carries administrators' secrets, so it speaks to this machine only; another machine's server is reached through
//! a tunnel, or with a command there.

mod base;
mod client;
pub(crate) mod jar;
mod message;
pub(crate) mod raw;

pub(crate) use base::Base;
pub(crate) use client::HttpClient;
pub(crate) use message::{Call, Reply};
