use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use misario_core::authn::{CredentialFault, CsrfFault, ForbiddenFault, RequestFault, UnavailableFault};
use misario_core::secret::{SecretError, SecretKind};
use misario_jose::{JwtError, UnixTime};

use super::*;
use crate::testing::Counting;

fn expired() -> Rejection {
    let error = JwtError::Expired { expired_at: UnixTime::from_secs(1), now: UnixTime::from_secs(2) };
    CredentialFault::Jwt { error }.into()
}

fn too_old() -> Rejection {
    ForbiddenFault::AuthenticationTooOld { max_age: 300 }.into()
}

fn csrf(fault: CsrfFault) -> Rejection {
    ForbiddenFault::Csrf { fault }.into()
}

/// Every rejection with its status and public code.
fn table() -> Vec<(Rejection, u16, &'static str)> {
    let kind = SecretKind::SessionToken;
    vec![
        (RequestFault::HeaderRepeated { name: "origin" }.into(), 400, "invalid_request"),
        (RequestFault::HeaderMalformed { name: "origin" }.into(), 400, "invalid_request"),
        (RequestFault::CredentialOversized { size: 2, limit: 1 }.into(), 431, "credential_too_large"),
        (RequestFault::CookieDuplicate.into(), 400, "cookie_duplicate"),
        (RequestFault::CredentialsConflict.into(), 400, "credentials_conflict"),
        (RequestFault::AppAmbiguous.into(), 400, "app_ambiguous"),
        (RequestFault::AppUnknown.into(), 400, "app_unknown"),
        (CredentialFault::Missing.into(), 401, "credential_missing"),
        (expired(), 401, "token_expired"),
        (CredentialFault::Stale.into(), 401, "token_stale"),
        (CredentialFault::Unrecognised.into(), 401, "invalid_token"),
        (CredentialFault::Jwt { error: JwtError::SignatureInvalid }.into(), 401, "invalid_token"),
        (CredentialFault::Jwt { error: JwtError::KeyUnknown }.into(), 401, "invalid_token"),
        (CredentialFault::Secret { error: SecretError::WrongTag { kind } }.into(), 401, "invalid_token"),
        (CredentialFault::ClaimsMalformed.into(), 401, "invalid_token"),
        (CredentialFault::SessionUnknown.into(), 401, "invalid_token"),
        (CredentialFault::SessionIdle.into(), 401, "invalid_token"),
        (CredentialFault::SessionEnded.into(), 401, "invalid_token"),
        (CredentialFault::Revoked.into(), 401, "invalid_token"),
        (CredentialFault::UserDisabled.into(), 401, "invalid_token"),
        (CredentialFault::OtherApp.into(), 401, "invalid_token"),
        (too_old(), 401, "insufficient_user_authentication"),
        (ForbiddenFault::RoleMissing.into(), 403, "forbidden"),
        (ForbiddenFault::PermissionMissing.into(), 403, "forbidden"),
        (ForbiddenFault::ScopeMissing.into(), 403, "insufficient_scope"),
        (csrf(CsrfFault::TokenMissing), 403, "csrf_required"),
        (csrf(CsrfFault::TokenInvalid), 403, "csrf_required"),
        (csrf(CsrfFault::CrossSite), 403, "csrf_required"),
        (UnavailableFault::LeaseExpired.into(), 503, "unavailable"),
        (UnavailableFault::Authority.into(), 503, "unavailable"),
        (UnavailableFault::Store { code: "store_full" }.into(), 503, "unavailable"),
    ]
}

fn response(rejection: &Rejection) -> http::Response<Bytes> {
    Problem::rejected(rejection, &Counting::default()).into_http()
}

fn challenge(rejection: &Rejection) -> Option<String> {
    let response = response(rejection);
    response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn every_rejection_has_its_status_and_public_code() {
    for (rejection, status, code) in table() {
        let response = response(&rejection);
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), body["code"].as_str()), (status, Some(code)), "{}", rejection.code());
        assert_eq!(body["status"], status);
        assert!(CODES.iter().any(|(known, _)| *known == code), "{code} is documented");
    }
}

/// A rejection that core adds must get its line in the table above.
#[test]
fn the_table_holds_every_code_of_core() {
    let tested: Vec<_> = table().iter().map(|(rejection, ..)| rejection.code()).collect();
    for (code, _) in Rejection::CODES {
        assert!(tested.contains(code), "{code}");
    }
}

#[test]
fn bad_credentials_cannot_be_told_apart() {
    let invalid: Vec<_> = table().into_iter().filter(|(_, _, code)| *code == "invalid_token").collect();
    assert!(invalid.len() > 5);
    let first = response(&invalid[0].0);
    for (rejection, ..) in &invalid {
        let other = response(rejection);
        assert_eq!((other.status(), other.headers(), other.body()), (first.status(), first.headers(), first.body()));
    }
}

#[test]
fn a_challenge_says_what_helps() {
    let invalid = r#"Bearer realm="misario", error="invalid_token""#;
    assert_eq!(challenge(&CredentialFault::Missing.into()).unwrap(), r#"Bearer realm="misario""#);
    assert_eq!(challenge(&CredentialFault::Revoked.into()).unwrap(), invalid);
    assert!(challenge(&expired()).unwrap().starts_with(invalid));
    assert_eq!(
        challenge(&too_old()).unwrap(),
        r#"Bearer realm="misario", error="insufficient_user_authentication", max_age="300""#
    );
    assert_eq!(
        challenge(&ForbiddenFault::ScopeMissing.into()).unwrap(),
        r#"Bearer realm="misario", error="insufficient_scope""#
    );
    assert_eq!(challenge(&csrf(CsrfFault::TokenMissing)), None);
}

#[test]
fn what_cannot_be_told_asks_to_come_back() {
    for (rejection, status, _) in table() {
        let expected = (status == 503).then_some("1");
        let response = response(&rejection);
        assert_eq!(response.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap()), expected);
    }
}

#[test]
fn every_problem_is_typed_kept_from_caches_and_has_a_reference() {
    for (rejection, ..) in table() {
        let entropy = Counting::default();
        let first = Problem::rejected(&rejection, &entropy);
        let second = Problem::rejected(&rejection, &entropy);
        assert_ne!(first.reference(), second.reference());
        let reference = first.reference().to_owned();
        let response: http::Response<Bytes> = first.into_http();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["ref"], reference);
    }
}
