//! One check for all hosts: from the request's headers to a [`Permit`], or a [`Rejection`] with a stable code.
//!
//! The machine ([`Check`]) does no I/O: it answers, or says what it lacks ([`Step`]), and the host brings it. Order is
//! security: size, shape, algorithm, key, signature, only then claims, then lease and revocation, session state,
//! requirement, and CSRF if the credential was one that browsers send by themselves.
//!
//! What a deployment can break: the host must read the clock *after* the request arrived and *before* lease and view
//! (PROTOCOL rule 18); [`Check::step`] takes the three together so that they are of one moment.

mod cache;
mod check;
mod cookie;
mod credential;
mod csrf;
mod facts;
mod memory;
mod permit;
mod rejection;
mod requirement;
mod resolve;
#[cfg(test)]
pub(crate) mod testing;
mod touches;

pub use check::{Answer, Ask, AskedFor, Check, Holder, Moment, Request, Step};
pub use cookie::{CookieError, CookieWriter, cookie_value, read_cookie};
pub use credential::{AccessCredential, Presented, Via};
pub use csrf::{CsrfDemand, CsrfFault, is_foreign, verify as verify_csrf, verify_sign_in};
pub use facts::{Facts, Kind};
pub use memory::{CACHE_BYTES, IssuerFacts, Memory, Snapshot};
pub use permit::{Login, Permit, Principal};
pub use rejection::{CredentialFault, ForbiddenFault, Rejection, RequestFault, UnavailableFault};
pub use requirement::{Requirement, RouteWord, permission, role, scope};
pub use resolve::{AppHint, resolve_app};
pub use touches::{Touch, Touches};

/// The headers of a request, as the check reads them: every line of a name, in order, as octets.
pub trait Headers: Sync {
    /// Calls `each` with every value of the header `name` (lower case).
    fn each<'h>(&'h self, name: &'static str, each: &mut dyn FnMut(&'h [u8]));
}

/// The only value of a header: `None` if it is absent, `Err` if there are several or it is not visible ASCII.
pub(crate) fn single<'h>(headers: &'h dyn Headers, name: &'static str) -> Result<Option<&'h str>, RequestFault> {
    let (mut found, mut count) = (None, 0_usize);
    headers.each(name, &mut |value| {
        count += 1;
        found = Some(value);
    });
    match (count, found) {
        (0, _) => Ok(None),
        (1, Some(value)) => std::str::from_utf8(value)
            .ok()
            .filter(|text| text.bytes().all(|b| (b' '..=b'~').contains(&b)))
            .map(Some)
            .ok_or(RequestFault::HeaderMalformed { name }),
        _ => Err(RequestFault::HeaderRepeated { name }),
    }
}
