use proptest::prelude::*;

use super::*;
use crate::app::Mode;
use crate::changes::samples::{any_change, app, at, change, hex, sid, subject, unhex};

/// The octets of each kind, which every later version has to read and this version has to write.
fn golden() -> Vec<(&'static str, ChangeKind)> {
    let revoked = |target| ChangeKind::Revoked { target, before: None };
    vec![
        ("01820081820081656a74692d31", revoked(Target::Token("jti-1".to_owned()))),
        ("0182008182018150abababababababababababababababab", revoked(Target::Login(sid(0xab)))),
        (
            "01820082820281627531820119012c",
            ChangeKind::Revoked { target: Target::User(subject("u1")), before: Some(at(300)) },
        ),
        ("0182008182038163776562", revoked(Target::App(AppId::new("web").unwrap()))),
        ("01820081820481626369", revoked(Target::Client(ClientId::new("ci").unwrap()))),
        ("01820081820581626b31", revoked(Target::Key("k1".to_owned()))),
        ("01820081820680", revoked(Target::Everything)),
        ("01820181627531", ChangeKind::SubjectChanged { subject: subject("u1"), before: None }),
        ("018202815001010101010101010101010101010101", ChangeKind::SessionChanged { sid: sid(1) }),
        ("018203816b7b226b657973223a5b5d7d", ChangeKind::KeysChanged { jwks: r#"{"keys":[]}"#.to_owned() }),
    ]
}

#[test]
fn the_format_of_each_kind_stands() {
    for (octets, kind) in golden() {
        assert_eq!(hex(&encode_kind(&kind).unwrap()), octets, "{kind:?}");
        assert_eq!(decode_kind(&unhex(octets)).unwrap(), kind);
    }
}

#[test]
fn the_format_of_an_app_is_its_json() {
    let app = app("web", Mode::Hybrid);
    let json = serde_json::to_string(&app).unwrap();
    let octets = encode_kind(&ChangeKind::AppChanged { app: Box::new(app) }).unwrap();
    assert_eq!(hex(&octets[..4]), "01820481", "version, [kind, [json]]");
    assert!(octets.ends_with(json.as_bytes()));
}

#[test]
fn an_app_written_before_fields_were_added_is_read() {
    let json = r#"{"id":"web","mode":"jwt","transports":["bearer"],"audience":"a","lifetimes":{"access":900,"idle":1800,"absolute":43200,"renew_window":60,"reuse_interval":10},"cookies":{"access":"a","refresh":"r"},"signing_alg":"ES256"}"#;
    let octets = envelope::close(VERSION, &KindForm::AppChanged { app: json }, MAX_CHANGE).unwrap();
    let ChangeKind::AppChanged { app } = decode_kind(&octets).unwrap() else { panic!("another kind") };
    assert_eq!((app.mode, app.contract), (Mode::Jwt, 1));
}

#[test]
fn the_format_of_a_change_stands() {
    let change = change(7, ChangeKind::SessionChanged { sid: sid(1) });
    let octets = "0184820107186b1903e88202815001010101010101010101010101010101";
    assert_eq!(hex(&encode_change(&change).unwrap()), octets);
    assert_eq!(decode_change(&unhex(octets)).unwrap(), change);
}

#[test]
fn unknown_fields_are_skipped() {
    // [1, [subject, before, something later, {"x": [1, 2]}]]
    let octets = unhex("0182018462753163f60000".replace("63f60000", "f607a161788201").as_str());
    assert!(decode_kind(&octets).is_err(), "the list says 2 and holds 1");
    let octets = unhex("018201846275 31f607a16178820102".replace(' ', "").as_str());
    assert_eq!(decode_kind(&octets).unwrap(), ChangeKind::SubjectChanged { subject: subject("u1"), before: None });
}

#[test]
fn what_is_not_known_is_an_error_and_says_which() {
    let code = |octets: &str| decode_kind(&unhex(octets)).unwrap_err().code();
    assert_eq!(code("02820681f6"), "codec_version");
    assert_eq!(code("01821863 81f6".replace(' ', "").as_str()), "codec_unknown_kind");
    assert_eq!(code("0182008282186380f6"), "codec_unknown_kind", "a target of kind 99");
    assert_eq!(code(""), "codec_malformed");
    assert_eq!(code("01"), "codec_malformed");
    assert_eq!(code("01820282820680f6"), "codec_malformed", "a session id that is a list");
    assert_eq!(code("0182008282068 0f600".replace(' ', "").as_str()), "codec_trailing");
}

#[test]
fn names_are_checked_when_they_are_read() {
    let octets = encode_kind(&ChangeKind::Revoked { target: Target::App(AppId::new("web").unwrap()), before: None });
    let mut octets = octets.unwrap();
    let place = octets.iter().position(|octet| *octet == b'w').unwrap();
    octets[place] = b'W';
    assert_eq!(decode_kind(&octets).unwrap_err().code(), "codec_name_invalid");
    let app = envelope::close(VERSION, &KindForm::AppChanged { app: "{}" }, MAX_CHANGE).unwrap();
    assert_eq!(decode_kind(&app).unwrap_err().code(), "codec_app_invalid");
}

#[test]
fn a_change_has_a_largest_size_both_ways() {
    let kind = ChangeKind::KeysChanged { jwks: "x".repeat(MAX_CHANGE) };
    assert_eq!(encode_kind(&kind).unwrap_err().code(), "codec_too_large");
    assert_eq!(decode_kind(&vec![1; MAX_CHANGE + 1]).unwrap_err().code(), "codec_too_large");
}

#[test]
fn every_error_has_its_code_documented_once() {
    let codes: Vec<_> = CodecError::CODES.iter().map(|(code, _)| *code).collect();
    let errors = [
        CodecError::TooLarge { size: 2, limit: 1 },
        CodecError::Version { found: 2, known: 1 },
        CodecError::UnknownKind,
        minicbor::decode::Error::end_of_input().into(),
        CodecError::Trailing { excess: 1 },
        AppId::new("").unwrap_err().into(),
        serde_json::from_str::<u8>("").unwrap_err().into(),
    ];
    assert_eq!(errors.map(|error: CodecError| error.code()).as_slice(), codes);
}

proptest! {
    #[test]
    fn a_change_survives_its_octets(change in any_change()) {
        let octets = encode_change(&change).unwrap();
        prop_assert_eq!(decode_change(&octets).unwrap(), change.clone());
        prop_assert_eq!(decode_kind(&encode_kind(&change.kind).unwrap()).unwrap(), change.kind);
    }

    #[test]
    fn no_octets_make_a_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..200), version in 0u8..2) {
        let octets = [&[version][..], &octets].concat();
        // What is read in spite of being noise can be written again.
        if let Ok(kind) = decode_kind(&octets) {
            prop_assert!(encode_kind(&kind).is_ok());
        }
        if let Ok(change) = decode_change(&octets) {
            prop_assert!(encode_change(&change).is_ok());
        }
    }

    #[test]
    fn a_damaged_change_does_not_make_a_reader_panic(
        change in any_change(), place in any::<prop::sample::Index>(), octet in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut octets = encode_change(&change).unwrap();
        let cut = cut.index(octets.len());
        prop_assert!(decode_change(&octets[..cut]).is_err(), "a part is never a whole");
        let place = place.index(octets.len());
        octets[place] = octet;
        let _ = decode_change(&octets);
    }
}
