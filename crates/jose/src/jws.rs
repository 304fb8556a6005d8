//! The compact serialization (RFC 7515 §7.1): three base64url parts and two dots, nothing else.
//!
//! Invariant: a [`Jws`] is at most [`Jws::MAX_LEN`] octets and consists of base64url characters and exactly two dots.
//! The size is judged before any other octet is looked at, so that a flood costs a comparison. The JSON
//! serializations are not read at all: a reader of both can be shown two tokens in one (CVE-2022-39227).

use crate::error::Part;
use crate::header::Header;
use crate::json::{Index, Object};
use crate::{Algorithm, JwtError, b64u};

/// A compact token that was taken apart, and nothing more: none of it has been verified.
#[derive(Clone, Copy)]
pub struct Jws<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> Jws<'a> {
    /// The largest token that is read, in octets.
    pub const MAX_LEN: usize = 16 * 1024;

    /// The parts of `token`.
    ///
    /// # Errors
    /// `jwt_too_large`, `jwt_malformed_character`, `jwt_malformed_segments`.
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        check_size(token)?;
        check_characters(token)?;
        let malformed = || JwtError::MalformedSegments { segments: token.split('.').take(6).count() };
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        if payload.contains('.') {
            return Err(malformed());
        }
        Ok(Self { header, payload, signature, signed })
    }

    /// What the signature is made over: header and payload with their dot.
    pub const fn signing_input(&self) -> &'a str {
        self.signed
    }

    /// The header as it stands in the token.
    pub const fn header_segment(&self) -> &'a str {
        self.header
    }

    /// The payload as it stands in the token.
    pub const fn payload_segment(&self) -> &'a str {
        self.payload
    }

    /// The signature as it stands in the token.
    pub const fn signature_segment(&self) -> &'a str {
        self.signature
    }

    /// The algorithm that the token claims to be signed with; `None` when the header cannot be read or names another.
    ///
    /// # Security
    /// Only for choosing between sets of keys whose verifiers each allow their own algorithms; it decides nothing.
    pub fn algorithm(&self) -> Option<Algorithm> {
        let (mut buffer, mut index) = (Vec::new(), Index::default());
        self.decode(Part::Header, &mut buffer).ok()?;
        let object = Object::read(&buffer, &mut index).ok()?;
        Header::read(&object).ok()?.algorithm().ok()
    }

    /// Decodes one part into `out`.
    pub(crate) fn decode(&self, part: Part, out: &mut Vec<u8>) -> Result<(), JwtError> {
        let segment = match part {
            Part::Header => self.header,
            Part::Claims => self.payload,
            Part::Signature => self.signature,
        };
        if b64u::decode_into(segment, out) { Ok(()) } else { Err(JwtError::MalformedBase64 { part }) }
    }
}

/// Refuses a token by its length alone.
pub(crate) fn check_size(token: &str) -> Result<(), JwtError> {
    if token.len() > Jws::MAX_LEN {
        return Err(JwtError::TooLarge { size: token.len(), limit: Jws::MAX_LEN });
    }
    Ok(())
}

fn check_characters(token: &str) -> Result<(), JwtError> {
    let foreign = |b: u8| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    match token.bytes().position(foreign) {
        Some(position) => Err(JwtError::MalformedCharacter { position }),
        None => Ok(()),
    }
}

impl std::fmt::Debug for Jws<'_> {
    /// Shows sizes only: a token in a log is a credential in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jws")
            .field("header_len", &self.header.len())
            .field("payload_len", &self.payload.len())
            .field("signature_len", &self.signature.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Jws;
    use crate::JwtError;

    #[test]
    fn only_three_parts_of_base64url_characters_are_a_token() {
        let jws = Jws::parse("a.b.c").unwrap();
        assert_eq!((jws.header_segment(), jws.payload_segment(), jws.signature_segment()), ("a", "b", "c"));
        assert_eq!(jws.signing_input(), "a.b");
        for (token, segments) in [("", 1), ("a", 1), ("a.b", 2), ("a.b.c.d", 4), ("a.b.c.d.e", 5), ("a.b.c.d.e.f.g", 6)]
        {
            assert_eq!(Jws::parse(token).unwrap_err(), JwtError::MalformedSegments { segments }, "{token}");
        }
    }

    #[test]
    fn every_other_printable_character_is_refused_wherever_it_stands() {
        for c in (0..=0x7f_u8).map(char::from).chain(['\u{e9}', '\u{ff0e}', '\u{200b}']) {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                continue;
            }
            for (position, token) in [(0, format!("{c}a.b.c")), (3, format!("a.b{c}.c")), (5, format!("a.b.c{c}"))] {
                assert_eq!(Jws::parse(&token).unwrap_err(), JwtError::MalformedCharacter { position }, "{c:?}");
            }
        }
    }

    #[test]
    fn size_is_judged_before_anything_else() {
        let long = "!".repeat(Jws::MAX_LEN + 1);
        let too_large = JwtError::TooLarge { size: Jws::MAX_LEN + 1, limit: Jws::MAX_LEN };
        assert_eq!(Jws::parse(&long).unwrap_err(), too_large);
        assert_eq!(Jws::parse(&long[1..]).unwrap_err(), JwtError::MalformedCharacter { position: 0 });
    }
}
