//! The pages people see, as pure functions: values in, complete HTML documents out. No routes, no clock, no state.
//!
//! Markup is written by [`html::Element`] only, which escapes every value it is given; what stands in a page unescaped
//! is `&'static str` from this source. Addresses are [`LocalPath`]s, so no page links, posts or redirects to another
//! origin. Every page but the demo of a single-page app works without JavaScript, and carries the policy that holds it
//! to that ([`Page::policy`]).

mod account;
mod date;
mod demo;
mod document;
mod error;
mod html;
mod local_path;
mod sign_in;
mod style;

pub(crate) use account::{AccountPage, SignedOutPage};
pub(crate) use demo::{ServiceDemo, SpaDemo, WebDemo};
pub(crate) use document::{Nonce, Page};
pub(crate) use error::ErrorPage;
pub(crate) use local_path::LocalPath;
pub(crate) use sign_in::{SignInError, SignInPage};
pub(crate) use style::{STYLE, STYLE_ROUTE};

#[cfg(test)]
mod tests;
