//! The protected header (RFC 7515 §4).
//!
//! Unknown members are ignored, as the RFC asks. Refused is what would change the meaning of the token: extensions
//! that must be understood (`crit`), `b64`, `zip`, nesting, and every member that offers a key of the sender's choice.

use std::borrow::Cow;

use crate::json::Object;
use crate::{Algorithm, JwtError, KeyId};

/// Members with which a sender names the key to trust (RFC 7515 §4.1.2-3, §4.1.5-6). A thumbprint (`x5t`) is only a
/// name, and is ignored like any other unknown member.
const EMBEDDED_KEYS: [&str; 4] = ["jwk", "jku", "x5c", "x5u"];

/// What a token says about itself, unverified.
#[derive(Debug, Clone)]
pub(crate) struct Header<'a> {
    alg: Cow<'a, str>,
    kid: Option<Cow<'a, str>>,
    typ: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    pub(crate) fn read(object: &Object<'a>) -> Result<Self, JwtError> {
        check_extensions(object)?;
        let alg = string(object, "alg")?.ok_or(JwtError::MalformedHeader { member: "alg" })?;
        let kid = string(object, "kid")?;
        if kid.as_deref().is_some_and(|kid| !KeyId::is_valid(kid)) {
            return Err(JwtError::KidInvalid);
        }
        Ok(Self { alg, kid, typ: string(object, "typ")? })
    }

    /// The algorithm that the header names.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, JwtError> {
        if self.alg.eq_ignore_ascii_case("none") {
            return Err(JwtError::AlgorithmNone);
        }
        Algorithm::from_name(&self.alg).ok_or(JwtError::AlgorithmUnsupported)
    }

    /// The `alg` as it is written.
    pub(crate) fn alg(&self) -> &str {
        &self.alg
    }

    /// The id of the key that the header names.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The kind of token that the header names.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }
}

/// Whether two `typ` values name one kind: media types are compared without regard to case, and a value without "/" stands for
/// "application/" plus itself (RFC 7515 §4.1.9).
pub(crate) fn same_typ(a: &str, b: &str) -> bool {
    short_typ(a).eq_ignore_ascii_case(short_typ(b))
}

fn short_typ(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
        _ => typ,
    }
}

fn check_extensions(object: &Object<'_>) -> Result<(), JwtError> {
    // No extension is implemented, and an empty or malformed list is refused anyway: so any `crit` is.
    if object.get("crit").is_some() {
        return Err(JwtError::CritUnsupported);
    }
    if object.get("b64").is_some() {
        return Err(JwtError::UnencodedPayload);
    }
    if object.get("zip").is_some() {
        return Err(JwtError::Compressed);
    }
    if let Some(member) = EMBEDDED_KEYS.into_iter().find(|member| object.get(member).is_some()) {
        return Err(JwtError::EmbeddedKey { member });
    }
    let nested = |cty: &str| {
        let cty = short_typ(cty).to_ascii_lowercase();
        matches!(cty.as_str(), "jwt" | "jose") || cty.ends_with("+jwt")
    };
    if string(object, "cty")?.is_some_and(|cty| nested(&cty)) {
        return Err(JwtError::Nested);
    }
    Ok(())
}

fn string<'a>(object: &Object<'a>, member: &'static str) -> Result<Option<Cow<'a, str>>, JwtError> {
    object.get(member).map(|value| value.string().ok_or(JwtError::MalformedHeader { member })).transpose()
}

#[cfg(test)]
mod tests {
    use super::{Header, same_typ};
    use crate::json::{Index, Object};
    use crate::{Algorithm, JwtError};

    fn read(json: &str) -> Result<Algorithm, JwtError> {
        let mut index = Index::default();
        let object = Object::read(json.as_bytes(), &mut index).unwrap();
        Header::read(&object)?.algorithm()
    }

    #[test]
    fn unknown_members_are_ignored_and_meaningful_ones_are_not() {
        assert_eq!(read(r#"{"alg":"ES256","x-foo":1,"Crit":["x"],"x5t":"AAAA","cty":"text"}"#), Ok(Algorithm::Es256));
        for crit in [r#"["x"]"#, "[]", "null", r#""exp""#, "[1]"] {
            assert_eq!(read(&format!(r#"{{"alg":"ES256","crit":{crit}}}"#)), Err(JwtError::CritUnsupported));
        }
        for b64 in ["true", "false"] {
            assert_eq!(read(&format!(r#"{{"alg":"ES256","b64":{b64}}}"#)), Err(JwtError::UnencodedPayload));
        }
        assert_eq!(read(r#"{"alg":"ES256","zip":"DEF"}"#), Err(JwtError::Compressed));
        for cty in ["JWT", "jwt", "application/jwt", "at+jwt"] {
            assert_eq!(read(&format!(r#"{{"alg":"ES256","cty":"{cty}"}}"#)), Err(JwtError::Nested));
        }
        for member in ["jwk", "jku", "x5c", "x5u"] {
            let refused = Err(JwtError::EmbeddedKey { member });
            assert_eq!(read(&format!(r#"{{"alg":"ES256","{member}":"x"}}"#)), refused);
        }
    }

    #[test]
    fn alg_is_a_known_name_in_its_exact_spelling() {
        assert_eq!(read(r#"{"alg":"Ed25519"}"#), Ok(Algorithm::EdDsa));
        for none in ["none", "NONE", "nOnE"] {
            assert_eq!(read(&format!(r#"{{"alg":"{none}"}}"#)), Err(JwtError::AlgorithmNone));
        }
        for wrong in ["", "es256", "ES256 ", "none ", "RS256"] {
            assert_eq!(read(&format!(r#"{{"alg":"{wrong}"}}"#)), Err(JwtError::AlgorithmUnsupported));
        }
        for json in ["{}", r#"{"alg":null}"#, r#"{"alg":["ES256"]}"#, r#"{"ALG":"ES256"}"#] {
            assert_eq!(read(json), Err(JwtError::MalformedHeader { member: "alg" }));
        }
    }

    #[test]
    fn kinds_compare_without_case_and_with_or_without_application() {
        for same in ["at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/AT+JWT"] {
            assert!(same_typ("at+jwt", same), "{same}");
            assert!(same_typ(same, "Application/at+jwt"), "{same}");
        }
        for other in ["", "jwt", "xat+jwt", "at+jwt ", "text/at+jwt", "application/application/at+jwt"] {
            assert!(!same_typ("at+jwt", other), "{other}");
        }
    }
}
