//! What a verifier was told to expect.

use crate::Algorithm;

/// A value that has to be met exactly, or one that is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expectation {
    Exactly(Box<str>),
    Anything,
}

impl Expectation {
    /// The value that has to be met, if one has to.
    pub(crate) fn exactly(&self) -> Option<&str> {
        match self {
            Self::Exactly(value) => Some(value),
            Self::Anything => None,
        }
    }
}

/// Everything a token is held against.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) typ: Expectation,
    /// `None` when the payload is not looked at.
    pub(crate) claims: Option<ClaimRules>,
}

/// Everything the claims are held against.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRules {
    pub(crate) issuer: Expectation,
    pub(crate) audience: Expectation,
    /// What the audience was called before.
    pub(crate) former_audiences: Vec<Box<str>>,
    pub(crate) leeway: u64,
    pub(crate) max_ttl: Option<u64>,
    pub(crate) required: Vec<Box<str>>,
}
