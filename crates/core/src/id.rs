//! Public handles: names that may stand in logs, URLs and consoles. A handle never opens anything; what does is in
//! [`crate::secret`].

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use misario_jose::Entropy;
use serde::{Deserialize, Serialize};

/// A name was not of the form its kind demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
#[non_exhaustive]
pub struct InvalidName {
    /// The kind of name: `app id`, `client id`, …
    pub what: &'static str,
    /// The form that was expected, in words.
    pub rule: &'static str,
}

impl InvalidName {
    /// Code and meaning of the error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] =
        &[("name_invalid", "A name is not of the form that its kind demands.")];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "name_invalid"
    }
}

macro_rules! random_handle {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

        impl $name {
            /// A handle of 128 random bits.
            pub fn generate(entropy: &dyn Entropy) -> Self {
                let mut bytes = [0; 16];
                entropy.fill(&mut bytes);
                Self(bytes)
            }

            /// The handle that these octets name.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The octets of the handle.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                parse_hex(text).map(Self).ok_or(InvalidName {
                    what: $what,
                    rule: "32 lower-case hexadecimal digits",
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

random_handle!(
    /// The public handle of a login, from sign-in to its end, in every mode (the claim `sid`). It names a login and
    /// opens nothing.
    SessionId, "session id");
random_handle!(
    /// One incarnation of a replica: random per process start, never configured (PROTOCOL rule 1), so that a dead
    /// incarnation's entry can never be acknowledged by its successor.
    ReplicaId, "replica id");

/// Only one spelling is read (lower case), so a handle has one text form wherever it is compared.
fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

macro_rules! chosen_name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name, if it is 1 to 32 of `a-z`, `0-9`, `-`, starting with a letter: safe in a cookie name, a URL,
            /// a header and a file.
            pub fn new(name: &str) -> Result<Self, InvalidName> {
                is_plain_name(name).then(|| Self(name.to_owned())).ok_or(InvalidName {
                    what: $what,
                    rule: "1 to 32 of a-z, 0-9 and -, starting with a letter",
                })
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

chosen_name!(
    /// What users log in to: `web`, `spa`, `service`.
    AppId, "app id");
chosen_name!(
    /// Who authenticates without being a person: another service, a connected app, an operator's script.
    ClientId, "client id");

fn is_plain_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Who a credential speaks for: the claim `sub`, unique within this issuer. 1 to 255 octets without control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The subject named by `text`.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let fits = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
            .ok_or(InvalidName { what: "subject", rule: "1 to 255 octets without control characters" })
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Subject {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_one_spelling() {
        let id = SessionId::from_bytes([0xab; 16]);
        let text = id.to_string();
        assert_eq!(text.parse::<SessionId>(), Ok(id));
        assert!(text.to_uppercase().parse::<SessionId>().is_err());
        assert!(text[1..].parse::<SessionId>().is_err());
        assert!("zz23456789abcdef0123456789abcdef".parse::<SessionId>().is_err());
    }

    #[test]
    fn names_are_safe_wherever_they_are_printed() {
        for bad in ["", "Web", "9web", "we b", "web\n", "wéb", "a/b", &"a".repeat(33)] {
            assert!(AppId::new(bad).is_err(), "{bad:?}");
        }
        assert!(AppId::new("web-2").is_ok());
        assert!(Subject::new("a\0b").is_err());
    }
}
