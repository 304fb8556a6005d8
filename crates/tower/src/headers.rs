//! Header maps as the check reads them, and the cookies that handlers do not get to see.

use http::header::{COOKIE, HeaderMap, HeaderValue};
use misario_core::authn::Headers;

/// The headers of a request as they came, also where a layer has taken the credential cookies out of them.
#[derive(Debug, Clone, Copy)]
pub struct HeaderView<'a> {
    headers: &'a HeaderMap,
    cookies: Option<&'a [HeaderValue]>,
}

impl<'a> HeaderView<'a> {
    /// Of these headers.
    pub const fn new(headers: &'a HeaderMap) -> Self {
        Self { headers, cookies: None }
    }

    /// Of these headers, with other `Cookie` lines than are in them.
    pub const fn with_cookies(headers: &'a HeaderMap, cookies: Option<&'a [HeaderValue]>) -> Self {
        Self { headers, cookies }
    }
}

impl Headers for HeaderView<'_> {
    fn each<'h>(&'h self, name: &'static str, each: &mut dyn FnMut(&'h [u8])) {
        match (name, self.cookies) {
            ("cookie", Some(cookies)) => cookies.iter().for_each(|value| each(value.as_bytes())),
            _ => self.headers.get_all(name).iter().for_each(|value| each(value.as_bytes())),
        }
    }
}

/// Names that begin like this are taken for ours even if no app known here has them: the cookies of an app that is not
/// known yet, or of another server on the same host, are as good as its users' logins.
const OWN_PREFIXES: [&str; 2] = ["__Host-misario-", "misario-"];

/// Takes the cookies that `is_ours` names, and those with a name of our form, out of the headers; returns all cookie
/// lines as they were, or `None` if there was nothing to take out.
pub(crate) fn take_cookies(headers: &mut HeaderMap, is_ours: impl Fn(&str) -> bool) -> Option<Vec<HeaderValue>> {
    let is_ours = |pair: &&[u8]| cookie_name(pair).is_some_and(|name| is_own_form(name) || is_ours(name));
    let lines = headers.get_all(COOKIE);
    if !lines.iter().flat_map(pairs).any(|pair| is_ours(&pair)) {
        return None;
    }
    let original: Vec<_> = lines.iter().cloned().collect();
    let kept: Vec<&[u8]> = original.iter().flat_map(pairs).filter(|pair| !is_ours(pair) && !pair.is_empty()).collect();
    headers.remove(COOKIE);
    if !kept.is_empty() {
        // Octets of valid header values, joined by what may stand in one, are a valid header value.
        if let Ok(line) = HeaderValue::from_bytes(&kept.join(b"; ".as_slice())) {
            headers.insert(COOKIE, line);
        }
    }
    Some(original)
}

/// The cookies of `lines` that `wanted` names, as one line.
pub(crate) fn only_cookies<'a>(
    lines: impl Iterator<Item = &'a HeaderValue>,
    wanted: impl Fn(&str) -> bool,
) -> Option<HeaderValue> {
    let kept: Vec<&[u8]> = lines.flat_map(pairs).filter(|pair| cookie_name(pair).is_some_and(&wanted)).collect();
    if kept.is_empty() {
        return None;
    }
    let mut line = HeaderValue::from_bytes(&kept.join(b"; ".as_slice())).ok()?;
    line.set_sensitive(true);
    Some(line)
}

fn is_own_form(name: &str) -> bool {
    OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn pairs(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|octet| *octet == b';').map(<[u8]>::trim_ascii)
}

/// The name as the reader of cookies takes it: what stands before the first `=`, without blanks.
fn cookie_name(pair: &[u8]) -> Option<&str> {
    let end = pair.iter().position(|octet| *octet == b'=')?;
    std::str::from_utf8(pair[..end].trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_static(line))).collect()
    }

    fn left(lines: &[&'static str]) -> Vec<String> {
        let mut headers = headers(lines);
        take_cookies(&mut headers, |name| name == "sid");
        headers.get_all(COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn credential_cookies_are_taken_out_and_the_others_stay() {
        assert_eq!(left(&["theme=dark; sid=secret; lang=en"]), ["theme=dark; lang=en"]);
        assert_eq!(left(&["a=1", "sid=secret", "b=2"]), ["a=1; b=2"]);
        assert_eq!(left(&["sid=secret"]), Vec::<String>::new());
        assert_eq!(left(&["theme=dark;;x"]), ["theme=dark;;x"], "untouched where nothing is ours");
    }

    #[test]
    fn a_cookie_of_our_form_is_ours_whoever_set_it() {
        for line in [
            "__Host-misario-web-refresh=s",
            "misario-other=s",
            " misario-web =s",
            "a=1;misario-web-refresh=s",
            "misario-web-refresh=\"s\"",
        ] {
            let mut headers = headers(&[line]);
            let original = take_cookies(&mut headers, |_| false).unwrap();
            assert_eq!(original, [line]);
            assert!(headers.get_all(COOKIE).iter().all(|value| !value.to_str().unwrap().contains("misario")), "{line}");
        }
    }

    #[test]
    fn the_view_shows_the_cookies_as_they_came() {
        let mut headers = headers(&["sid=secret; a=1"]);
        let original = take_cookies(&mut headers, |name| name == "sid");
        let view = HeaderView::with_cookies(&headers, original.as_deref());
        let mut seen = Vec::new();
        view.each("cookie", &mut |value| seen.push(value.to_vec()));
        assert_eq!(seen, [b"sid=secret; a=1".to_vec()]);
    }

    #[test]
    fn only_wanted_cookies_are_passed_on() {
        let headers = headers(&["theme=dark; sid=1", "refresh=2; other=3"]);
        let line = only_cookies(headers.get_all(COOKIE).iter(), |name| ["sid", "refresh"].contains(&name));
        assert_eq!(line.unwrap(), "sid=1; refresh=2");
        assert_eq!(only_cookies(headers.get_all(COOKIE).iter(), |_| false), None);
    }
}
