//! Each rule about claims and header, at its edge.

use misario_jose::{Algorithm, Given, JwtError, Scratch, UnixTime, Verifier, VerifierBuilder};
use serde_json::{Value, json};

use crate::support::{NOW, claims, key, now};

fn paved() -> VerifierBuilder<Given, Given> {
    Verifier::builder().issuer("https://issuer.test").audience("api.test")
}

fn code_at(verifier: &Verifier, typ: &str, claims: &Value, at: u64) -> Result<(), &'static str> {
    let (key, keys) = key(Algorithm::EdDsa);
    let token = key.sign_jwt(typ, claims).unwrap();
    let at = UnixTime::from_secs(at);
    verifier.verify(&token, &keys, at, &mut Scratch::new()).map(|_| ()).map_err(|error| error.code())
}

fn code(verifier: &Verifier, claims: &Value) -> Result<(), &'static str> {
    code_at(verifier, "at+jwt", claims, NOW)
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn a_token_counts_strictly_before_its_expiry() {
    let exp = NOW + 600;
    for (leeway, last) in [(0, exp - 1), (60, exp + 59), (300, exp + 299), (100_000, exp + 299)] {
        let verifier = paved().leeway(leeway).build();
        assert_eq!(code_at(&verifier, "at+jwt", &claims(), last), Ok(()), "{leeway}");
        assert_eq!(code_at(&verifier, "at+jwt", &claims(), last + 1), Err("jwt_expired"), "{leeway}");
    }
}

#[test]
fn the_future_is_refused_beyond_the_leeway() {
    let verifier = paved().leeway(60).build();
    for (claim, refused) in [("iat", "jwt_issued_in_future"), ("nbf", "jwt_not_yet_valid")] {
        assert_eq!(code(&verifier, &with(claim, json!(NOW + 60))), Ok(()));
        assert_eq!(code(&verifier, &with(claim, json!(NOW + 61))), Err(refused));
    }
}

#[test]
fn a_time_of_the_wrong_type_is_never_an_absent_one() {
    let verifier = paved().build();
    for claim in ["exp", "nbf", "iat"] {
        for wrong in [json!("1800000600"), json!(null), json!(true), json!([1]), json!({}), json!(-1), json!(1e17)] {
            assert_eq!(code(&verifier, &with(claim, wrong.clone())), Err("jwt_claim_malformed"), "{claim} {wrong}");
        }
    }
    assert_eq!(code(&verifier, &without("exp")), Err("jwt_claim_missing"));
    assert_eq!(code(&verifier, &without("iat")), Ok(()));
}

#[test]
fn a_lifetime_limit_is_inclusive_and_demands_an_issue_time() {
    let verifier = |secs| paved().max_ttl(secs).build();
    assert_eq!(code(&verifier(610), &claims()), Ok(()));
    assert_eq!(code(&verifier(609), &claims()), Err("jwt_lifetime_too_long"));
    assert_eq!(code(&verifier(610), &without("iat")), Err("jwt_claim_missing"));
    assert_eq!(code(&verifier(610), &with("exp", json!(NOW - 10))), Err("jwt_expires_before_issued"));
}

#[test]
fn issuer_and_audience_are_met_exactly() {
    let verifier = paved().build();
    for wrong in ["https://issuer.test/", "https://issuer", "HTTPS://issuer.test"] {
        assert_eq!(code(&verifier, &with("iss", json!(wrong))), Err("jwt_issuer_mismatch"), "{wrong}");
    }
    for wrong in [json!("api.test."), json!("API.test"), json!([]), json!(["other"])] {
        assert_eq!(code(&verifier, &with("aud", wrong.clone())), Err("jwt_audience_mismatch"), "{wrong}");
    }
    for wrong in [json!(1), json!(["api.test", 1]), json!([["api.test"]]), json!(null)] {
        assert_eq!(code(&verifier, &with("aud", wrong.clone())), Err("jwt_claim_malformed"), "{wrong}");
    }
    assert_eq!(code(&verifier, &with("aud", json!(["other", "api.test"]))), Ok(()));
    for claim in ["iss", "aud"] {
        assert_eq!(code(&verifier, &without(claim)), Err("jwt_claim_missing"), "{claim}");
    }
}

#[test]
fn required_claims_have_to_be_there_and_not_null() {
    let verifier = paved().require(&["sid"]).build();
    assert_eq!(code(&verifier, &with("sid", json!("s1"))), Ok(()));
    assert_eq!(code(&verifier, &with("sid", json!(null))), Err("jwt_claim_missing"));
    assert_eq!(code(&verifier, &claims()), Err("jwt_claim_missing"));
}

