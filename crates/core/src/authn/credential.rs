//! Which credentials a request shows for an app.

use std::fmt;

use super::cookie::{CookieError, read_cookie};
use super::rejection::{CredentialFault, Rejection, RequestFault};
use super::{Headers, single};
use crate::app::{App, Transport};
use crate::secret::SecretKind;

/// The longest access credential, in octets; the same limit as for a JWT.
pub(super) const MAX_CREDENTIAL: usize = 16 * 1024;

/// How an access credential came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// In the `Authorization` header: the client put it there, so no CSRF proof is asked for.
    Header,
    /// In a cookie: browsers send it whoever asks them to.
    Cookie,
}

/// An access credential, told apart by its shape and not yet judged. It does not print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AccessCredential<'a> {
    /// Looks like a session token.
    Session(&'a str),
    /// Looks like a JWT.
    Jwt(&'a str),
}

impl<'a> AccessCredential<'a> {
    /// The form of `text`; `None` if it is no access credential (a refresh token is none).
    pub fn of(text: &'a str) -> Option<Self> {
        match SecretKind::of(text) {
            Some(SecretKind::SessionToken) => Some(Self::Session(text)),
            Some(_) => None,
            None => (text.bytes().filter(|byte| *byte == b'.').count() == 2).then_some(Self::Jwt(text)),
        }
    }

    /// The text itself.
    pub const fn text(self) -> &'a str {
        match self {
            Self::Session(text) | Self::Jwt(text) => text,
        }
    }
}

/// What a request shows for an app. It prints what is there, not what it is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The bearer token, if the app takes any.
    pub bearer: Option<&'a str>,
    /// The access cookie, if the app uses any.
    pub cookie: Option<&'a str>,
    /// The refresh cookie, if the app uses any. No access credential: read by refresh and logout only.
    pub refresh_cookie: Option<&'a str>,
}

impl fmt::Debug for AccessCredential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session(…)",
            Self::Jwt(_) => "Jwt(…)",
        })
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("bearer", &self.bearer.is_some())
            .field("cookie", &self.cookie.is_some())
            .field("refresh_cookie", &self.refresh_cookie.is_some())
            .finish()
    }
}

impl<'a> Presented<'a> {
    /// Reads the request's credentials in the transports that the app lists. What comes any other way is not there.
    pub fn read(app: &App, headers: &'a dyn Headers) -> Result<Self, RequestFault> {
        let takes = |transport| app.transports.contains(&transport);
        let mut presented = Self::without_cookies(app, headers)?;
        let cookie =
            |name: &str| read_cookie(headers, name).map_err(|CookieError::Duplicate| RequestFault::CookieDuplicate);
        if app.uses_cookies() {
            presented.refresh_cookie = cookie(&app.cookies.refresh)?.filter(|value| !value.is_empty());
            // Read even where only `split` is listed, so that two of them are noticed; counted only for `cookie`.
            let access = cookie(&app.cookies.access)?.filter(|value| !value.is_empty());
            presented.cookie = access.filter(|_| takes(Transport::Cookie));
        }
        presented.fitting()
    }

    fn fitting(self) -> Result<Self, RequestFault> {
        for text in [self.bearer, self.cookie, self.refresh_cookie].into_iter().flatten() {
            if text.len() > MAX_CREDENTIAL {
                return Err(RequestFault::CredentialOversized { size: text.len(), limit: MAX_CREDENTIAL });
            }
        }
        Ok(self)
    }

    /// The credentials beside cookies: for a request whose cookies contradict each other and only have to go.
    pub fn without_cookies(app: &App, headers: &'a dyn Headers) -> Result<Self, RequestFault> {
        let takes = |transport| app.transports.contains(&transport);
        let mut presented = Self::default();
        if takes(Transport::Bearer) || takes(Transport::Split) {
            presented.bearer = single(headers, "authorization")?.and_then(bearer_token);
        }
        presented.fitting()
    }

