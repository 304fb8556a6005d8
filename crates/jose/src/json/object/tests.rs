//! The rules of the strict reader, one by one.

use proptest::prelude::*;

use super::{Index, Object};
use crate::JsonError;
use crate::json::{DateProblem, MAX_DEPTH, MAX_MEMBERS};

fn read(text: &[u8]) -> Result<(), JsonError> {
    Object::read(text, &mut Index::default()).map(|_| ())
}

fn date(text: &str) -> Result<u64, DateProblem> {
    let json = format!("{{\"t\":{text}}}");
    let mut index = Index::default();
    let object = Object::read(json.as_bytes(), &mut index).unwrap();
    object.get("t").unwrap().numeric_date().map(crate::UnixTime::as_secs)
}

#[test]
fn members_are_found_by_their_unescaped_name() {
    let mut index = Index::default();
    let object = Object::read(br#" { "s\u0075b" : "a\/\ud83d\ude00\n" , "n" : [1, "x"] } "#, &mut index).unwrap();
    assert_eq!(object.get("sub").unwrap().string().unwrap(), "a/\u{1f600}\n");
    assert!(object.get("su").is_none());
    assert!(object.get("n").unwrap().string().is_none());
    let mut seen = Vec::new();
    assert!(object.get("n").unwrap().all_elements(|v| {
        seen.push(v.raw());
        true
    }));
    assert_eq!(seen, ["1", "\"x\""]);
}

#[test]
fn duplicate_names_are_refused_at_any_depth_and_after_unescaping() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"y":[{"a":1,"b":2,"a":3}]}}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        r#"{"a\/":1,"a/":2}"#,
    ] {
        assert!(matches!(read(text.as_bytes()), Err(JsonError::DuplicateName { .. })), "{text}");
    }
    // The same name in different objects is no duplicate.
    assert_eq!(read(br#"{"a":{"a":1},"b":{"a":1}}"#), Ok(()));
}

#[test]
fn nesting_and_members_are_limited() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert_eq!(read(nested(MAX_DEPTH).as_bytes()), Ok(()));
    let too_deep = Err(JsonError::TooDeep { limit: MAX_DEPTH });
    assert_eq!(read(nested(MAX_DEPTH + 1).as_bytes()), too_deep);
    assert_eq!(read(nested(100_000).as_bytes()), too_deep);
    assert_eq!(read("{\"a\":".repeat(100_000).as_bytes()), too_deep);

    let wide = |members: usize| {
        let list: Vec<String> = (0..members).map(|i| format!("\"m{i}\":0")).collect();
        format!("{{{}}}", list.join(","))
    };
    assert_eq!(read(wide(MAX_MEMBERS).as_bytes()), Ok(()));
    let too_many = Err(JsonError::TooManyMembers { limit: MAX_MEMBERS });
    assert_eq!(read(wide(MAX_MEMBERS + 1).as_bytes()), too_many);
}

#[test]
fn what_is_not_one_utf8_object_is_refused_with_its_reason() {
    assert_eq!(read(b"\xef\xbb\xbf{}"), Err(JsonError::ByteOrderMark));
    assert_eq!(read(b"{\"a\":\"\xff\"}"), Err(JsonError::NotUtf8));
    assert_eq!(read(b"{\"a\":\"\xed\xa0\x80\"}"), Err(JsonError::NotUtf8));
    assert_eq!(read(b"{} x"), Err(JsonError::TrailingData { position: 3 }));
    assert_eq!(read(b"{}{}"), Err(JsonError::TrailingData { position: 2 }));
    for scalar in ["[]", "1", "null", "\"{}\""] {
        assert_eq!(read(scalar.as_bytes()), Err(JsonError::NotAnObject), "{scalar}");
    }
    for half in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00"}"#, r#"{"a":"\ud800\u0041"}"#, r#"{"\ud800x":1}"#] {
        assert!(matches!(read(half.as_bytes()), Err(JsonError::LoneSurrogate { .. })), "{half}");
    }
}

#[test]
fn broken_grammar_is_refused() {
    for text in [
        "",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":0x1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u00g0\"}",
        "{\"a\":\"\\u00",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":1}/**/ ",
        "{\"a\":\u{a0}1}",
    ] {
        let refused = read(text.as_bytes());
        assert!(
            matches!(refused, Err(JsonError::Syntax { .. } | JsonError::TrailingData { .. })),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn numbers_without_a_finite_value_are_refused() {
    for text in ["1e400", "-1E+999"] {
        let json = format!("{{\"a\":{text}}}");
        assert_eq!(read(json.as_bytes()), Err(JsonError::NumberRange { position: 5 }));
    }
    let long = format!("{{\"a\":{}}}", "9".repeat(400));
    assert_eq!(read(long.as_bytes()), Err(JsonError::NumberRange { position: 5 }));
}

#[test]
fn dates_are_non_negative_numbers_up_to_2_53() {
    assert_eq!(date("0"), Ok(0));
    assert_eq!(date("1800000000"), Ok(1_800_000_000));
    assert_eq!(date("1800000000.999"), Ok(1_800_000_000));
    assert_eq!(date("1.8e9"), Ok(1_800_000_000));
    assert_eq!(date("9007199254740992"), Ok(1 << 53));
    for wrong in ["9007199254740993", "18446744073709551616", "1e300", "-1", "-0", "-0.5"] {
        assert_eq!(date(wrong), Err(DateProblem::OutOfRange), "{wrong}");
    }
    for wrong in ["\"1800000000\"", "true", "null", "[1]", "{}"] {
        assert_eq!(date(wrong), Err(DateProblem::NotANumber), "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn what_is_accepted_is_json_for_other_readers_too(text in r#"\{("[ab\\u0061"]{0,6}|[0-9.eE+\-\[\]{}:,"\\ ]){0,24}\}"#) {
        if read(text.as_bytes()).is_ok() {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert!(parsed.is_ok(), "{text}: {parsed:?}");
        }
    }
}
