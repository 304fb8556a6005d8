//! Web origins, compared as RFC 6454 says: scheme, host and port, nothing else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A web origin in its one canonical spelling: lower case, no default port, no trailing dot or slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Origin(String);

/// A text was not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is http:// or https://, a host and perhaps a port, and nothing else: https://app.example.com")]
pub struct InvalidOrigin;

impl Origin {
    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it is `http://` on this machine, which browsers treat as trustworthy.
    pub fn is_plain_loopback(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return false };
        let host = match rest.strip_prefix('[') {
            Some(v6) => return v6.starts_with("::1]"),
            None => rest.split(':').next().unwrap_or(rest),
        };
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// The host, without scheme and port: what browsers keep cookies by.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or(self.0.as_str(), |(_, authority)| authority);
        split_port(authority).map_or(authority, |(host, _)| host)
    }

    /// The canonical text, as browsers send it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin of a URL (for `Referer`): what stands before its path.
    pub fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        format!("{scheme}://{authority}").parse().ok()
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = split_port(authority).ok_or(InvalidOrigin)?;
        let host = canonical_host(host).ok_or(InvalidOrigin)?;
        Ok(Self(match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_v6 = authority.rfind(']').map_or(0, |end| end + 1);
    match authority[after_v6..].find(':') {
        None => Some((authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at(after_v6 + colon);
            let port = &port[1..];
            // `u16::from_str` would read a sign.
            port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten().map(|port| (host, Some(port)))
        }
    }
}

/// The host as browsers write it. A strict set: user information (`@`), spaces, escapes and a trailing dot are what
/// confusions are made of.
fn canonical_host(host: &str) -> Option<String> {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: std::net::Ipv6Addr = v6.parse().ok()?;
        // WHATWG URL, host serializing: the compressed form, never with an IPv4 address in it.
        let text = match address.to_ipv4_mapped() {
            Some(_) => format!("::ffff:{:x}:{:x}", address.segments()[6], address.segments()[7]),
            None => address.to_string(),
        };
        return Some(format!("[{text}]"));
    }
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (host.len() <= 253 && host.split('.').all(is_label)).then(|| host.to_ascii_lowercase())
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for (text, canonical) in [
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            ("http://localhost:8420", "http://localhost:8420"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[0:0:0:0:0:0:0:1]:8420", "http://[::1]:8420"),
            ("https://[2001:DB8:0:0:0:0:0:1]", "https://[2001:db8::1]"),
            ("https://[::ffff:192.0.2.1]", "https://[::ffff:c000:201]"),
        ] {
            assert_eq!(text.parse::<Origin>().map(|o| o.0), Ok(canonical.to_owned()));
        }
    }

    #[test]
    fn what_is_more_than_an_origin_is_none() {
        for text in [
            "null",
            "",
            "https://",
            "https://a/",
            "https://a?b",
            "https://user@a",
            "https://a.",
            "https://a:+80",
            "ftp://a",
            "https://a b",
            "https://a:99999",
            "//a",
            "https://[::zz]",
            "javascript://a%0a",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let loopback = |text: &str| text.parse::<Origin>().is_ok_and(|o| o.is_plain_loopback());
        assert!(loopback("http://localhost:1") && loopback("http://127.0.0.9") && loopback("http://[::1]:2"));
        assert!(loopback("http://web.localhost"));
        for text in
            ["https://localhost", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"]
        {
            assert!(!loopback(text), "{text}");
        }
    }

    #[test]
    fn the_origin_of_a_referer_ends_before_its_path() {
        assert_eq!(Origin::of_url("https://a.example/x?y#z").map(|o| o.0), Some("https://a.example".to_owned()));
        assert_eq!(Origin::of_url("https://good.example@evil.example/"), None);
    }
}
