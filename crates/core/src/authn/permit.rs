//! What only a check can make.

use std::sync::Arc;

use misario_jose::UnixTime;

use super::credential::Via;
use super::facts::Facts;
use crate::app::Transport;
use crate::id::{AppId, SessionId};

/// Proof that a request was checked and may do what its route asks for. There is no other way to get one than a check,
/// so whatever needs an authenticated caller takes it, or the [`Principal`] in it, as an argument: a forgotten check
/// does not compile.
///
/// Nobody else can make one, neither whole nor from its parts:
///
/// ```compile_fail,E0624
/// # use std::sync::Arc;
/// # use misario_core::authn::{Facts, Permit, Via};
/// fn let_in(facts: Arc<Facts>) -> Permit {
///     Permit::new(facts, Via::Header)
/// }
/// ```
///
/// ```compile_fail,E0451
/// # use misario_core::authn::{Permit, Principal, Via};
/// fn let_in(principal: Principal) -> Permit {
///     Permit { principal, via: Via::Header }
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use misario_core::authn::Permit;
/// let permit: Permit = serde_json::from_str("{}").unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Permit {
    principal: Principal,
    via: Via,
}

impl Permit {
    pub(super) const fn new(facts: Arc<Facts>, via: Via) -> Self {
        Self { principal: Principal(facts), via }
    }

    /// Who the caller is.
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// How the credential came.
    pub const fn via(&self) -> Via {
        self.via
    }

    /// The login behind the credential; `None` for a client's own token.
    pub fn login(&self) -> Option<Login> {
        Login::of(&self.principal)
    }
}

/// Who the caller is: the same in every mode, whatever form the credential had. Only a [`Permit`] holds one.
///
/// ```compile_fail,E0423
/// # use std::sync::Arc;
/// # use misario_core::authn::{Facts, Principal};
/// fn pretend(facts: Arc<Facts>) -> Principal {
///     Principal(facts)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Principal(Arc<Facts>);

impl Principal {
    /// The claim `sub`: stable, opaque, unique in this issuer. For a client's own token, the client.
    pub fn subject(&self) -> &str {
        self.0.subject.as_str()
    }

    /// The app the credential counts for.
    pub fn app(&self) -> &AppId {
        &self.0.app
    }

    /// The client, where a client speaks for itself and no person is logged in.
    pub fn client(&self) -> Option<&str> {
        self.0.client.as_deref()
    }

    /// Roles in the app.
    pub fn roles(&self) -> &[String] {
        &self.0.roles
    }

    /// Whether the caller has the role in the app.
    pub fn has_role(&self, role: &str) -> bool {
        self.0.roles.iter().any(|own| own == role)
    }

    /// Permissions in the app.
    pub fn permissions(&self) -> &[String] {
        &self.0.permissions
    }

    /// Scopes of the token.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// The organisation, if the user belongs to one.
    pub fn org(&self) -> Option<&str> {
        self.0.org.as_deref()
    }

    /// When the user last proved who they are.
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.0.auth_time
    }

    /// How they did (RFC 8176).
    pub fn amr(&self) -> &[String] {
        &self.0.amr
    }

    /// Everything that the credential told.
    pub fn facts(&self) -> &Arc<Facts> {
        &self.0
    }
}

/// The login behind a request, in every mode. Only a [`Permit`] tells it.
///
/// ```compile_fail,E0624
/// # use misario_core::authn::{Login, Principal};
/// fn guess(principal: &Principal) -> Option<Login> {
///     Login::of(principal)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Login(Arc<Facts>, SessionId);

impl Login {
    fn of(principal: &Principal) -> Option<Self> {
        principal.0.sid.map(|sid| Self(Arc::clone(&principal.0), sid))
    }

    /// The login's public handle: may be logged.
    pub const fn sid(&self) -> SessionId {
        self.1
    }

    /// Where its credentials travel.
    pub fn transport(&self) -> Transport {
        self.0.transport
    }

    /// Its absolute end.
    pub fn ends(&self) -> Option<UnixTime> {
        self.0.login_exp
    }
}
