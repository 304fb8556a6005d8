//! The user directory: who may sign in with a password here, and what they may do in which app.

use std::collections::BTreeMap;

use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::id::{AppId, InvalidName, Subject};

/// A person in this instance's directory. People who are authenticated elsewhere need no row here.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The stable, opaque claim `sub`.
    pub subject: Subject,
    /// The name they sign in with, in its canonical spelling.
    pub username: Username,
    /// The Argon2id hash of their password, in PHC string form.
    pub password: Option<String>,
    /// Whether they may sign in and stay signed in.
    pub state: UserState,
    /// What they may do, by app.
    #[serde(default)]
    pub grants: BTreeMap<AppId, Grant>,
    /// The claim `org`, if they belong to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// When the row was made.
    pub created: UnixTime,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("subject", &self.subject).field("state", &self.state).finish_non_exhaustive()
    }
}

impl User {
    /// What the user may do in `app`.
    pub fn grant(&self, app: &AppId) -> Grant {
        self.grants.get(app).cloned().unwrap_or_default()
    }
}

/// Whether a user may be signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserState {
    /// Yes.
    Active,
    /// No: everything of theirs is refused.
    Disabled,
}

/// Roles and permissions in one app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Role names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Permission names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}

/// A name to sign in with, in one canonical spelling: NFKC, lower case, no white space around it. Whatever is counted
/// per account (throttling above all) is counted by this.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// The canonical spelling of `text`: 1 to 128 octets, without control characters or inner white space.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        // Length first: normalisation of a huge text is work for nothing.
        let canonical = if text.len() <= 512 { Self::canonical(text) } else { String::new() };
        let fits = (1..=128).contains(&canonical.len());
        (fits && !canonical.chars().any(|c| c.is_control() || c.is_whitespace()))
            .then_some(Self(canonical))
            .ok_or(InvalidName { what: "user name", rule: "1 to 128 octets without control characters or white space" })
    }

    /// Lower-casing can undo normalisation and the other way round (`İ`, `ﬁ`), hence both, twice.
    fn canonical(text: &str) -> String {
        let once = |text: &str| text.nfkc().collect::<String>().to_lowercase();
        once(&once(text.trim()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Username {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Username {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_one_account_however_it_is_spelled() {
        for spelling in ["alice", "Alice", " ALICE ", "ａｌｉｃｅ", "al\u{0131}ce".replace('\u{0131}', "i").as_str()]
        {
            assert_eq!(Username::new(spelling).unwrap().as_str(), "alice", "{spelling:?}");
        }
        assert_eq!(Username::new("e\u{301}va").unwrap(), Username::new("\u{e9}va").unwrap());
    }

    #[test]
    fn what_cannot_be_a_user_name_is_refused() {
        for bad in ["", "  ", "a b", "a\nb", "a\0", &"x".repeat(129), &"x".repeat(100_000)] {
            assert!(Username::new(bad).is_err());
        }
    }

    #[test]
    fn a_hash_does_not_print() {
        let user = User {
            subject: Subject::new("u1").unwrap(),
            username: Username::new("alice").unwrap(),
            password: Some("$argon2id$canary".to_owned()),
            state: UserState::Active,
            grants: BTreeMap::new(),
            org: None,
            created: UnixTime::from_secs(1),
        };
        assert!(!format!("{user:?}").contains("canary"));
    }
}
