//! What stored changes and feed frames have in common: one version octet, one CBOR item, nothing after it, and a limit.
//!
//! The version octet is read before anything else, so that a later form is reported as that and not as damage. Within
//! a version, fields may be added: a reader skips those that it does not know.

use minicbor::decode::{Decode, Decoder};
use minicbor::encode::Encode;

use crate::id::InvalidName;

/// Octets are not what this version of misario stores or sends, or would have to be more than it may.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// It is larger than anybody has to take.
    #[error("{size} octets are more than the limit of {limit}")]
    TooLarge {
        /// The size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It was written by a later version.
    #[error("format {found} is not known here, only {known}; use a newer misario")]
    Version {
        /// The version octet found.
        found: u8,
        /// The version known.
        known: u8,
    },
    /// The form is known, but not this kind of thing. Whoever cannot read a change must not go on as if it were not
    /// there: a replica drops its lease.
    #[error("this kind of change or frame is not known here; use a newer misario")]
    UnknownKind,
    /// It is damaged.
    #[error("the octets are damaged: {source}")]
    Malformed {
        /// What the reader said.
        #[source]
        source: minicbor::decode::Error,
    },
    /// It is complete, and more follows.
    #[error("{excess} octets follow the end")]
    Trailing {
        /// How many.
        excess: usize,
    },
    /// A name in it is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The app in it cannot be read or written.
    #[error("the app is damaged: {source}")]
    App {
        /// What the reader said.
        #[from]
        source: serde_json::Error,
    },
}

impl CodecError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        (
            "codec_too_large",
            "A change or a feed frame is larger than its limit; make the app's settings or the key set smaller.",
        ),
        ("codec_version", "A change or a feed frame was written by a newer misario; update this process."),
        ("codec_unknown_kind", "A kind of change or feed frame is not known to this version; update this process."),
        ("codec_malformed", "A stored change or a feed frame is damaged."),
        ("codec_trailing", "A stored change or a feed frame is longer than what it holds."),
        ("codec_name_invalid", "A name in a stored change or a feed frame is malformed."),
        ("codec_app_invalid", "An app in a stored change or a feed frame cannot be read."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "codec_too_large",
            Self::Version { .. } => "codec_version",
            Self::UnknownKind => "codec_unknown_kind",
            Self::Malformed { .. } => "codec_malformed",
            Self::Trailing { .. } => "codec_trailing",
            Self::Name(_) => "codec_name_invalid",
            Self::App { .. } => "codec_app_invalid",
        }
    }
}

impl From<minicbor::decode::Error> for CodecError {
    fn from(source: minicbor::decode::Error) -> Self {
        if source.is_unknown_variant() { Self::UnknownKind } else { Self::Malformed { source } }
    }
}

/// The version octet and `content`, if they fit into `limit` octets.
pub(super) fn close<T: Encode<()>>(version: u8, content: &T, limit: usize) -> Result<Vec<u8>, CodecError> {
    let mut octets = vec![version];
    // A Vec takes everything; the derived encoders have no error of their own.
    minicbor::encode(content, &mut octets)
        .map_err(|error| CodecError::Malformed { source: minicbor::decode::Error::message(error) })?;
    check_size(octets.len(), limit)?;
    Ok(octets)
}

/// The content of `octets`, which must be of `version` and at most `limit` long.
pub(super) fn open<'b, T: Decode<'b, ()>>(version: u8, octets: &'b [u8], limit: usize) -> Result<T, CodecError> {
    check_size(octets.len(), limit)?;
    let (&found, content) = octets
        .split_first()
        .ok_or_else(|| CodecError::Malformed { source: minicbor::decode::Error::end_of_input() })?;
    if found != version {
        return Err(CodecError::Version { found, known: version });
    }
    let mut decoder = Decoder::new(content);
    let value = decoder.decode()?;
    match content.len() - decoder.position() {
        0 => Ok(value),
        excess => Err(CodecError::Trailing { excess }),
    }
}

const fn check_size(size: usize, limit: usize) -> Result<(), CodecError> {
    if size > limit { Err(CodecError::TooLarge { size, limit }) } else { Ok(()) }
}
