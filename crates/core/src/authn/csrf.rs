//! Cross-site request forgery: whether a request with a cookie was sent by the app itself.
//!
//! Asked of unsafe methods, and only where the credential came in a cookie. In order:
//!
//! 1. `Sec-Fetch-Site: same-origin` is proof. `cross-site`, `same-site` and `none` pass only if the `Origin` is one of
//!    the app's `trusted_origins` *and* a token is shown. (`none` is a navigation by hand, which sends no forms.)
//! 2. Where that header is absent, or says nothing known: `Origin`, then `Referer`, must be one of the app's `origins`,
//!    or a trusted one with a token.
//! 3. Where all are absent: a valid token.
//! 4. A route that demands a token gets one, whatever the headers prove.
//!
//! The token is bound to the login, and travels in `X-CSRF-Token` or the form field `_csrf`, never in a cookie alone.

use super::rejection::RequestFault;
use super::{Headers, single};
use crate::app::{App, Origin};

/// What a route asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CsrfDemand {
    /// Headers are proof enough.
    #[default]
    Proof,
    /// A token as well: administration, passwords, ending sessions.
    Token,
}

/// A request did not prove where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfFault {
    /// A token is needed and none is shown.
    #[error("a CSRF token is needed: get one from /v1/csrf and send it in X-CSRF-Token or the field _csrf")]
    TokenMissing,
    /// The token shown is not of this login.
    #[error("the CSRF token is not of this login")]
    TokenInvalid,
    /// The request came from another site.
    #[error("the request came from another site")]
    CrossSite,
}

impl CsrfFault {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::TokenMissing => "csrf_token_missing",
            Self::TokenInvalid => "csrf_token_invalid",
            Self::CrossSite => "csrf_cross_site",
        }
    }
}

/// Whether the method changes nothing (RFC 9110 §9.2.1). Unknown methods are unsafe; override headers are not read.
pub(super) fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Where a request came from, as its headers tell.
enum Source {
    Own,
    Trusted,
    Foreign,
    Unknown,
}

/// Proof that the app sent the request. `token` is `None` if none was shown, else whether it is valid.
pub fn verify(
    app: &App,
    headers: &dyn Headers,
    demand: CsrfDemand,
    token: Option<bool>,
) -> Result<Result<(), CsrfFault>, RequestFault> {
    let source = source(app, headers)?;
    Ok(match (source, demand, token) {
        (Source::Foreign, _, _) => Err(CsrfFault::CrossSite),
        (Source::Own, CsrfDemand::Proof, _) | (_, _, Some(true)) => Ok(()),
        (_, _, Some(false)) => Err(CsrfFault::TokenInvalid),
        (_, _, None) => Err(CsrfFault::TokenMissing),
    })
}

/// Whether the request was sent by another site. Where nothing tells, it was not sent by a browser of today.
pub fn is_foreign(app: &App, headers: &dyn Headers) -> Result<bool, RequestFault> {
    Ok(matches!(source(app, headers)?, Source::Foreign))
}

/// Proof for a sign-in, where no login exists yet that a cookie could abuse, but a visitor could be signed in as
/// somebody else (login CSRF). A script's JSON without any of the headers is no browser's, since browsers send `Origin`
/// with every cross-site POST; a form without them needs the pre-login token.
pub fn verify_sign_in(
    app: &App,
    headers: &dyn Headers,
    is_form: bool,
    token: Option<bool>,
) -> Result<Result<(), CsrfFault>, RequestFault> {
    let source = source(app, headers)?;
    Ok(match (source, is_form, token) {
        (Source::Foreign, _, _) => Err(CsrfFault::CrossSite),
        (Source::Own, _, _) | (Source::Unknown, false, None) | (_, _, Some(true)) => Ok(()),
        (_, _, Some(false)) => Err(CsrfFault::TokenInvalid),
        (_, _, None) => Err(CsrfFault::TokenMissing),
    })
}

