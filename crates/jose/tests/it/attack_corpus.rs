//! The attack corpus: every hostile token and key set, by the policy written beside it.
//!
//! The counts are exact: an algorithm that is added moves tokens from "unsupported" to their own reason, and this
//! file says so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use misario_jose::{Algorithm, JwkSet, Scratch, UnixTime, Verifier};
use serde_json::Value;

fn corpus(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/attack-corpus").join(file);
    std::fs::read_to_string(path).unwrap()
}

fn lines(file: &str) -> Vec<Value> {
    corpus(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The policy of `config.json`, for public and for secret keys.
struct Policy {
    config: Value,
    public: Verifier,
    secret: Verifier,
}

impl Policy {
    fn read() -> Self {
        let config: Value = serde_json::from_str(&corpus("config.json")).unwrap();
        assert_eq!(config["max_token_bytes"], misario_jose::Jws::MAX_LEN);
        let public = verifier(&config, "algs_pub");
        let secret = verifier(&config, "algs_hs");
        Self { config, public, secret }
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.config["now"].as_u64().unwrap())
    }

    fn code(&self, line: &Value, scratch: &mut Scratch) -> Result<(), &'static str> {
        let set = line["keys"].as_str().unwrap();
        let keys = line.get("ks_inline").unwrap_or(&self.config["keysets"][set]).to_string();
        let (verifier, keys) = match set {
            "hs" => (&self.secret, JwkSet::parse_secret(keys.as_bytes()).unwrap().0),
            _ => (&self.public, JwkSet::parse_public(keys.as_bytes()).unwrap().0),
        };
        let token = line["token"].as_str().unwrap();
        let verdict = verifier.verify(token, &keys, self.now(), scratch).map(|_| ()).map_err(|e| e.code());
        let explained = verifier.explain(token, &keys, self.now());
        assert_eq!(explained.code, verdict.err(), "explain and verify differ on {}", line["id"]);
        verdict
    }
}

fn verifier(config: &Value, algorithms: &str) -> Verifier {
    let text = |name: &str| config[name].as_str().unwrap();
    let strings =
        |name: &str| -> Vec<&str> { config[name].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect() };
    // RS256 is on the corpus' list and not built in: such tokens are refused as unsupported, and counted below.
    let algorithms: Vec<Algorithm> = strings(algorithms).into_iter().filter_map(|a| a.parse().ok()).collect();
    Verifier::builder()
        .issuer(text("issuer"))
        .audience(text("audience"))
        .typ(text("typ"))
        .algorithms(&algorithms)
        .leeway(config["leeway"].as_u64().unwrap())
        .max_ttl(config["max_ttl_s"].as_u64().unwrap())
        .require(&strings("require"))
        .build()
}

