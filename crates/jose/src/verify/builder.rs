//! The decisions a verifier needs, with the two that must not be forgotten in the type.

use std::marker::PhantomData;

use crate::{Algorithm, Verifier};

use super::{ClaimRules, Expectation, Rules};

/// State of a decision that has not been made.
#[derive(Debug, Clone, Copy)]
pub enum Missing {}

/// State of a decision that has been made.
#[derive(Debug, Clone, Copy)]
pub enum Given {}

/// A verifier in the making. `build` exists once issuer and audience are given, or given up by name.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifierBuilder<Issuer, Audience> {
    algorithms: Vec<Algorithm>,
    typ: Expectation,
    claims: ClaimRules,
    judge_claims: bool,
    state: PhantomData<(Issuer, Audience)>,
}

impl VerifierBuilder<Missing, Missing> {
    pub(super) fn new() -> Self {
        Self {
            algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
            typ: Expectation::Exactly("at+jwt".into()),
            claims: ClaimRules {
                issuer: Expectation::Anything,
                audience: Expectation::Anything,
                former_audiences: Vec::new(),
                leeway: 0,
                max_ttl: None,
                required: Vec::new(),
            },
            judge_claims: true,
            state: PhantomData,
        }
    }
}

impl<A> VerifierBuilder<Missing, A> {
    /// Tokens have to name this issuer, character by character.
    pub fn issuer(mut self, issuer: &str) -> VerifierBuilder<Given, A> {
        self.claims.issuer = Expectation::Exactly(issuer.into());
        self.enter()
    }

    /// Tokens may name any issuer or none.
    ///
    /// # Security
    /// Whoever holds one of the keys can speak for every issuer.
    pub fn dangerous_any_issuer(self) -> VerifierBuilder<Given, A> {
        self.enter()
    }
}

impl<I> VerifierBuilder<I, Missing> {
    /// Tokens have to name this audience, alone or among others.
    pub fn audience(mut self, audience: &str) -> VerifierBuilder<I, Given> {
        self.claims.audience = Expectation::Exactly(audience.into());
        self.enter()
    }

    /// Tokens may be meant for anybody.
    ///
    /// # Security
    /// A token that a user gave to another service can be replayed here.
    pub fn dangerous_any_audience(self) -> VerifierBuilder<I, Given> {
        self.enter()
    }
}

impl<I> VerifierBuilder<I, Given> {
    /// Tokens may also name one of these, which the audience was called when they were issued.
    pub fn former_audiences(mut self, audiences: &[String]) -> Self {
        self.claims.former_audiences = audiences.iter().map(|audience| audience.as_str().into()).collect();
        self
    }
}

impl<I, A> VerifierBuilder<I, A> {
    /// Tokens have to be of this kind; without this, of the kind `at+jwt` (RFC 9068 §4).
    pub fn typ(mut self, typ: &str) -> Self {
        self.typ = Expectation::Exactly(typ.into());
        self
    }

    /// Tokens may be of any kind.
    ///
    /// # Security
    /// An ID token, a logout token or a refresh token of the same issuer can be shown as an access token
    /// (RFC 8725 §2.8).
    pub fn dangerous_any_typ(mut self) -> Self {
        self.typ = Expectation::Anything;
        self
    }

    /// Tokens have to be signed with one of these; without this, with ES256 or EdDSA.
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// Clocks may differ by this many seconds, at most [`Verifier::MAX_LEEWAY`]; what is above counts as that.
    pub fn leeway(mut self, secs: u64) -> Self {
        self.claims.leeway = secs.min(Verifier::MAX_LEEWAY);
        self
    }

    /// Tokens may live this many seconds at most; makes `iat` required.
    pub fn max_ttl(mut self, secs: u64) -> Self {
        self.claims.max_ttl = Some(secs);
        self
    }

    /// These claims have to be there and not be `null`.
    pub fn require(mut self, claims: &[&str]) -> Self {
        self.claims.required = claims.iter().map(|claim| (*claim).into()).collect();
        self
    }

    /// Only header, key and signature are judged; the payload may be anything.
    ///
    /// # Security
    /// Nothing that is accepted expires. For payloads that are not claims, and for looking at tokens.
    pub fn dangerous_without_claims(mut self) -> VerifierBuilder<Given, Given> {
        self.judge_claims = false;
        self.enter()
    }

    fn enter<J, B>(self) -> VerifierBuilder<J, B> {
        VerifierBuilder {
            algorithms: self.algorithms,
            typ: self.typ,
            claims: self.claims,
            judge_claims: self.judge_claims,
            state: PhantomData,
        }
    }
}

impl VerifierBuilder<Given, Given> {
    /// The verifier.
    pub fn build(self) -> Verifier {
        Verifier::new(Rules {
            algorithms: self.algorithms,
            typ: self.typ,
            claims: self.judge_claims.then_some(self.claims),
        })
    }
}
