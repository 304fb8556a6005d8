//! Codes are a contract: each is listed once, well-formed, and explained.

use std::collections::BTreeSet;

use misario_jose::{Algorithm, ClaimProblem, JsonError, JwtError, KeyError, Part, SignError, UnixTime};

fn assert_listed(listed: &[(&'static str, &'static str)], made: &[&'static str], prefix: &str) {
    let codes: BTreeSet<&str> = listed.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.len(), listed.len(), "a code is listed twice");
    assert_eq!(codes, made.iter().copied().collect(), "codes and variants differ");
    for (code, meaning) in listed {
        assert!(
            code.starts_with(prefix) && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{code}"
        );
        assert!(meaning.ends_with('.') && meaning.len() > 10, "{code}");
    }
}

fn json_errors() -> Vec<JsonError> {
    let position = 0;
    vec![
        JsonError::NotUtf8,
        JsonError::ByteOrderMark,
        JsonError::NotAnObject,
        JsonError::Syntax { position },
        JsonError::TrailingData { position },
        JsonError::DuplicateName { position },
        JsonError::LoneSurrogate { position },
        JsonError::NumberRange { position },
        JsonError::TooDeep { limit: 64 },
        JsonError::TooManyMembers { limit: 256 },
    ]
}

#[test]
fn every_refusal_of_a_token_is_listed() {
    let (now, algorithm) = (UnixTime::default(), Algorithm::Es256);
    let mut errors = vec![
        JwtError::TooLarge { size: 1, limit: 0 },
        JwtError::MalformedSegments { segments: 1 },
        JwtError::MalformedCharacter { position: 0 },
        JwtError::MalformedBase64 { part: Part::Header },
        JwtError::MalformedHeader { member: "alg" },
        JwtError::KidInvalid,
        JwtError::CritUnsupported,
        JwtError::UnencodedPayload,
        JwtError::Compressed,
        JwtError::Nested,
        JwtError::EmbeddedKey { member: "jwk" },
        JwtError::AlgorithmNone,
        JwtError::AlgorithmUnsupported,
        JwtError::AlgorithmNotAllowed { algorithm },
        JwtError::KeyUnknown,
        JwtError::KeyAmbiguous,
        JwtError::KeyAlgorithmMismatch { key: algorithm, token: algorithm },
        JwtError::SignatureLength { size: 1, expected: 0 },
        JwtError::SignatureInvalid,
        JwtError::TypMissing,
        JwtError::TypMismatch,
        JwtError::ClaimMissing { claim: "exp".into() },
        JwtError::ClaimMalformed { claim: "exp", problem: ClaimProblem::WrongType },
        JwtError::IssuerMismatch,
        JwtError::AudienceMismatch,
        JwtError::IssuedInFuture { issued_at: now, now },
        JwtError::NotYetValid { not_before: now, now },
        JwtError::ExpiresBeforeIssued,
        JwtError::LifetimeTooLong { lifetime: 1, limit: 0 },
        JwtError::Expired { expired_at: now, now },
        JwtError::ClaimsUnreadable,
    ];
    errors.extend(json_errors().into_iter().map(|problem| JwtError::MalformedJson { part: Part::Claims, problem }));
    let codes: Vec<_> = errors.iter().map(JwtError::code).collect();
    assert_listed(JwtError::CODES, &codes, "jwt_");
    let expired: Vec<_> = errors.iter().filter(|error| error.is_expired()).map(JwtError::code).collect();
    assert_eq!(expired, ["jwt_expired"]);
}

#[test]
fn every_refusal_of_a_key_is_listed() {
    let algorithm = Algorithm::Es256;
    let errors = [
        KeyError::SetTooLarge { size: 1, limit: 0 },
        KeyError::SetTooManyKeys { limit: 0 },
        KeyError::Json { problem: JsonError::NotUtf8 },
        KeyError::SetWithoutKeys,
        KeyError::SetMixed,
        KeyError::KidDuplicate,
        KeyError::KidInvalid,
        KeyError::MemberMalformed { member: "x" },
        KeyError::TypeUnsupported,
        KeyError::CurveUnsupported,
        KeyError::AlgorithmUnsupported,
        KeyError::AlgorithmContradiction { stated: algorithm, actual: algorithm },
        KeyError::UseMismatch,
        KeyError::OperationsMismatch,
        KeyError::SymmetricInPublicSet,
        KeyError::PrivateInPublicSet,
        KeyError::CoordinateLength,
        KeyError::PointInvalid,
        KeyError::PointSmallOrder,
        KeyError::PointNotCanonical,
        KeyError::SecretMalformed { algorithm },
        KeyError::HmacTooShort { size: 0, minimum: 32 },
        KeyError::HmacWellKnown,
        KeyError::HmacLowEntropy,
    ];
    let codes: Vec<_> = errors.iter().map(KeyError::code).collect();
    assert_listed(KeyError::CODES, &codes, "key_");
}

#[test]
fn every_refusal_to_sign_is_listed() {
    let errors = [
        SignError::ClaimsUnserializable,
        SignError::ClaimsRefused { problem: JsonError::NotAnObject },
        SignError::TooLarge { size: 1, limit: 0 },
        SignError::Backend,
    ];
    let codes: Vec<_> = errors.iter().map(SignError::code).collect();
    assert_listed(SignError::CODES, &codes, "sign_");
}
