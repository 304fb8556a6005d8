//! A rejection on the feed: its stable code, and the times where a client could do something about it.

use misario_core::authn::{CredentialFault, Rejection, RequestFault};
use misario_core::secret::{SecretError, SecretKind};
use misario_jose::{JwtError, UnixTime};
use serde::{Deserialize, Serialize};

/// A rejection as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expired_at: Option<UnixTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<UnixTime>,
}

impl Refusal {
    pub(super) fn of(rejection: &Rejection) -> Self {
        let (expired_at, now) = match rejection {
            Rejection::Credential(CredentialFault::Jwt { error: JwtError::Expired { expired_at, now } }) => {
                (Some(*expired_at), Some(*now))
            }
            _ => (None, None),
        };
        Self { code: rejection.code().to_owned(), expired_at, now }
    }

    /// The rejection that was sent. A code that is not known here still refuses, without its precise reason.
    pub(super) fn read(&self) -> Rejection {
        if let (Some(expired_at), Some(now)) = (self.expired_at, self.now) {
            return CredentialFault::Jwt { error: JwtError::Expired { expired_at, now } }.into();
        }
        known().into_iter().find(|rejection| rejection.code() == self.code).unwrap_or_else(|| {
            tracing::debug!(code = self.code, "the authority refuses a credential for a reason not told apart here");
            CredentialFault::Unrecognised.into()
        })
    }
}

fn known() -> Vec<Rejection> {
    let kind = SecretKind::SessionToken;
    let credential = [
        CredentialFault::Missing,
        CredentialFault::Unrecognised,
        CredentialFault::ClaimsMalformed,
        CredentialFault::SessionUnknown,
        CredentialFault::SessionIdle,
        CredentialFault::SessionEnded,
        CredentialFault::Revoked,
        CredentialFault::UserDisabled,
        CredentialFault::Stale,
        CredentialFault::OtherApp,
        CredentialFault::Secret { error: SecretError::Malformed { kind } },
        CredentialFault::Secret { error: SecretError::WrongTag { kind } },
    ];
    let jwt = [
        JwtError::AlgorithmUnsupported,
        JwtError::KeyUnknown,
        JwtError::KeyAmbiguous,
        JwtError::SignatureInvalid,
        JwtError::TypMismatch,
        JwtError::IssuerMismatch,
        JwtError::AudienceMismatch,
        JwtError::ExpiresBeforeIssued,
    ];
    let jwt = jwt.into_iter().map(|error| CredentialFault::Jwt { error });
    credential.into_iter().chain(jwt).map(Rejection::from).chain([RequestFault::AppUnknown.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_arrives_as_it_was_sent() {
        let (expired_at, now) = (UnixTime::from_secs(1), UnixTime::from_secs(2));
        let expired: Rejection = CredentialFault::Jwt { error: JwtError::Expired { expired_at, now } }.into();
        for rejection in known().into_iter().chain([expired]) {
            assert_eq!(Refusal::of(&rejection).read(), rejection);
        }
    }

    #[test]
    fn what_is_not_known_still_refuses() {
        let refusal = Refusal { code: "from_the_future".to_owned(), expired_at: None, now: None };
        assert_eq!(refusal.read(), CredentialFault::Unrecognised.into());
    }

    /// Whether a cookie is renewed hangs on this.
    #[test]
    fn what_a_renewal_can_mend_stays_so() {
        let (expired_at, now) = (UnixTime::from_secs(1), UnixTime::from_secs(2));
        for fault in [CredentialFault::Stale, CredentialFault::Jwt { error: JwtError::Expired { expired_at, now } }] {
            assert!(Refusal::of(&fault.into()).read().is_renewable());
        }
    }
}
