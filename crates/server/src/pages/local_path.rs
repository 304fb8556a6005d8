//! Where a page may send people: a path of the same origin, and nothing that any parser could take for more.
//!
//! RFC 9700 §4.11 forbids open redirectors. Browsers read `\` as `/`, drop tabs and line ends, and take `//host` and
//! `/\host` for another host (WHATWG URL); servers in between may decode a path once more. So the rule is about
//! octets, before and after one decoding, and not about what one URL parser makes of the text.

use std::fmt;

/// A path of this origin, perhaps with a query and a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalPath(String);

/// Longer ones come from nobody's address bar.
const LONGEST: usize = 2_048;

impl LocalPath {
    /// The path in `text`, if it is one whoever reads it. It can be put into a `Location` header as it is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Visible ASCII only: no tab, line end, space, backslash; the rest of Unicode is percent-encoded in a URL.
        let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let path = text.split(['?', '#']).next().unwrap_or(text);
        (plain && stays_here(path.as_bytes()) && stays_here(&decode(path)?)).then(|| Self(text.to_owned()))
    }

    /// The root: where people go when nothing better is known.
    pub(crate) fn root() -> Self {
        Self("/".to_owned())
    }

    /// A path that stands in this source.
    pub(crate) fn fixed(path: &'static str) -> Self {
        debug_assert!(Self::parse(path).is_some(), "{path} is no local path");
        Self(path.to_owned())
    }

    /// The sign-in page of `app`, which leads back to `return_to`. At a path that apps mount on their own origin, too.
    pub(crate) fn sign_in(app: &str, return_to: Option<&Self>) -> Self {
        let mut path = "/v1/login?app=".to_owned();
        encode(app, &mut path);
        if let Some(return_to) = return_to {
            path.push_str("&return_to=");
            encode(return_to.as_str(), &mut path);
        }
        Self(path)
    }

    /// The path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One slash first, never two in a row, no backslash, no control character.
fn stays_here(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
        && !path.windows(2).any(|pair| pair == b"//")
        && !path.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\')
        && !path.split(|byte| *byte == b'/').any(is_dots)
}

/// `/.//host` and `/x/..//host` begin with two slashes once the dots are resolved.
fn is_dots(segment: &[u8]) -> bool {
    segment == b"." || segment == b".."
}

/// The octets that the percent-encoded `path` stands for; `None` if an escape is broken, since parsers differ on it.
fn decode(path: &str) -> Option<Vec<u8>> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            plain => plain,
        });
    }
    Some(decoded)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Appends `text` as one value of a query (RFC 3986 §2.3: unreserved characters stand for themselves).
fn encode(text: &str, out: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_origin_is_kept_as_it_is() {
        for path in
            ["/", "/demo/web", "/a?next=https://b//c", "/a#//b", "/files/a%2Fb", "/%C3%A4", "/a/..b/.c", "/?x=%zz"]
        {
            assert_eq!(LocalPath::parse(path).as_ref().map(LocalPath::as_str), Some(path));
        }
    }

    #[test]
    fn no_return_to_leaves_this_origin() {
        for foreign in [
            "",
            "evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https://evil.example",
            "HTTPS://evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/a//evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/x/../..//evil.example",
            "/./%2Fevil.example",
            "/%2Fevil.example",
            "/%2f%2fevil.example",
            "/%5Cevil.example",
            "/%09/evil.example",
            "/%0d%0aSet-Cookie:a=b",
            "/\r\nSet-Cookie: a=b",
            "/%2e%2e//evil.example",
            "/.%2e/x",
            "/\u{2215}evil.example",
            "/\u{ff0f}evil.example",
            "/\u{a0}/evil.example",
            "/%",
            "/%1",
            "/%zz",
            "?next=/",
            "#x",
            "@evil.example",
            ":80/x",
            "/\0",
            "/\u{7f}",
        ] {
            assert_eq!(LocalPath::parse(foreign), None, "{foreign:?}");
        }
        assert_eq!(LocalPath::parse(&format!("/{}", "a".repeat(LONGEST))), None, "too long");
    }

    #[test]
    fn the_sign_in_address_carries_values_not_syntax() {
        let back = LocalPath::parse("/demo/web?a=1&b=2").unwrap();
        let path = LocalPath::sign_in("we&b", Some(&back));
        assert_eq!(path.as_str(), "/v1/login?app=we%26b&return_to=%2Fdemo%2Fweb%3Fa%3D1%26b%3D2");
        assert!(LocalPath::parse(path.as_str()).is_some());
    }
}
