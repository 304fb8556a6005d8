//! Clients: everything that authenticates without being a person.

use std::collections::BTreeSet;

use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};

use crate::app::BUILT_IN;
use crate::id::{AppId, ClientId};
use crate::secret::TokenDigest;

/// A connected app, another service, an operator's script. Every endpoint that is not for people asks for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its name, the claim `client_id`.
    pub id: ClientId,
    /// The app it belongs to; absent: it acts for any app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// How it proves who it is.
    pub kind: ClientKind,
    /// What it may ask for.
    #[serde(default)]
    pub rights: BTreeSet<Right>,
    /// The scopes its own tokens may have.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it is refused everywhere.
    #[serde(default)]
    pub disabled: bool,
    /// When it was made.
    pub created: UnixTime,
}

/// How a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum ClientKind {
    /// It cannot keep a secret; it has no rights.
    Public,
    /// A secret made here; only its digests are kept. Two during a rotation.
    Secret {
        /// The digests that count.
        digests: Vec<TokenDigest>,
    },
}

/// What a client may ask for, beyond the public endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Whether a token is alive, and whose it is.
    Introspect,
    /// End logins and tokens.
    Revoke,
    /// Follow the change log, and forward its users' sign-ins.
    Feed,
    /// Start logins for users it has authenticated itself.
    Issue,
    /// Administration.
    Admin,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 5] = [Self::Introspect, Self::Revoke, Self::Feed, Self::Issue, Self::Admin];

    /// The name in configuration and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Feed => "feed",
            Self::Issue => "issue",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Right {
    type Err = crate::id::InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|right| right.name() == text)
            .ok_or(crate::id::InvalidName { what: "client right", rule: "one of introspect revoke feed issue admin" })
    }
}

impl Client {
    /// Whether it may do what `right` names, for `app` if one is concerned.
    pub fn may(&self, right: Right, app: Option<&AppId>) -> bool {
        // Whoever could start logins for administration, or vouch for them, would be an administrator.
        let built_in = app.is_some_and(|app| app.as_str() == BUILT_IN);
        if built_in && right != Right::Admin {
            return false;
        }
        let of_this_app = match (&self.app, app) {
            (Some(own), Some(asked)) => own == asked,
            (Some(_), None) => right != Right::Admin,
            (None, _) => true,
        };
        // A public client proves nothing.
        let proves = matches!(self.kind, ClientKind::Secret { .. });
        proves && !self.disabled && of_this_app && self.rights.contains(&right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_right_but_admin_reaches_administration() {
        let client = Client {
            id: ClientId::new("backend").unwrap(),
            app: None,
            kind: ClientKind::Secret { digests: vec![] },
            rights: Right::ALL.into(),
            scopes: vec![],
            disabled: false,
            created: UnixTime::from_secs(0),
        };
        let built_in = AppId::new(BUILT_IN).unwrap();
        let may: Vec<_> = Right::ALL.into_iter().filter(|right| client.may(*right, Some(&built_in))).collect();
        assert_eq!(may, [Right::Admin]);
    }

    #[test]
    fn a_client_of_one_app_may_do_nothing_for_another() {
        let web = AppId::new("web").unwrap();
        let client = Client {
            id: ClientId::new("web-backend").unwrap(),
            app: Some(web.clone()),
            kind: ClientKind::Secret { digests: vec![] },
            rights: [Right::Feed, Right::Admin].into(),
            scopes: vec![],
            disabled: false,
            created: UnixTime::from_secs(0),
        };
        assert!(client.may(Right::Feed, Some(&web)));
        assert!(!client.may(Right::Feed, Some(&AppId::new("spa").unwrap())));
        assert!(!client.may(Right::Issue, Some(&web)));
        assert!(!client.may(Right::Admin, None), "administration concerns every app");
        assert!(!Client { disabled: true, ..client.clone() }.may(Right::Feed, Some(&web)));
        assert!(!Client { kind: ClientKind::Public, ..client }.may(Right::Feed, Some(&web)), "it proves nothing");
    }
}
