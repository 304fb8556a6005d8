//! Cookies: read strictly, written with every protection.
//!
//! RFC 6265 leaves it open which of two cookies of one name a server reads, and a sibling domain or an injected header
//! can add one; so two of ours are an error, never "first wins". Names are compared with case.

use std::fmt::Write as _;

use super::Headers;
use crate::app::App;

/// A cookie of ours cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieError {
    /// The request has two cookies of the name.
    Duplicate,
}

/// The value of the cookie `name` over all `Cookie` headers; `None` if there is none.
pub fn read_cookie<'h>(headers: &'h dyn Headers, name: &str) -> Result<Option<&'h str>, CookieError> {
    let (mut found, mut count) = (None, 0_usize);
    headers.each("cookie", &mut |line| {
        // Octets that are no UTF-8 belong to no cookie of ours; other cookies in the line are still read.
        for pair in line.split(|byte| *byte == b';') {
            let Ok(pair) = std::str::from_utf8(pair) else { continue };
            let Some((key, value)) = pair.split_once('=') else { continue };
            if key.trim_matches([' ', '\t']) == name {
                count += 1;
                found = Some(value.trim_matches([' ', '\t']));
            }
        }
    });
    if count > 1 { Err(CookieError::Duplicate) } else { Ok(found) }
}

/// As [`read_cookie`], for what only looks and refuses nothing: two of the name, or an empty one, are none.
pub fn cookie_value<'h>(headers: &'h dyn Headers, name: &str) -> Option<&'h str> {
    read_cookie(headers, name).ok().flatten().filter(|value| !value.is_empty())
}

/// The longest `name=value` that browsers keep (RFC 6265bis §5.5).
pub(super) const MAX_COOKIE: usize = 4_096;

/// Writes `Set-Cookie` lines for an app: `HttpOnly`, `SameSite=Lax`, `Path=/`, no `Domain`, and `Secure` everywhere
/// but on plain-HTTP loopback.
#[derive(Debug, Clone, Copy)]
pub struct CookieWriter<'a> {
    app: &'a App,
}

impl<'a> CookieWriter<'a> {
    /// For the cookies of `app`.
    pub const fn new(app: &'a App) -> Self {
        Self { app }
    }

    /// The line that sets the cookie for `max_age` seconds; `None` if browsers would not keep it.
    pub fn set(self, name: &str, value: &str, max_age: u64) -> Option<String> {
        if name.len() + 1 + value.len() > MAX_COOKIE {
            return None;
        }
        let mut line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
        if self.app.secure_cookies() {
            line.push_str("; Secure");
        }
        let _ = write!(line, "; Max-Age={max_age}");
        Some(line)
    }

    /// The lines that make the browser forget what it shows of an earlier login and the new one does not replace: it would
    /// be renewed beside it. `replaces` tells which cookies the new one sets.
    pub fn clear_leftovers(self, headers: &dyn Headers, replaces: impl Fn(&str) -> bool) -> Vec<String> {
        let names = [&self.app.cookies.access, &self.app.cookies.refresh];
        let is_left = |name: &&String| !replaces(name) && !matches!(read_cookie(headers, name), Ok(None));
        names.into_iter().filter(is_left).map(|name| self.clear(name)).collect()
    }

    /// The line that makes browsers forget the cookie.
    pub fn clear(self, name: &str) -> String {
        let secure = if self.app.secure_cookies() { "; Secure" } else { "" };
        format!("{name}=; Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age=0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::testing::Lines;

    #[test]
    fn two_cookies_of_one_name_are_an_error_wherever_they_stand() {
        for lines in [vec!["a=1; a=2"], vec!["a=1", "a=1"], vec!["b=0; a=1; c=3", "a=2"], vec!["a=1;a=1"]] {
            let headers = Lines(lines.into_iter().map(|line| ("cookie", line.as_bytes().to_vec())).collect());
            assert_eq!(read_cookie(&headers, "a"), Err(CookieError::Duplicate));
        }
    }

    #[test]
    fn other_cookies_do_not_disturb() {
        let lines = [b"x; =; ;;\xff=1; a=v=w ; A=2; aa=3".to_vec()];
        let headers = Lines(lines.into_iter().map(|line| ("cookie", line)).collect());
        assert_eq!(read_cookie(&headers, "a"), Ok(Some("v=w")));
        assert_eq!(read_cookie(&headers, "b"), Ok(None));
    }

    #[test]
    fn what_only_looks_takes_an_unclear_cookie_for_none() {
        let headers = Lines(vec![("cookie", b"a=1; b=; c=1; c=2".to_vec())]);
        assert_eq!(["a", "b", "c", "d"].map(|name| cookie_value(&headers, name)), [Some("1"), None, None, None]);
    }

    #[test]
    fn what_a_new_login_does_not_replace_is_forgotten_however_unclear_it_is() {
        let app = crate::authn::testing::app("web");
        let (access, refresh) = (app.cookies.access.as_str(), app.cookies.refresh.as_str());
        let left = |line: String, replaced: &str| {
            let headers = Lines(vec![("cookie", line.into_bytes())]);
            CookieWriter::new(&app).clear_leftovers(&headers, |name| name == replaced)
        };
        let cleared = |name: &str| vec![CookieWriter::new(&app).clear(name)];
        assert_eq!(left(format!("{access}=a; {refresh}=b; other=c"), access), cleared(refresh));
        assert_eq!(left(format!("{refresh}=a; {refresh}=b"), access), cleared(refresh), "two of them");
        assert_eq!(left(format!("{access}="), refresh), cleared(access), "an empty one");
        assert_eq!(left("other=c".to_owned(), access), Vec::<String>::new());
    }

    #[test]
    fn a_cookie_is_protected_and_fits() {
        let app = crate::authn::testing::app("web");
        let writer = CookieWriter::new(&app);
        assert_eq!(
            writer.set("__Host-misario-web", "v", 60).unwrap(),
            "__Host-misario-web=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        assert!(writer.set("n", &"v".repeat(MAX_COOKIE - 2), 1).is_some());
        assert!(writer.set("n", &"v".repeat(MAX_COOKIE - 1), 1).is_none());
        assert!(writer.clear("n").ends_with("; Secure; Max-Age=0"));
    }
}
