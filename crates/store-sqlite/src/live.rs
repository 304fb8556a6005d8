//! The live verbs.

mod fences;
mod log;
mod sessions;
