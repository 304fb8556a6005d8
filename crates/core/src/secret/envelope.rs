//! The common outside of all secret texts: prefix, key id, tag, one spelling.

use misario_jose::b64u;
use zeroize::Zeroizing;

use super::{ReplicaKey, ReplicaKeys, SecretText};

/// The kinds of secret text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// `mst_`
    SessionToken,
    /// `mrt_`
    RefreshToken,
    /// `mcs_`
    ClientSecret,
    /// `mct_`
    CsrfToken,
}

impl SecretKind {
    /// What a text of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::SessionToken => "mst_",
            Self::RefreshToken => "mrt_",
            Self::ClientSecret => "mcs_",
            Self::CsrfToken => "mct_",
        }
    }

    /// The kind that `text` claims to be.
    pub fn of(text: &str) -> Option<Self> {
        [Self::SessionToken, Self::RefreshToken, Self::ClientSecret, Self::CsrfToken]
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
    }
}

/// A text is no secret of ours. Found without any look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Wrong prefix, length or characters.
    #[error("not the form of a {kind:?}")]
    Malformed {
        /// What was expected.
        kind: SecretKind,
    },
    /// Made with a key that is not, or no longer, known here.
    #[error("made with token key {key}, which is not known here")]
    UnknownKey {
        /// What was expected.
        kind: SecretKind,
        /// The key it names.
        key: u32,
    },
    /// Not made here, or changed on the way.
    #[error("the tag does not fit: not made here, or changed")]
    WrongTag {
        /// What was expected.
        kind: SecretKind,
    },
}

impl SecretError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        (
            "secret_malformed",
            "A session token, refresh token, client secret or CSRF token has the wrong length or characters.",
        ),
        ("secret_key_unknown", "A token names a token key that is not, or no longer, known here."),
        ("secret_tag_wrong", "A token was not made here, or was changed."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "secret_malformed",
            Self::UnknownKey { .. } => "secret_key_unknown",
            Self::WrongTag { .. } => "secret_tag_wrong",
        }
    }
}

const KEY_ID: usize = 4;
const TAG: usize = 16;

/// Writes `content` as a secret text of `kind`, tagged under `key`.
pub(super) fn write(kind: SecretKind, key: &ReplicaKey, content: &[u8]) -> SecretText {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_ID + content.len() + TAG));
    bytes.extend_from_slice(&key.id.to_be_bytes());
    bytes.extend_from_slice(content);
    let tag = key.tag.tag(&[kind.prefix().as_bytes(), &bytes]);
    bytes.extend_from_slice(&tag[..TAG]);
    SecretText::new(format!("{}{}", kind.prefix(), b64u::encode(&bytes)))
}

/// Reads a secret text of `kind`: the id of its key and its `N` octets of content, once the tag has proved right.
pub(super) fn read<const N: usize>(
    kind: SecretKind,
    keys: &ReplicaKeys,
    text: &str,
) -> Result<(u32, Zeroizing<[u8; N]>), SecretError> {
    let malformed = SecretError::Malformed { kind };
    let encoded = text.strip_prefix(kind.prefix()).ok_or(malformed)?;
    // The length first: no work on what cannot be ours. base64url without padding: 4 characters for 3 octets.
    if encoded.len() != ((KEY_ID + N + TAG) * 4).div_ceil(3) {
        return Err(malformed);
    }
    let bytes = Zeroizing::new(b64u::decode(encoded).ok_or(malformed)?);
    let (signed, tag) = bytes.split_at_checked(KEY_ID + N).ok_or(malformed)?;
    let (id, content) = signed.split_first_chunk::<KEY_ID>().ok_or(malformed)?;
    let id = u32::from_be_bytes(*id);
    let key = keys.find(id).ok_or(SecretError::UnknownKey { kind, key: id })?;
    if !key.tag.verify(&[kind.prefix().as_bytes(), signed], tag) {
        return Err(SecretError::WrongTag { kind });
    }
    let content: [u8; N] = content.try_into().map_err(|_| malformed)?;
    Ok((id, Zeroizing::new(content)))
}
