use proptest::prelude::*;

use super::*;
use crate::app::Mode;
use crate::changes::samples::{any_change, app, at, change, hex, revoked, sid, unhex};
use crate::changes::{ChangeKind, Target};

const ID: ReplicaId = ReplicaId::from_bytes([0xaa; 16]);
const NONCE: Nonce = Nonce::from_bytes([0xbb; 16]);

fn body(text: &str) -> Body {
    Body::new(text.as_bytes().to_vec())
}

fn web() -> AppId {
    AppId::new("web").unwrap()
}

fn used(generation: Option<Generation>) -> Use {
    Use { sid: sid(1), at: UnixTime::from_secs(100), generation }
}

fn replica_golden() -> Vec<(&'static str, ReplicaFrame)> {
    vec![
        ("018200820150aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ReplicaFrame::Hello { version: 1, id: ID, resume: None }),
        (
            "018200830150aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa820109",
            ReplicaFrame::Hello { version: 1, id: ID, resume: Some(at(9)) },
        ),
        (
            "0182018350aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa50bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb820109",
            ReplicaFrame::Renew { id: ID, nonce: NONCE, applied: at(9) },
        ),
        ("01820282034171", ReplicaFrame::Ask { request: 3, body: body("q") }),
        (
            "0182038263776562818250010101010101010101010101010101011864",
            ReplicaFrame::Seen { app: web(), uses: vec![used(None)] },
        ),
        (
            "018203826377656281835001010101010101010101010101010101186407",
            ReplicaFrame::Seen { app: web(), uses: vec![used(Some(Generation(7)))] },
        ),
        ("0182048150aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ReplicaFrame::Leave { id: ID }),
    ]
}

fn parent_golden() -> Vec<(&'static str, ParentFrame)> {
    let key = || vec![ReplicaKey::import(4, &[0xcc; 32])];
    let entry = || vec![revoked(2, Target::Everything)];
    let issuer = "https://a.example".to_owned();
    vec![
        (
            "01820084011907d07168747470733a2f2f612e6578616d706c65183c",
            ParentFrame::Welcome { version: 1, ttl_ms: 2_000, issuer, leeway_secs: 60 },
        ),
        (
            "018201818182045820cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
            ParentFrame::Keys { replica_keys: key() },
        ),
        (
            "018202848201028150018482010218661903e88200818206808182045820ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccf4",
            ParentFrame::Snapshot { position: at(2), changes: entry(), replica_keys: key(), more: false },
        ),
        ("018203828201018150018482010218661903e8820081820680", ParentFrame::Changes { after: at(1), entries: entry() }),
        (
            "0182048350bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb1907d0820102",
            ParentFrame::Grant { nonce: NONCE, ttl_ms: 2_000, head: at(2) },
        ),
        ("01820582034161", ParentFrame::Answer { request: 3, body: body("a") }),
        ("0182068167636c6f73696e67", ParentFrame::Bye { code: "closing".to_owned() }),
    ]
}

#[test]
fn the_format_of_each_frame_of_a_replica_stands() {
    for (octets, frame) in replica_golden() {
        assert_eq!(hex(&frame.encode().unwrap()), octets, "{frame:?}");
        assert_eq!(ReplicaFrame::decode(&unhex(octets)).unwrap(), frame);
    }
}

#[test]
fn the_format_of_each_frame_of_a_parent_stands() {
    for (octets, frame) in parent_golden() {
        assert_eq!(hex(&frame.encode().unwrap()), octets, "{frame:?}");
        // Keys are not comparable; their octets are.
        assert_eq!(hex(&ParentFrame::decode(&unhex(octets)).unwrap().encode().unwrap()), octets);
    }
}

#[test]
fn unknown_fields_are_skipped_and_unknown_frames_are_errors() {
    let id = "50".to_owned() + &"aa".repeat(16);
    let later = unhex(&format!("018204 82 {id} 6161").replace(' ', ""));
    assert_eq!(ReplicaFrame::decode(&later).unwrap(), ReplicaFrame::Leave { id: ID });
    assert_eq!(ReplicaFrame::decode(&unhex("0182186380")).unwrap_err().code(), "codec_unknown_kind");
    assert_eq!(ParentFrame::decode(&unhex("0182186380")).unwrap_err().code(), "codec_unknown_kind");
    assert_eq!(ParentFrame::decode(&unhex("0282186380")).unwrap_err().code(), "codec_version");
}

#[test]
fn a_change_of_an_unknown_kind_makes_its_frame_an_error() {
    // [3, [[1, 1], [octets of a change of kind 99]]]
    let entry = "01848201020000821863 80".replace(' ', "");
    let frame = format!("018203828201018 1{:02x}{entry}", 0x40 + entry.len() / 2).replace(' ', "");
    assert_eq!(ParentFrame::decode(&unhex(&frame)).unwrap_err().code(), "codec_unknown_kind");
}

#[test]
fn a_frame_has_a_largest_size_both_ways() {
    let frame = ReplicaFrame::Ask { request: 1, body: Body::new(vec![0; MAX_FRAME]) };
    assert_eq!(frame.encode().unwrap_err().code(), "codec_too_large");
    assert_eq!(ParentFrame::decode(&vec![1; MAX_FRAME + 1]).unwrap_err().code(), "codec_too_large");
}

#[test]
fn secrets_in_a_frame_do_not_print() {
    let frame = ReplicaFrame::Ask { request: 1, body: body("canary") };
    assert!(!format!("{frame:?}").contains("canary"));
    let octets = format!("{:?}", [0xcc_u8; 32]);
    let keys = ParentFrame::Keys { replica_keys: vec![ReplicaKey::import(1, &[0xcc; 32])] };
    assert!(!format!("{keys:?}").contains(octets.trim_matches(['[', ']'])));
}

/// Changes that take `count` × 100 KiB.
fn large(count: u64) -> Vec<Change> {
    (1..=count).map(|n| change(n, ChangeKind::KeysChanged { jwks: "k".repeat(100 * 1024) })).collect()
}

#[test]
fn changes_that_fill_several_frames_follow_on_each_other() {
    let sent = large(30);
    let frames = ParentFrame::changes(at(0), &sent).unwrap();
    assert!(frames.len() > 1);
    let mut got: Vec<Change> = Vec::new();
    for octets in frames {
        let ParentFrame::Changes { after, entries } = ParentFrame::decode(&octets).unwrap() else { panic!("other") };
        assert_eq!(after, got.last().map_or(at(0), |last| last.position));
        got.extend(entries);
    }
    assert_eq!(got, sent);
    assert!(ParentFrame::changes(at(0), &[]).unwrap().is_empty());
}

#[test]
fn a_snapshot_of_several_frames_ends_with_its_keys() {
    let sent = [large(12), vec![change(13, ChangeKind::AppChanged { app: Box::new(app("web", Mode::Jwt)) })]].concat();
    for sent in [sent.as_slice(), &[]] {
        let frames = ParentFrame::snapshot(at(20), sent, &[ReplicaKey::import(1, &[1; 32])]).unwrap();
        let mut got: Vec<Change> = Vec::new();
        for (n, octets) in frames.iter().enumerate() {
            let frame = ParentFrame::decode(octets).unwrap();
            let ParentFrame::Snapshot { position, changes, replica_keys, more } = frame else { panic!("other") };
            assert_eq!(position, at(20));
            assert_eq!((more, replica_keys.len()), if n + 1 < frames.len() { (true, 0) } else { (false, 1) });
            got.extend(changes);
        }
        assert_eq!(got, sent);
    }
}

proptest! {
    #[test]
    fn frames_survive_their_octets(
        entries in proptest::collection::vec(any_change(), 0..8), numbers in any::<(u64, u32, [u8; 16])>(), more in any::<bool>(),
    ) {
        let (number, version, bytes) = numbers;
        let position = Position::new(crate::changes::Epoch(version), number);
        let frame = ReplicaFrame::Renew { id: ReplicaId::from_bytes(bytes), nonce: Nonce::from_bytes(bytes), applied: position };
        prop_assert_eq!(ReplicaFrame::decode(&frame.encode().unwrap()).unwrap(), frame);
        let generation = (version > 0).then_some(Generation(version));
        let used = Use { sid: SessionId::from_bytes(bytes), at: UnixTime::from_secs(number), generation };
        let uses = vec![used; usize::from(bytes[0])];
        let frame = ReplicaFrame::Seen { app: web(), uses };
        prop_assert_eq!(ReplicaFrame::decode(&frame.encode().unwrap()).unwrap(), frame);
        let frame = ParentFrame::Snapshot { position, changes: entries.clone(), replica_keys: vec![], more };
        let ParentFrame::Snapshot { changes, .. } = ParentFrame::decode(&frame.encode().unwrap()).unwrap() else {
            return Err(TestCaseError::fail("another frame"));
        };
        prop_assert_eq!(changes, entries);
    }

    #[test]
    fn no_octets_make_a_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..300), kind in 0u8..9) {
        for octets in [octets.clone(), [&[1, 0x82, kind][..], &octets].concat()] {
            let _ = ReplicaFrame::decode(&octets);
            let _ = ParentFrame::decode(&octets);
        }
    }
}