#[test]
fn expired_means_that_nothing_else_is_wrong() {
    let verifier = paved().require(&["sub"]).max_ttl(3_600).build();
    let late = NOW + 10_000;
    assert_eq!(code_at(&verifier, "at+jwt", &claims(), late), Err("jwt_expired"));
    for (claims, other) in [
        (with("iss", json!("x")), "jwt_issuer_mismatch"),
        (with("aud", json!("x")), "jwt_audience_mismatch"),
        (without("sub"), "jwt_claim_missing"),
        (with("jti", json!(1)), "jwt_claim_malformed"),
        (with("iat", json!(NOW - 10_000)), "jwt_lifetime_too_long"),
    ] {
        assert_eq!(code_at(&verifier, "at+jwt", &claims, late), Err(other));
    }
    assert_eq!(code_at(&verifier, "rt+jwt", &claims(), late), Err("jwt_typ_mismatch"));
}

#[test]
fn kinds_of_tokens_do_not_pass_for_each_other() {
    let kinds = ["at+jwt", "rt+jwt", "logout+jwt", "JWT", "dpop+jwt"];
    for expected in kinds {
        let verifier = paved().typ(expected).build();
        for shown in kinds {
            let verdict = code_at(&verifier, shown, &claims(), NOW);
            assert_eq!(verdict.is_ok(), expected == shown, "{shown} for {expected}");
        }
    }
    assert_eq!(code_at(&paved().dangerous_any_typ().build(), "rt+jwt", &claims(), NOW), Ok(()));
}

#[test]
fn a_renewal_takes_tokens_that_expired_less_than_the_window_ago() {
    let (key, keys) = key(Algorithm::EdDsa);
    let token = key.sign_jwt("at+jwt", &claims()).unwrap();
    let verifier = paved().build();
    let mut scratch = Scratch::new();
    let mut renew = |at: u64, window: u64| {
        let at = UnixTime::from_secs(at);
        verifier.verify_ignoring_expiry_until(&token, &keys, at, window, &mut scratch).map(|_| ()).map_err(|e| e.code())
    };
    let exp = NOW + 600;
    assert_eq!(renew(exp + 29, 30), Ok(()));
    assert_eq!(renew(exp + 30, 30), Err("jwt_expired"));
    assert_eq!(renew(exp - 1, 0), Ok(()));
    assert_eq!(renew(exp, 0), Err("jwt_expired"));
    assert_eq!(renew(u64::MAX - 1, u64::MAX), Ok(()));
    let other = Verifier::builder().issuer("https://issuer.test").audience("other").build();
    let mut scratch = Scratch::new();
    let refused = other.verify_ignoring_expiry_until(&token, &keys, now(), 30, &mut scratch);
    assert_eq!(refused.unwrap_err(), JwtError::AudienceMismatch);
}

#[test]
fn only_expected_algorithms_count_and_symmetric_ones_have_to_be_asked_for() {
    let (key, keys) = key(Algorithm::Hs256);
    let token = key.sign_jwt("at+jwt", &claims()).unwrap();
    let verify = |verifier: &Verifier| verifier.verify(&token, &keys, now(), &mut Scratch::new()).map(|_| ());
    let not_allowed = Err(JwtError::AlgorithmNotAllowed { algorithm: Algorithm::Hs256 });
    assert_eq!(verify(&paved().build()), not_allowed);
    assert_eq!(verify(&paved().algorithms(&[]).build()), not_allowed);
    assert_eq!(verify(&paved().algorithms(&[Algorithm::Hs256]).build()), Ok(()));
}

#[test]
fn what_is_given_up_by_name_is_not_judged() {
    let bare = json!({"exp": NOW + 1});
    let lenient = Verifier::builder().dangerous_any_issuer().dangerous_any_audience().build();
    assert_eq!(code(&lenient, &bare), Ok(()));
    assert_eq!(code(&lenient, &json!({})), Err("jwt_claim_missing"));
    assert_eq!(code(&lenient, &with("iss", json!(1))), Err("jwt_claim_malformed"));
    let signature_only = Verifier::builder().dangerous_without_claims().build();
    assert_eq!(code(&signature_only, &json!({})), Ok(()));
}

#[test]
fn escaped_claims_are_told_unescaped() {
    let (key, keys) = key(Algorithm::EdDsa);
    let token = key.sign_jwt("at+jwt", &with("sub", json!("a\"b\\\u{1f600}"))).unwrap();
    let mut scratch = Scratch::new();
    let verifier = paved().build();
    let jwt = verifier.verify(&token, &keys, now(), &mut scratch).unwrap();
    assert_eq!(jwt.subject(), Some("a\"b\\\u{1f600}"));
    for hostile in ["", "a\0b", "a\nb", "a\u{7f}", "a\u{85}b"] {
        assert_eq!(code(&verifier, &with("sub", json!(hostile))), Err("jwt_claim_malformed"), "{hostile:?}");
    }
}
