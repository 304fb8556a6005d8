//! A cookie jar for one origin, as far as demonstrations need one: names, values, and removal.

use std::collections::BTreeMap;

use http::{HeaderMap, header};

use super::Call;

/// The cookies that one client holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Takes what an answer sets, drops what it removes; says whether there was anything.
    pub(crate) fn take(&mut self, headers: &HeaderMap) -> bool {
        let before = self.0.clone();
        for line in headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let ends = attributes.split(';').any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
            if ends || value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        self.0 != before
    }

    /// The request with every cookie held.
    pub(crate) fn show(&self, call: Call) -> Call {
        if self.0.is_empty() {
            return call;
        }
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        call.header(header::COOKIE, &pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn cookies_are_kept_replaced_and_removed() {
        let mut jar = Jar::default();
        let mut answer = HeaderMap::new();
        for line in ["a=1; Path=/; HttpOnly", "b=2", "a=3; Path=/"] {
            answer.append(header::SET_COOKIE, HeaderValue::from_static(line));
        }
        assert!(jar.take(&answer) && !jar.take(&answer));
        assert_eq!(jar.show(Call::get("/")).headers[header::COOKIE], "a=3; b=2");
        let mut answer = HeaderMap::new();
        answer.append(header::SET_COOKIE, HeaderValue::from_static("b=; Path=/; Max-Age=0"));
        jar.take(&answer);
        assert_eq!(jar.show(Call::get("/")).headers[header::COOKIE], "a=3");
    }
}
