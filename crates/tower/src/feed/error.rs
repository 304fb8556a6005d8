//! Why a connection to the feed ended or never began.

use misario_core::changes::{CodecError, SyncError};
use tokio_tungstenite::tungstenite;

/// Why a connection to the feed ended or never began. The replica comes back by itself; meanwhile its lease runs out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The authority cannot be reached, or the connection broke.
    #[error("the connection to the authority failed: {source}")]
    Connection {
        /// What the driver said.
        #[source]
        source: Box<tungstenite::Error>,
    },
    /// The authority refused the connection.
    #[error("the authority refused the feed with status {status}{}", hint(*status))]
    Refused {
        /// Its answer.
        status: u16,
    },
    /// The authority closed the connection without a word.
    #[error("the authority closed the feed")]
    Closed,
    /// The authority ended the feed.
    #[error("the authority ended the feed: {code}")]
    Bye {
        /// Why, as its stable code.
        code: String,
    },
    /// Nothing was heard for half a lease, though each renewal is answered; or no greeting came.
    #[error("nothing was heard from the authority for {millis} ms")]
    Silent {
        /// For how long.
        millis: u64,
    },
    /// The authority did not take what it was sent.
    #[error("the authority did not read for {millis} ms")]
    Stuck {
        /// For how long.
        millis: u64,
    },
    /// The authority follows other rules.
    #[error("the authority speaks feed version {found}, this is {known}: update the older of the two")]
    Version {
        /// Its version.
        found: u32,
        /// The version known here.
        known: u32,
    },
    /// A frame came where none of its kind may.
    #[error("the authority sent {frame} where it may not")]
    Unexpected {
        /// Which.
        frame: &'static str,
    },
    /// It is not the authority, or not the keys, whose changes were followed so far: the view is worth nothing.
    #[error("the authority is another one than before, or has other keys: starting again")]
    Changed,
    /// A frame cannot be read or written.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Changes were missed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl FeedError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("feed_connection", "The authority cannot be reached, or the connection to it broke."),
        (
            "feed_refused",
            "The authority refused the feed; with 401 or 403, check client id, secret and the right `feed`.",
        ),
        ("feed_closed", "The authority closed the feed."),
        ("feed_ended", "The authority ended the feed and said why."),
        (
            "feed_silent",
            "The authority said nothing for half a lease, or did not greet in time; another connection follows.",
        ),
        ("feed_stuck", "The authority did not read what it was sent."),
        ("feed_version", "The authority speaks another version of the feed; update the older of the two."),
        ("feed_unexpected", "The authority sent a frame where it may not."),
        ("feed_changed", "The authority is another one than before, or has other keys; the replica starts again."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connection { .. } => "feed_connection",
            Self::Refused { .. } => "feed_refused",
            Self::Closed => "feed_closed",
            Self::Bye { .. } => "feed_ended",
            Self::Silent { .. } => "feed_silent",
            Self::Stuck { .. } => "feed_stuck",
            Self::Version { .. } => "feed_version",
            Self::Unexpected { .. } => "feed_unexpected",
            Self::Changed => "feed_changed",
            Self::Codec(error) => error.code(),
            Self::Sync(error) => error.code(),
        }
    }

    /// Whether the view is worth nothing any more, so that the next connection has to start from a snapshot.
    pub(crate) const fn wants_snapshot(&self) -> bool {
        matches!(self, Self::Changed | Self::Sync(_))
    }
}

/// What is to be done about a refusal, where it is about the client. Anything else (502, 503) goes away by itself.
const fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => ": check client id, secret and the right `feed`",
        _ => "",
    }
}

impl From<tungstenite::Error> for FeedError {
    fn from(source: tungstenite::Error) -> Self {
        match source {
            tungstenite::Error::Http(response) => Self::Refused { status: response.status().as_u16() },
            tungstenite::Error::ConnectionClosed => Self::Closed,
            source => Self::Connection { source: Box::new(source) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_client_names_the_client() {
        for (status, is_named) in [(401, true), (403, true), (404, false), (502, false), (503, false)] {
            let text = FeedError::Refused { status }.to_string();
            assert_eq!(text.contains("client id"), is_named, "{text}");
        }
    }

    #[test]
    fn the_codes_are_those_of_the_variants() {
        let own = [
            FeedError::Connection { source: Box::new(tungstenite::Error::AlreadyClosed) },
            FeedError::Refused { status: 401 },
            FeedError::Closed,
            FeedError::Bye { code: String::new() },
            FeedError::Silent { millis: 1 },
            FeedError::Stuck { millis: 1 },
            FeedError::Version { found: 2, known: 1 },
            FeedError::Unexpected { frame: "Welcome" },
            FeedError::Changed,
        ];
        let codes: Vec<_> = own.iter().map(FeedError::code).collect();
        assert_eq!(codes, FeedError::CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    }
}