/// How many tokens of each family end in which code; "accept" where the corpus leaves the choice, too.
#[rustfmt::skip]
const TOKEN_CODES: &[(&str, &str, usize)] = &[
    ("A00-control", "accept", 11),
    ("A00-control", "jwt_algorithm_unsupported", 1),
    ("A01-none", "jwt_algorithm_none", 10),
    ("A01-none", "jwt_algorithm_unsupported", 14),
    ("A01-none", "jwt_malformed_header", 6),
    ("A01-none", "jwt_malformed_segments", 1),
    ("A01-none", "jwt_signature_length", 1),
    ("A02-confusion", "jwt_algorithm_not_allowed", 21),
    ("A02-confusion", "jwt_algorithm_unsupported", 55),
    ("A02-confusion", "jwt_key_unknown", 1),
    ("A03-weak-hmac", "jwt_signature_invalid", 7),
    ("A04-embedded-key", "jwt_embedded_key", 18),
    ("A04-embedded-key", "jwt_signature_invalid", 1),
    ("A05-kid", "jwt_algorithm_not_allowed", 1),
    ("A05-kid", "jwt_key_unknown", 10),
    ("A05-kid", "jwt_kid_invalid", 5),
    ("A05-kid", "jwt_malformed_header", 5),
    ("A06-ecdsa", "accept", 1),
    ("A06-ecdsa", "jwt_signature_invalid", 11),
    ("A06-ecdsa", "jwt_signature_length", 8),
    ("A06-eddsa", "jwt_signature_invalid", 3),
    ("A06-eddsa", "jwt_signature_length", 2),
    ("A07-rsa", "jwt_algorithm_unsupported", 12),
    ("A08-json", "jwt_algorithm_none", 1),
    ("A08-json", "jwt_malformed_bom", 2),
    ("A08-json", "jwt_malformed_depth", 1),
    ("A08-json", "jwt_malformed_duplicate_name", 10),
    ("A08-json", "jwt_malformed_header", 1),
    ("A08-json", "jwt_malformed_json", 10),
    ("A08-json", "jwt_malformed_not_object", 7),
    ("A08-json", "jwt_malformed_surrogate", 1),
    ("A08-json", "jwt_malformed_trailing_data", 4),
    ("A08-json", "jwt_malformed_utf8", 6),
    ("A08-json", "jwt_too_large", 1),
    ("A09-base64", "jwt_malformed_base64", 3),
    ("A09-base64", "jwt_malformed_character", 18),
    ("A09-base64", "jwt_malformed_json", 2),
    ("A09-base64", "jwt_malformed_segments", 8),
    ("A09-base64", "jwt_signature_invalid", 1),
    ("A10-crit", "accept", 1),
    ("A10-crit", "jwt_b64_unsupported", 1),
    ("A10-crit", "jwt_crit_unsupported", 11),
    ("A11-typ", "accept", 2),
    ("A11-typ", "jwt_malformed_header", 2),
    ("A11-typ", "jwt_nested_unsupported", 1),
    ("A11-typ", "jwt_typ_mismatch", 11),
    ("A11-typ", "jwt_typ_missing", 1),
    ("A12-time", "accept", 3),
    ("A12-time", "jwt_claim_malformed", 15),
    ("A12-time", "jwt_claim_missing", 2),
    ("A12-time", "jwt_expired", 3),
    ("A12-time", "jwt_expires_before_issued", 2),
    ("A12-time", "jwt_issued_in_future", 1),
    ("A12-time", "jwt_lifetime_too_long", 2),
    ("A12-time", "jwt_malformed_json", 3),
    ("A12-time", "jwt_malformed_number", 1),
    ("A12-time", "jwt_not_yet_valid", 2),
    ("A13-claims", "jwt_audience_mismatch", 8),
    ("A13-claims", "jwt_claim_malformed", 13),
    ("A13-claims", "jwt_claim_missing", 4),
    ("A13-claims", "jwt_issuer_mismatch", 4),
    ("A14-format", "jwt_malformed_character", 5),
    ("A14-format", "jwt_malformed_segments", 4),
    ("A14-format", "jwt_zip_unsupported", 1),
    ("A15-size", "accept", 1),
    ("A15-size", "jwt_malformed_segments", 1),
    ("A15-size", "jwt_too_large", 6),
];

#[test]
fn every_hostile_token_is_refused_and_every_good_one_is_accepted() {
    let policy = Policy::read();
    let mut scratch = Scratch::new();
    let (mut refused, mut accepted, mut either) = (0, 0, 0);
    let mut not_built_in = Vec::new();
    for line in lines("tokens.jsonl") {
        let verdict = policy.code(&line, &mut scratch);
        let id = line["id"].as_str().unwrap().to_owned();
        match (line["expect"].as_str().unwrap(), verdict) {
            ("reject", Err(_)) => refused += 1,
            ("accept", Ok(())) => accepted += 1,
            ("accept", Err("jwt_algorithm_unsupported")) => not_built_in.push(id),
            ("either", _) => either += 1,
            (expected, verdict) => panic!("{id}: {expected}, but {verdict:?}"),
        }
    }
    assert_eq!((refused, accepted, either), (372, 16, 3));
    assert_eq!(not_built_in, ["A00-control/RS256"]);
}

#[test]
fn every_token_is_refused_for_its_own_reason() {
    let policy = Policy::read();
    let mut scratch = Scratch::new();
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for line in lines("tokens.jsonl") {
        let code = policy.code(&line, &mut scratch).err().unwrap_or("accept");
        let family = line["family"].as_str().unwrap().to_owned();
        *counts.entry((family, code)).or_default() += 1;
    }
    let in_order: Vec<(&str, &str, usize)> =
        counts.iter().map(|((family, code), count)| (family.as_str(), *code, *count)).collect();
    assert_eq!(in_order, TOKEN_CODES);
}

