//! Published vectors: thumbprints, signatures, points. They run on both backends.

use crate::support::now;
use misario_jose::{Algorithm, Jwk, JwkSet, KeyError, KeySet, Scratch, SigningKey, Verifier, VerifyingKey, b64u};

#[test]
fn thumbprints_match_rfc_7638_and_rfc_8037() {
    // RFC 7638 §3.1.
    let rsa = br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    assert_eq!(Jwk::parse_public(rsa).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 Appendix A.3.
    let ed = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(Jwk::parse_public(ed).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

fn signature_only(algorithm: Algorithm) -> Verifier {
    Verifier::builder().algorithms(&[algorithm]).dangerous_any_typ().dangerous_without_claims().build()
}

fn verifies(algorithm: Algorithm, key: VerifyingKey, token: &str) -> bool {
    let mut keys = KeySet::new();
    keys.insert(key).unwrap();
    signature_only(algorithm).verify(token, &keys, now(), &mut Scratch::new()).is_ok()
}

#[test]
fn hs256_verifies_rfc_7515_a_1() {
    let key =
        b64u::decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow").unwrap();
    let key = VerifyingKey::from_secret(Algorithm::Hs256, &key, None).unwrap();
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert!(verifies(Algorithm::Hs256, key, token));
}

#[test]
fn es256_verifies_rfc_7515_a_3() {
    let jwk = br#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let key = VerifyingKey::from_jwk(&Jwk::parse_public(jwk).unwrap()).unwrap();
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(verifies(Algorithm::Es256, key, token));
}

#[test]
fn eddsa_verifies_rfc_8037_a_4_and_signs_the_same() {
    let jwk = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let key = VerifyingKey::from_jwk(&Jwk::parse_public(jwk).unwrap()).unwrap();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert!(verifies(Algorithm::EdDsa, key, token));
    // The private key of A.1, as PKCS#8: its public half is the key above.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend(b64u::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap());
    let signing = SigningKey::from_secret_bytes(Algorithm::EdDsa, &der).unwrap();
    assert_eq!(signing.kid().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// The encodings of the points of order 1, 2, 4 and 8 on edwards25519, with either sign bit.
const SMALL_ORDER: [&str; 5] = [
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "7P_______________________________________38",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
];

fn ed25519(x: &[u8]) -> Result<VerifyingKey, KeyError> {
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, b64u::encode(x));
    VerifyingKey::from_jwk(&Jwk::parse_public(jwk.as_bytes())?)
}

#[test]
fn points_of_small_order_and_second_encodings_are_refused() {
    for text in SMALL_ORDER {
        let mut x = b64u::decode(text).unwrap();
        assert_eq!(ed25519(&x).unwrap_err(), KeyError::PointSmallOrder, "{text}");
        x[31] ^= 0x80;
        assert_eq!(ed25519(&x).unwrap_err(), KeyError::PointSmallOrder, "{text}");
    }
    // y = p + i for every i that fits into 255 bits.
    for low in 0xed..=0xff {
        let mut x = [0xff; 32];
        (x[0], x[31]) = (low, 0x7f);
        assert_eq!(ed25519(&x).unwrap_err(), KeyError::PointNotCanonical, "{low:x}");
        x[31] = 0xff;
        assert_eq!(ed25519(&x).unwrap_err(), KeyError::PointNotCanonical, "{low:x}");
    }
}

#[test]
fn what_is_no_point_of_the_curve_is_no_key() {
    for y in [2, 7, 8, 11] {
        let mut x = [0; 32];
        x[0] = y;
        assert_eq!(ed25519(&x).unwrap_err(), KeyError::PointInvalid, "{y}");
        x[31] = 0x80;
        assert_eq!(ed25519(&x).unwrap_err(), KeyError::PointInvalid, "{y}");
    }
}

/// Signatures that satisfy the equation of RFC 8032 with an R of small order, made with the private key at hand: by an
/// ordinary key with the neutral element, and by one of mixed order with a point of order 8.
#[test]
fn signatures_with_an_r_of_small_order_are_refused() {
    for (key, token) in [
        (
            "SzHddtpJ2L7TrR_rsi9k-2jle8IvkuI7V_m8k_mousw",
            "eyJhbGciOiJFZERTQSJ9.UiBpcyB0aGUgbmV1dHJhbCBlbGVtZW50.AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABuP8wuZV7FJZpwfqKxtmbWXy1C_UHHECGDfDCtMR4GDA",
        ),
        (
            "uQF31D3qaiOixlYjANtlAW2E-EvCDMUU-Q1Ii1_svHk",
            "eyJhbGciOiJFZERTQSJ9.UiBoYXMgb3JkZXIgOCwgMQ.JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IXYgrMMfy4sgkdUQCeE1IV-RqCArWi5c7ECLYjW_QnKCQ",
        ),
    ] {
        let key = ed25519(&b64u::decode(key).unwrap()).unwrap();
        assert!(!verifies(Algorithm::EdDsa, key, token), "{token}");
    }
}

#[test]
fn keys_that_contradict_themselves_are_refused() {
    let with = |extra: &str| {
        let jwk = format!(
            r#"{{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"{extra}}}"#
        );
        Jwk::parse_public(jwk.as_bytes()).map_err(|error| error.code())
    };
    for fine in ["", r#","alg":"ES256""#, r#","use":"sig","key_ops":["sign","verify"]"#, r#","x5c":["AA"]"#] {
        assert!(with(fine).is_ok(), "{fine}");
    }
    for (extra, code) in [
        (r#","alg":"EdDSA""#, "key_algorithm_contradiction"),
        (r#","alg":"HS256""#, "key_algorithm_contradiction"),
        (r#","alg":"ES512""#, "key_algorithm_unsupported"),
        (r#","alg":1"#, "key_member_malformed"),
        (r#","use":"enc""#, "key_use_mismatch"),
        (r#","use":null"#, "key_member_malformed"),
        (r#","key_ops":["sign"]"#, "key_operations_mismatch"),
        (r#","key_ops":["verify","verify"]"#, "key_operations_mismatch"),
        (r#","key_ops":["verify",1]"#, "key_operations_mismatch"),
        (r#","key_ops":"verify""#, "key_operations_mismatch"),
        (r#","kid":"""#, "key_id_invalid"),
        (r#","d":"AA""#, "key_private_in_public_set"),
        (r#","k":"AA""#, "key_private_in_public_set"),
        (r#","kty":"EC""#, "key_malformed_json"),
    ] {
        assert_eq!(with(extra), Err(code), "{extra}");
    }
}

#[test]
fn sets_of_secret_keys_are_read_apart_from_public_ones() {
    let oct = |k: &str| format!(r#"{{"kty":"oct","alg":"HS256","k":"{k}"}}"#);
    let good = oct("YrrRvyI5mocT1xGSGNQIErn_4Pix7a3civ1OoSHL2r0");
    let set = |keys: &[&str]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    let (keys, unusable) = JwkSet::parse_secret(set(&[&good, &oct("AAAA")]).as_bytes()).unwrap();
    assert_eq!((keys.len(), unusable.len()), (1, 1));
    assert_eq!(unusable[0].error.code(), "key_hmac_too_short");
    let mixed = set(&[&good, r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#]);
    assert_eq!(JwkSet::parse_secret(mixed.as_bytes()).unwrap_err(), KeyError::SetMixed);
    assert_eq!(JwkSet::parse_configured(mixed.as_bytes()).unwrap_err(), KeyError::SetMixed);
    let with_rsa = set(&[&good, r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#]);
    assert_eq!(JwkSet::parse_configured(with_rsa.as_bytes()).unwrap_err(), KeyError::SetMixed);
    let public = set(&[r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#]);
    for one_kind in [&set(&[&good]), &public] {
        assert_eq!(JwkSet::parse_configured(one_kind.as_bytes()).unwrap().0.len(), 1);
    }
    // Neither kind of set is written with anything secret in it.
    assert_eq!(keys.to_jwk_set().to_json(), r#"{"keys":[]}"#);
}

#[test]
fn a_set_is_limited_in_size_before_it_is_read() {
    let text = vec![b' '; JwkSet::MAX_LEN + 1];
    let refused = KeyError::SetTooLarge { size: JwkSet::MAX_LEN + 1, limit: JwkSet::MAX_LEN };
    assert_eq!(JwkSet::parse_public(&text).unwrap_err(), refused);
}
