//! Verification of tokens, in the order that is security.
//!
//! Size, shape, header, allowed algorithm, key, signature: only then is the payload looked at. The algorithm comes
//! from the expectation, never from the token alone, and the key has to be for exactly that algorithm. The last check
//! is the expiry, so that `jwt_expired` says that nothing else was wrong.
//!
//! What a deployment can break: leeway hides clocks that go wrong; the `dangerous_…` settings take checks away.

mod builder;
mod checks;
mod expectation;
mod scratch;
mod verified;

pub use builder::{Given, Missing, VerifierBuilder};
pub(crate) use checks::{CLAIM_CHECKS, Expiry};
pub(crate) use expectation::{ClaimRules, Expectation, Rules};
pub use scratch::Scratch;
pub use verified::VerifiedJwt;

use crate::claims::Claims;
use crate::error::Part;
use crate::header::{Header, same_typ};
use crate::json::{Index, Object};
use crate::{Algorithm, Jws, JwtError, KeySet, UnixTime, VerifyingKey};

/// What tokens have to be. It holds no keys and no state, and is shared freely.
#[derive(Debug, Clone)]
pub struct Verifier {
    rules: Rules,
}

impl Verifier {
    /// The largest leeway that can be set, in seconds.
    pub const MAX_LEEWAY: u64 = 300;

    /// The start of a verifier; issuer and audience have to be said before it can be built.
    pub fn builder() -> VerifierBuilder<Missing, Missing> {
        VerifierBuilder::new()
    }

    pub(crate) const fn new(rules: Rules) -> Self {
        Self { rules }
    }

    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The verified token, held in `scratch`.
    ///
    /// # Errors
    /// The first check that fails, by its `jwt_…` code; then nothing of the token may be used.
    pub fn verify<'s>(
        &self,
        token: &str,
        keys: &KeySet,
        now: UnixTime,
        scratch: &'s mut Scratch,
    ) -> Result<VerifiedJwt<'s>, JwtError> {
        self.run(token, keys, Expiry::strict(now), scratch)
    }

    /// As [`verify`](Self::verify), but a token counts that has been expired for less than `window_secs`.
    ///
    /// # Security
    /// For renewals that read the login's state anyway; never a reason to let a request pass.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_ignoring_expiry_until<'s>(
        &self,
        token: &str,
        keys: &KeySet,
        now: UnixTime,
        window_secs: u64,
        scratch: &'s mut Scratch,
    ) -> Result<VerifiedJwt<'s>, JwtError> {
        self.run(token, keys, Expiry::within(now, window_secs), scratch)
    }

    fn run<'s>(
        &self,
        token: &str,
        keys: &KeySet,
        expiry: Expiry,
        scratch: &'s mut Scratch,
    ) -> Result<VerifiedJwt<'s>, JwtError> {
        let jws = Jws::parse(token)?;
        let header = read_header(&jws, &mut scratch.header, &mut scratch.header_index)?;
        let algorithm = self.check_algorithm(&header)?;
        let key = keys.find(algorithm, header.kid())?;
        check_signature(&jws, key, &mut scratch.signature)?;
        self.check_typ(&header)?;
        scratch.kid.clear();
        scratch.kid.push_str(key.kid().map_or("", |kid| kid.as_str()));
        jws.decode(Part::Claims, &mut scratch.payload)?;
        let kid = key.kid().map(|_| scratch.kid.as_str());
        let Some(rules) = &self.rules.claims else {
            return Ok(VerifiedJwt::without_claims(algorithm, kid, &scratch.payload));
        };
        let claims = read_claims(&scratch.payload, &mut scratch.claims_index)?;
        for (_, check) in CLAIM_CHECKS {
            check(rules, &claims, expiry)?;
        }
        VerifiedJwt::new(algorithm, kid, claims)
    }

    /// The header's algorithm, if it is one of those expected.
    pub(crate) fn check_algorithm(&self, header: &Header<'_>) -> Result<Algorithm, JwtError> {
        let algorithm = header.algorithm()?;
        if self.rules.algorithms.contains(&algorithm) {
            Ok(algorithm)
        } else {
            Err(JwtError::AlgorithmNotAllowed { algorithm })
        }
    }

    /// Refuses a token of another kind.
    pub(crate) fn check_typ(&self, header: &Header<'_>) -> Result<(), JwtError> {
        let Expectation::Exactly(expected) = &self.rules.typ else {
            return Ok(());
        };
        match header.typ() {
            None => Err(JwtError::TypMissing),
            Some(typ) if same_typ(typ, expected) => Ok(()),
            Some(_) => Err(JwtError::TypMismatch),
        }
    }
}

/// The header of a token, decoded into `buffer`.
pub(crate) fn read_header<'s>(
    jws: &Jws<'_>,
    buffer: &'s mut Vec<u8>,
    index: &'s mut Index,
) -> Result<Header<'s>, JwtError> {
    jws.decode(Part::Header, buffer)?;
    let object =
        Object::read(buffer, index).map_err(|problem| JwtError::MalformedJson { part: Part::Header, problem })?;
    Header::read(&object)
}

/// Refuses a signature that this key did not make over this token.
pub(crate) fn check_signature(jws: &Jws<'_>, key: &VerifyingKey, buffer: &mut Vec<u8>) -> Result<(), JwtError> {
    jws.decode(Part::Signature, buffer)?;
    let expected = key.algorithm().signature_len();
    if buffer.len() != expected {
        return Err(JwtError::SignatureLength { size: buffer.len(), expected });
    }
    if key.verify(jws.signing_input().as_bytes(), buffer) { Ok(()) } else { Err(JwtError::SignatureInvalid) }
}

/// The claims of a decoded payload.
pub(crate) fn read_claims<'s>(payload: &'s [u8], index: &'s mut Index) -> Result<Claims<'s>, JwtError> {
    Object::read(payload, index)
        .map(Claims::read)
        .map_err(|problem| JwtError::MalformedJson { part: Part::Claims, problem })
}
