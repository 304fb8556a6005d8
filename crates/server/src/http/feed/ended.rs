//! Why a follower's connection ends.

use misario_core::changes::CodecError;

use crate::error::Error;
use crate::instance::FollowerFault;

/// Why a follower's connection ends. It is told by its code and comes back by itself; meanwhile its lease runs out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedEnded {
    /// It went away.
    #[error("the connection broke")]
    Lost,
    /// It said nothing for longer than a lease lasts.
    #[error("nothing was heard")]
    Silent,
    /// It does not read what it is sent.
    #[error("it does not read")]
    Slow,
    /// The entries that it still needs are gone from the log.
    #[error("it is too far behind")]
    Behind,
    /// The authority stops.
    #[error("the authority stops")]
    Stopping,
    /// Its client was revoked, disabled, or lost the right.
    #[error("its client may not follow any more")]
    ClientRevoked,
    /// It follows other rules.
    #[error("it speaks feed version {found}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It sent a frame where none of its kind may come, or a text.
    #[error("it sent a frame where it may not")]
    Unexpected,
    /// It sent what is no frame.
    #[error("it sent what is no frame: {0}")]
    Malformed(#[source] CodecError),
    /// Its question cannot be read.
    #[error("its question is malformed")]
    Question,
    /// It says to have applied what it was never sent.
    #[error("it acknowledged what it was not sent")]
    Unsent,
    /// It starts again under another id all the time.
    #[error("it renews the leases of too many replicas")]
    Ids,
    /// Its renewal or farewell is not taken.
    #[error(transparent)]
    Refused(#[from] FollowerFault),
    /// What it needs cannot be read or written.
    #[error(transparent)]
    Authority(#[from] Error),
}

impl FeedEnded {
    /// Code and meaning of each reason of its own, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("follower_lost", "The connection broke."),
        ("follower_silent", "A follower said nothing for longer than a lease lasts."),
        ("follower_slow", "A follower does not read what it is sent; it holds up nobody but itself."),
        ("follower_behind", "The entries that a follower needs are gone from the log; it starts from a snapshot."),
        ("server_stopping", "The server stops."),
        ("follower_client_revoked", "The follower's client was disabled or revoked, or lost the right `feed`."),
        ("follower_version", "A follower speaks another feed version; update the older of the two."),
        ("follower_unexpected", "A follower sent a frame where it may not."),
        ("follower_malformed", "A follower sent octets that are no frame."),
        ("follower_question", "A follower's question is malformed."),
        ("follower_unsent", "A follower acknowledged changes that it was never sent."),
        ("follower_ids", "One connection renews the leases of too many replicas."),
        ("follower_too_many", "One client has as many replicas as it may; give each app a client of its own."),
        ("follower_of_another_client", "A follower speaks for the replica of another client."),
    ];

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lost => "follower_lost",
            Self::Silent => "follower_silent",
            Self::Slow => "follower_slow",
            Self::Behind => "follower_behind",
            Self::Stopping => "server_stopping",
            Self::ClientRevoked => "follower_client_revoked",
            Self::Version { .. } => "follower_version",
            Self::Unexpected => "follower_unexpected",
            Self::Malformed(_) => "follower_malformed",
            Self::Question => "follower_question",
            Self::Unsent => "follower_unsent",
            Self::Ids => "follower_ids",
            Self::Refused(FollowerFault::OtherClient) => "follower_of_another_client",
            Self::Refused(FollowerFault::TooMany { .. }) => "follower_too_many",
            Self::Refused(FollowerFault::NotGranted(error)) => error.code(),
            Self::Authority(error) => error.code(),
        }
    }
}