    /// The access credential that counts first: the bearer token, which the client chose to send, before the cookie,
    /// which came by itself.
    pub fn first(self) -> Result<(AccessCredential<'a>, Via), Rejection> {
        let (text, via) = match (self.bearer, self.cookie) {
            // A refresh token in the header is no access credential: as if it were not there.
            (Some(bearer), _) if SecretKind::of(bearer) != Some(SecretKind::RefreshToken) => (bearer, Via::Header),
            (_, Some(cookie)) => (cookie, Via::Cookie),
            _ => return Err(CredentialFault::Missing.into()),
        };
        let credential = AccessCredential::of(text).ok_or(CredentialFault::Unrecognised)?;
        Ok((credential, via))
    }

    /// The access credential beside the first one, if there is one: two live ones of different logins conflict.
    pub fn second(self) -> Option<AccessCredential<'a>> {
        let (_, via) = self.first().ok()?;
        match via {
            Via::Header => self.cookie.and_then(AccessCredential::of),
            Via::Cookie => None,
        }
    }
}

/// RFC 6750 §2.1; the scheme is compared without case (RFC 9110 §11.1). Other schemes are not ours to judge.
fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::testing::{Lines, app};

    fn lines(lines: &[(&'static str, &str)]) -> Lines {
        Lines(lines.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect())
    }

    #[test]
    fn a_credential_counts_only_in_a_transport_of_the_app() {
        let mut app = app("web");
        let headers = lines(&[("authorization", "Bearer a.b.c"), ("cookie", "__Host-misario-web=x.y.z")]);
        assert_eq!(Presented::read(&app, &headers).unwrap().bearer, Some("a.b.c"));
        app.transports = [Transport::Cookie].into();
        let presented = Presented::read(&app, &headers).unwrap();
        assert_eq!((presented.bearer, presented.cookie), (None, Some("x.y.z")));
        app.transports = [Transport::Bearer].into();
        let presented = Presented::read(&app, &headers).unwrap();
        assert_eq!((presented.bearer, presented.cookie), (Some("a.b.c"), None));
    }

    #[test]
    fn a_refresh_token_is_no_access_credential() {
        let headers = lines(&[("authorization", "Bearer mrt_AAAA"), ("cookie", "__Host-misario-web=x.y.z")]);
        let presented = Presented::read(&app("web"), &headers).unwrap();
        assert_eq!(presented.first().unwrap(), (AccessCredential::Jwt("x.y.z"), Via::Cookie));
        let headers = lines(&[("authorization", "Bearer mrt_AAAA")]);
        let presented = Presented::read(&app("web"), &headers).unwrap();
        assert_eq!(presented.first(), Err(CredentialFault::Missing.into()));
    }

    #[test]
    fn the_scheme_has_no_case_and_other_schemes_are_not_ours() {
        for (value, token) in [
            ("bearer t", Some("t")),
            ("BEARER  t ", Some("t")),
            ("Basic dTpw", None),
            ("Bearer", None),
            ("Bearer ", None),
        ] {
            let headers = lines(&[("authorization", value)]);
            assert_eq!(Presented::read(&app("web"), &headers).unwrap().bearer, token, "{value:?}");
        }
    }

    #[test]
    fn repeated_duplicated_and_huge_credentials_are_faults_of_the_request() {
        let twice = lines(&[("authorization", "Bearer a.b.c"), ("authorization", "Bearer a.b.c")]);
        assert!(matches!(Presented::read(&app("web"), &twice), Err(RequestFault::HeaderRepeated { .. })));
        let cookies = lines(&[("cookie", "__Host-misario-web-refresh=1; __Host-misario-web-refresh=2")]);
        assert_eq!(Presented::read(&app("web"), &cookies), Err(RequestFault::CookieDuplicate));
        let huge = format!("Bearer {}", "a".repeat(MAX_CREDENTIAL + 1));
        let huge = lines(&[("authorization", &huge)]);
        assert!(matches!(Presented::read(&app("web"), &huge), Err(RequestFault::CredentialOversized { .. })));
    }

    #[test]
    fn nothing_that_was_shown_prints() {
        let canary = "mst_canary";
        let presented = Presented { bearer: Some(canary), cookie: Some("canary.b.c"), refresh_cookie: Some(canary) };
        let printed = format!(
            "{presented:?} {:?} {:?}",
            AccessCredential::Session(canary),
            AccessCredential::of("canary.b.c").unwrap()
        );
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("refresh_cookie: true") && printed.contains("Jwt(…)"), "{printed}");
    }
}
