//! Base64url as JOSE uses it: no padding, no line breaks, one text form per value (RFC 7515 §2, Appendix C).
//!
//! Decoding refuses padding, white space, other alphabets and non-zero unused bits. Were those accepted, one token
//! would have several spellings, and whatever is keyed by the text of a token could be side-stepped.

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

/// The base64url text of `bytes`, without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends the base64url text of `bytes` to `out`.
pub fn encode_append(bytes: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, out);
}

/// The bytes that `text` stands for, or `None` when it is not the canonical text of any.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decode_into(text, &mut bytes).then_some(bytes)
}

/// Replaces the content of `out` by the bytes that `text` stands for; `false`, with `out` empty, when it is not the
/// canonical text of any. Allocates only when `out` is too small.
pub fn decode_into(text: &str, out: &mut Vec<u8>) -> bool {
    out.clear();
    let Ok(len) = URL_SAFE_NO_PAD.decoded_length(text.as_bytes()) else {
        return false;
    };
    out.resize(len, 0);
    let decoded = URL_SAFE_NO_PAD.decode(text.as_bytes(), out.as_mut_slice().as_out()).is_ok();
    if !decoded {
        out.clear();
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn every_length_round_trips() {
        for len in 0..70u8 {
            let bytes: Vec<u8> = (0..len).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
            assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn a_value_has_exactly_one_text() {
        // RFC 4648 §10: "f" is "Zg"; the other fifteen spellings set the four unused bits.
        let accepted: Vec<String> = (b'!'..=b'~')
            .map(|c| format!("Z{}", char::from(c)))
            .filter(|t| decode(t).as_deref() == Some(b"f"))
            .collect();
        assert_eq!(accepted, ["Zg"]);
        for wrong in ["Zg==", "Zg=", "Z", "Zg ", " Zg", "Zg\n", "+/+/", "Zm9vY", "Zm\u{e9}"] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
        assert_eq!(decode("-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
        assert_eq!(decode(""), Some(vec![]));
    }
}