/// What comes of a set: keys that can be used, and the codes of those that cannot, or the code for the whole set.
type SetVerdict = Result<(usize, Vec<&'static str>), &'static str>;

fn judge_set(line: &Value) -> SetVerdict {
    JwkSet::parse_public(line["jwks"].to_string().as_bytes())
        .map(|(keys, unusable)| (keys.len(), unusable.iter().map(|key| key.error.code()).collect()))
        .map_err(|error| error.code())
}

/// Keys in good order whose only fault is that RSA is not built in; the corpus counts them as usable.
fn good_rsa_keys(line: &Value) -> usize {
    line["jwks"]["keys"]
        .as_array()
        .map_or(0, |keys| keys.iter().filter(|key| key["kty"] == "RSA" && key["e"] == "AQAB").count())
}

#[test]
fn every_key_set_is_judged_as_the_corpus_asks() {
    let mut judged = 0;
    for line in lines("jwks.jsonl") {
        let (verdict, expect) = (judge_set(&line), &line["expect"]);
        let usable = verdict.as_ref().map_or(0, |(usable, _)| *usable);
        let met = if let Some(expected) = expect["usable"].as_u64() {
            let expected = usize::try_from(expected).unwrap();
            verdict.is_ok() && usable == expected.saturating_sub(good_rsa_keys(&line))
        } else if expect["fatal"] == true || expect["fatal_or_capped"] == true {
            verdict.is_err()
        } else if expect["fatal_or_ignored"] == true {
            usable == 0
        } else {
            expect["either"] == true || expect["fatal_or_disambiguated"] == true
        };
        assert!(met, "{}: {expect}, but {verdict:?}", line["id"]);
        judged += 1;
    }
    assert_eq!(judged, 31);
}

#[test]
fn every_unusable_key_has_its_own_reason() {
    let by_id: BTreeMap<String, SetVerdict> =
        lines("jwks.jsonl").iter().map(|line| (line["id"].as_str().unwrap().to_owned(), judge_set(line))).collect();
    for (id, expected) in [
        ("K/oct-in-public", Ok((1, vec!["key_symmetric_in_public_set"]))),
        ("K/private-in-public", Ok((0, vec!["key_private_in_public_set"]))),
        ("K/dup-kid-same-type", Err("key_id_duplicate")),
        ("K/no-kid-two", Ok((2, vec![]))),
        ("K/use-enc", Ok((0, vec!["key_use_mismatch"]))),
        ("K/key_ops-sign-only", Ok((0, vec!["key_operations_mismatch"]))),
        ("K/alg-none", Ok((0, vec!["key_algorithm_unsupported"]))),
        ("K/alg-mismatch-crv", Ok((0, vec!["key_algorithm_unsupported"]))),
        ("K/off-curve", Ok((0, vec!["key_point_invalid"]))),
        ("K/xy-zero", Ok((0, vec!["key_point_invalid"]))),
        ("K/x-ge-p", Ok((0, vec!["key_point_invalid"]))),
        ("K/x-short", Ok((0, vec!["key_coordinate_length"]))),
        ("K/crv-unknown", Ok((0, vec!["key_curve_unsupported", "key_algorithm_unsupported"]))),
        ("K/kty-unknown", Ok((0, vec!["key_type_unsupported", "key_algorithm_unsupported"]))),
        ("K/ed-small-order", Ok((0, vec!["key_point_small_order"]))),
        ("K/ed-noncanonical", Ok((0, vec!["key_point_not_canonical"]))),
        ("K/kid-number", Ok((0, vec!["key_id_invalid"]))),
        ("K/keys-not-array", Err("key_set_without_keys")),
        ("K/no-keys", Err("key_set_without_keys")),
        ("K/keys-null", Err("key_set_without_keys")),
        ("K/1000-keys", Err("key_set_too_many_keys")),
        ("K/x5c-mismatch", Ok((1, vec![]))),
    ] {
        assert_eq!(by_id[id], expected, "{id}");
    }
}
