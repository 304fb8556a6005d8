//! Cookies that have to go out with a response.

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

/// `Set-Cookie` lines that a check left behind.
#[derive(Debug, Default)]
pub(crate) struct CookiesOut(Vec<HeaderValue>);

impl CookiesOut {
    /// In place of an earlier line of that cookie: what was renewed last is what counts.
    pub(crate) fn push(&mut self, line: HeaderValue) {
        self.0.retain(|earlier| name(earlier) != name(&line));
        self.0.push(line);
    }

    /// Adds the lines, but for cookies that the handler has set itself: it knows better. A sign-out that was renewed in
    /// passing would else bring its own cookie back.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let set: Vec<Vec<u8>> = headers.get_all(SET_COOKIE).iter().map(|line| name(line).to_vec()).collect();
        for line in self.0 {
            if !set.iter().any(|own| own == name(&line)) {
                headers.append(SET_COOKIE, line);
            }
        }
    }
}

fn name(line: &HeaderValue) -> &[u8] {
    let octets = line.as_bytes();
    let end = octets.iter().position(|octet| *octet == b'=').unwrap_or(octets.len());
    octets[..end].trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_lines_of_one_cookie_the_last_goes_out() {
        let mut out = CookiesOut::default();
        for line in ["access=old; Path=/", "refresh=one; Path=/", "access=new; Path=/"] {
            out.push(HeaderValue::from_static(line));
        }
        let mut headers = HeaderMap::new();
        out.write(&mut headers);
        let lines: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(lines, ["refresh=one; Path=/", "access=new; Path=/"]);
    }

    #[test]
    fn what_the_handler_set_stays() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("access=; Max-Age=0"));
        let mut out = CookiesOut::default();
        out.push(HeaderValue::from_static("access=fresh; Path=/"));
        out.push(HeaderValue::from_static("refresh=fresh; Path=/"));
        out.write(&mut headers);
        let lines: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(lines, ["access=; Max-Age=0", "refresh=fresh; Path=/"]);
    }
}
