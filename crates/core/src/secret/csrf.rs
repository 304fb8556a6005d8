//! CSRF tokens: HMAC-based, bound to a login (OWASP "signed double submit", with the login in the MAC).

use misario_jose::Entropy;

use super::envelope::{SecretError, SecretKind, read, write};
use super::{ReplicaKeys, SecretText};
use crate::id::SessionId;

/// What a CSRF token is bound to. The two kinds never count for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsrfBinding<'a> {
    /// A login: the token dies with it, and survives neither sign-in nor sign-out.
    Login(&'a SessionId),
    /// A browser that is not signed in: the nonce in its pre-login cookie.
    Visitor(&'a [u8; 16]),
}

impl CsrfBinding<'_> {
    fn parts(&self) -> [&[u8]; 2] {
        match self {
            Self::Login(sid) => [b"login", sid.as_bytes().as_slice()],
            Self::Visitor(nonce) => [b"visitor", nonce.as_slice()],
        }
    }
}

/// Namespace for making and checking CSRF tokens; a token is never kept as a value.
#[derive(Debug)]
pub struct CsrfToken;

impl CsrfToken {
    /// A fresh token for the binding. Different each time, so that compression cannot be used to read it out of a
    /// page (BREACH).
    pub fn issue(keys: &ReplicaKeys, binding: CsrfBinding<'_>, entropy: &dyn Entropy) -> Option<SecretText> {
        let key = keys.current()?;
        let mut content = [0; 48];
        entropy.fill(&mut content[..16]);
        let [kind, id] = binding.parts();
        let mac = key.csrf.tag(&[kind, id, &content[..16]]);
        content[16..].copy_from_slice(&mac);
        Some(write(SecretKind::CsrfToken, key, &content))
    }

    /// Whether `text` was issued for this binding.
    pub fn check(keys: &ReplicaKeys, binding: CsrfBinding<'_>, text: &str) -> Result<(), SecretError> {
        let kind = SecretKind::CsrfToken;
        let (id, content) = read::<48>(kind, keys, text)?;
        let key = keys.find(id).ok_or(SecretError::UnknownKey { kind, key: id })?;
        let [bound_to, bound_id] = binding.parts();
        let right = key.csrf.verify(&[bound_to, bound_id, &content[..16]], &content[16..]);
        right.then_some(()).ok_or(SecretError::WrongTag { kind })
    }
}
