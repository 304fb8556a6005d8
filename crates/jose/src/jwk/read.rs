//! Reading one public key out of JSON.
//!
//! Unknown members are ignored (RFC 7517 §4); `x5c`, `x5u` and the like never take part. Known ones are held against
//! each other: a key that contradicts itself is refused, not interpreted.

use crate::json::{Object, Value};
use crate::{Algorithm, Jwk, KeyError, KeyId, b64u};

use super::Params;

/// Members that only a private or symmetric key has (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// The public key that `object` describes.
pub(crate) fn public(object: &Object<'_>) -> Result<Jwk, KeyError> {
    let kty = string(object, "kty")?.ok_or(KeyError::MemberMalformed { member: "kty" })?;
    if kty == "oct" {
        return Err(KeyError::SymmetricInPublicSet);
    }
    if PRIVATE_MEMBERS.iter().any(|member| object.get(member).is_some()) {
        return Err(KeyError::PrivateInPublicSet);
    }
    let kid = kid(object)?;
    check_purpose(object)?;
    let params = match &*kty {
        "EC" => p256(object)?,
        "OKP" => ed25519(object)?,
        "RSA" => Params::Rsa { n: octets(object, "n")?.into(), e: octets(object, "e")?.into() },
        _ => return Err(KeyError::TypeUnsupported),
    };
    let algorithm = params.algorithm();
    if let Some(actual) = algorithm {
        check_algorithm(object, actual)?;
    }
    Ok(Jwk { params, algorithm, kid })
}

/// The key's id, when it has one.
pub(crate) fn kid(object: &Object<'_>) -> Result<Option<KeyId>, KeyError> {
    let Some(value) = object.get("kid") else {
        return Ok(None);
    };
    let kid = value.string().ok_or(KeyError::KidInvalid)?;
    KeyId::new(&kid).map(Some)
}

/// Refuses a key whose `alg` is not `actual`; without `alg` the type and curve decide.
pub(crate) fn check_algorithm(object: &Object<'_>, actual: Algorithm) -> Result<(), KeyError> {
    let Some(name) = string(object, "alg")? else {
        return Ok(());
    };
    let stated = Algorithm::from_name(&name).ok_or(KeyError::AlgorithmUnsupported)?;
    if stated == actual { Ok(()) } else { Err(KeyError::AlgorithmContradiction { stated, actual }) }
}

/// Refuses a key that is not for checking signatures (RFC 7517 §4.2, §4.3).
pub(crate) fn check_purpose(object: &Object<'_>) -> Result<(), KeyError> {
    if string(object, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::UseMismatch);
    }
    let Some(operations) = object.get("key_ops") else {
        return Ok(());
    };
    let mut seen = Vec::new();
    // "Duplicate key operation values MUST NOT be present in the array."
    let distinct = operations.all_elements(|element| {
        let operation = element.string();
        let fresh = operation.is_some() && !seen.contains(&operation);
        seen.push(operation);
        fresh
    });
    if distinct && seen.iter().flatten().any(|operation| operation == "verify") {
        Ok(())
    } else {
        Err(KeyError::OperationsMismatch)
    }
}

/// A member that is a string when it is there.
pub(crate) fn string<'a>(
    object: &Object<'a>,
    member: &'static str,
) -> Result<Option<std::borrow::Cow<'a, str>>, KeyError> {
    object.get(member).map(|value: Value<'a>| value.string().ok_or(KeyError::MemberMalformed { member })).transpose()
}

/// A member that is there and is base64url.
pub(crate) fn octets(object: &Object<'_>, member: &'static str) -> Result<Vec<u8>, KeyError> {
    string(object, member)?.and_then(|text| b64u::decode(&text)).ok_or(KeyError::MemberMalformed { member })
}

fn p256(object: &Object<'_>) -> Result<Params, KeyError> {
    curve(object, "P-256")?;
    Ok(Params::P256 { x: coordinate(object, "x")?, y: coordinate(object, "y")? })
}

fn ed25519(object: &Object<'_>) -> Result<Params, KeyError> {
    curve(object, "Ed25519")?;
    Ok(Params::Ed25519 { x: coordinate(object, "x")? })
}

fn curve(object: &Object<'_>, expected: &str) -> Result<(), KeyError> {
    let curve = string(object, "crv")?.ok_or(KeyError::MemberMalformed { member: "crv" })?;
    if curve == expected { Ok(()) } else { Err(KeyError::CurveUnsupported) }
}

/// RFC 7518 §6.2.1.2: "The length of this octet string MUST be the full size of a coordinate".
fn coordinate(object: &Object<'_>, member: &'static str) -> Result<[u8; 32], KeyError> {
    octets(object, member)?.try_into().map_err(|_| KeyError::CoordinateLength)
}