fn source(app: &App, headers: &dyn Headers) -> Result<Source, RequestFault> {
    let origin = single(headers, "origin")?;
    match single(headers, "sec-fetch-site")? {
        Some("same-origin") => return Ok(Source::Own),
        Some("same-site" | "cross-site" | "none") => {
            let trusted = origin.and_then(|text| text.parse().ok()).is_some_and(|o| app.trusted_origins.contains(&o));
            return Ok(if trusted { Source::Trusted } else { Source::Foreign });
        }
        // A value from a later specification proves nothing and forbids nothing: as if absent.
        Some(_) | None => {}
    }
    let referer = single(headers, "referer")?;
    let claimed = match (origin, referer) {
        // `Origin: null` comes from sandboxed frames and redirects across sites: it is an origin, and not ours.
        (Some(origin), _) => origin.parse::<Origin>().ok(),
        (None, Some(referer)) => Origin::of_url(referer),
        (None, None) => return Ok(Source::Unknown),
    };
    Ok(match claimed {
        Some(origin) if app.origins.contains(&origin) => Source::Own,
        Some(origin) if app.trusted_origins.contains(&origin) => Source::Trusted,
        _ => Source::Foreign,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::testing::{Lines, app};

    fn judged(lines: &[(&'static str, &str)], demand: CsrfDemand, token: Option<bool>) -> Result<(), CsrfFault> {
        let headers = Lines(lines.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect());
        let mut app = app("web");
        app.trusted_origins = vec!["https://trusted.example.net".parse().unwrap()];
        verify(&app, &headers, demand, token).unwrap()
    }

    const OWN: &str = "https://web.example.com";

    #[test]
    fn fetch_metadata_is_proof_only_for_the_same_origin() {
        let site = |value: &str, token| judged(&[("sec-fetch-site", value), ("origin", OWN)], CsrfDemand::Proof, token);
        assert_eq!(site("same-origin", None), Ok(()));
        for other in ["same-site", "cross-site", "none"] {
            assert_eq!(site(other, None), Err(CsrfFault::CrossSite), "{other}");
            assert_eq!(site(other, Some(true)), Err(CsrfFault::CrossSite), "{other}: a token does not help a stranger");
        }
        assert_eq!(site("from-the-future", None), Ok(()), "unknown values are ignored and Origin decides");
    }

    #[test]
    fn a_trusted_origin_needs_a_token_too() {
        for lines in [
            vec![("sec-fetch-site", "cross-site"), ("origin", "https://trusted.example.net")],
            vec![("origin", "https://trusted.example.net")],
        ] {
            assert_eq!(judged(&lines, CsrfDemand::Proof, None), Err(CsrfFault::TokenMissing));
            assert_eq!(judged(&lines, CsrfDemand::Proof, Some(false)), Err(CsrfFault::TokenInvalid));
            assert_eq!(judged(&lines, CsrfDemand::Proof, Some(true)), Ok(()));
        }
    }

    #[test]
    fn origin_then_referer_decide_where_fetch_metadata_is_absent() {
        assert_eq!(judged(&[("origin", OWN)], CsrfDemand::Proof, None), Ok(()));
        assert_eq!(judged(&[("referer", "https://web.example.com/a?b")], CsrfDemand::Proof, None), Ok(()));
        for foreign in [
            "null",
            "https://web.example.com.evil.example",
            "https://evil@web.example.com",
            "http://web.example.com",
            "https://web.example.com:444",
            "https://web.example.com.",
            "https://WEB.example.comx",
        ] {
            assert_eq!(
                judged(&[("origin", foreign)], CsrfDemand::Proof, Some(true)),
                Err(CsrfFault::CrossSite),
                "{foreign}"
            );
        }
        let both = [("origin", "null"), ("referer", "https://web.example.com/")];
        assert_eq!(judged(&both, CsrfDemand::Proof, None), Err(CsrfFault::CrossSite), "Origin comes before Referer");
    }

    #[test]
    fn without_any_header_a_token_is_needed() {
        assert_eq!(judged(&[], CsrfDemand::Proof, None), Err(CsrfFault::TokenMissing));
        assert_eq!(judged(&[], CsrfDemand::Proof, Some(false)), Err(CsrfFault::TokenInvalid));
        assert_eq!(judged(&[], CsrfDemand::Proof, Some(true)), Ok(()));
    }

    #[test]
    fn a_sensitive_route_needs_the_token_as_well() {
        let own = [("sec-fetch-site", "same-origin")];
        assert_eq!(judged(&own, CsrfDemand::Token, None), Err(CsrfFault::TokenMissing));
        assert_eq!(judged(&own, CsrfDemand::Token, Some(true)), Ok(()));
    }

    #[test]
    fn a_sign_in_is_protected_too() {
        let sign_in = |lines: &[(&'static str, &str)], form, token| {
            let headers = Lines(lines.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect());
            verify_sign_in(&app("web"), &headers, form, token).unwrap()
        };
        assert_eq!(sign_in(&[], false, None), Ok(()), "a command line");
        assert_eq!(sign_in(&[], true, None), Err(CsrfFault::TokenMissing), "a form without any sign of its origin");
        assert_eq!(sign_in(&[("origin", "https://evil.example")], false, None), Err(CsrfFault::CrossSite));
        assert_eq!(sign_in(&[("sec-fetch-site", "cross-site")], true, Some(true)), Err(CsrfFault::CrossSite));
        assert_eq!(sign_in(&[("origin", OWN)], true, None), Ok(()));
    }

    #[test]
    fn only_methods_that_change_nothing_are_safe() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert!(is_safe(method));
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND", ""] {
            assert!(!is_safe(method), "{method}");
        }
    }
}
