//! Strict JSON objects, read in place.
//!
//! RFC 7519 §4 lets a reader of duplicate names pick the last one; two readers that pick differently see two tokens
//! in one, so duplicates are refused at any depth, after undoing escapes. Refused as well: text that is not UTF-8, a
//! byte order mark, trailing data, half surrogate pairs, numbers without a finite value, nesting deeper than
//! [`MAX_DEPTH`], objects with more than [`MAX_MEMBERS`] members.
//!
//! Invariant: an [`Object`] was scanned to its end before anything is read from it. Nothing is copied: names and
//! values are spans of the text, and the index that holds them is reused from token to token.

mod object;
mod scan;
mod text;
mod value;

pub(crate) use object::{Index, Object};
pub(crate) use scan::Kind;
pub(crate) use value::{DateProblem, Value};

/// The deepest nesting that is read.
pub(crate) const MAX_DEPTH: usize = 64;
/// The most members one object may have.
pub(crate) const MAX_MEMBERS: usize = 256;
