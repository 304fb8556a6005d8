//! Feed frames and stored changes: no input panics, and what is read is written so that it is read alike again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use misario_core::changes::{
    codec::{decode_change, decode_kind, encode_change, encode_kind},
    frame::{ParentFrame, ReplicaFrame},
};

// The first octet chooses the reader.
fuzz_target!(|input: &[u8]| {
    let Some((reader, octets)) = input.split_first() else {
        return;
    };
    match reader % 4 {
        0 => {
            if let Ok(change) = decode_change(octets) {
                let written = encode_change(&change).expect("it was read");
                assert_eq!(decode_change(&written).expect("our own octets"), change);
            }
        }
        1 => {
            if let Ok(kind) = decode_kind(octets) {
                let written = encode_kind(&kind).expect("it was read");
                assert_eq!(decode_kind(&written).expect("our own octets"), kind);
            }
        }
        2 => {
            if let Ok(frame) = ReplicaFrame::decode(octets) {
                let written = frame.encode().expect("it was read");
                assert_eq!(ReplicaFrame::decode(&written).expect("our own octets"), frame);
            }
        }
        _ => {
            // A frame to a replica may hold keys and is never compared; its second writing must equal the first.
            if let Ok(frame) = ParentFrame::decode(octets) {
                let written = frame.encode().expect("it was read");
                let again = ParentFrame::decode(&written).expect("our own octets");
                assert_eq!(again.encode().expect("it was read"), written);
            }
        }
    }
});
