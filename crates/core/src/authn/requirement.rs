//! What a route asks of its caller.

use super::csrf::CsrfDemand;
use super::facts::Facts;
use super::rejection::ForbiddenFault;
use crate::id::AppId;
use misario_jose::UnixTime;

/// What a route asks of its caller. The default asks for a live login and nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// The app, if the route belongs to one.
    pub app: Option<AppId>,
    /// At least one of these roles; empty: any.
    pub any_role: Vec<String>,
    /// All of these permissions.
    pub permissions: Vec<String>,
    /// All of these scopes.
    pub scopes: Vec<String>,
    /// How sure the answer must be.
    pub word: RouteWord,
    /// What proves that a request with a cookie comes from the app.
    pub csrf: CsrfDemand,
}

/// How sure the answer must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteWord {
    /// From memory under a lease; without one the authority is asked; else refused with 503. What was revoked by a
    /// call that has returned is refused.
    #[default]
    Leased,
    /// The authority is asked each time.
    Authoritative,
    /// As `Authoritative`, and the user proved who they are within these seconds (RFC 9470).
    Fresh {
        /// The oldest authentication that will do, in seconds.
        max_age: u64,
    },
}

/// A requirement: the role `name`.
pub fn role(name: &str) -> Requirement {
    Requirement { any_role: vec![name.to_owned()], ..Requirement::default() }
}

/// A requirement: the permission `name`.
pub fn permission(name: &str) -> Requirement {
    Requirement { permissions: vec![name.to_owned()], ..Requirement::default() }
}

/// A requirement: the scope `name`.
pub fn scope(name: &str) -> Requirement {
    Requirement { scopes: vec![name.to_owned()], ..Requirement::default() }
}

impl Requirement {
    /// Or this role.
    pub fn or_role(mut self, name: &str) -> Self {
        self.any_role.push(name.to_owned());
        self
    }

    /// And this permission.
    pub fn and_permission(mut self, name: &str) -> Self {
        self.permissions.push(name.to_owned());
        self
    }

    /// And this scope.
    pub fn and_scope(mut self, name: &str) -> Self {
        self.scopes.push(name.to_owned());
        self
    }

    /// And the user proved who they are at most `max_age` ago; the authority is asked.
    pub fn fresh(mut self, max_age: std::time::Duration) -> Self {
        self.word = RouteWord::Fresh { max_age: max_age.as_secs() };
        self
    }

    /// And the authority is asked each time.
    pub fn authoritative(mut self) -> Self {
        if self.word == RouteWord::Leased {
            self.word = RouteWord::Authoritative;
        }
        self
    }

    /// And a request with a cookie shows a CSRF token, whatever its headers say.
    pub fn csrf_token(mut self) -> Self {
        self.csrf = CsrfDemand::Token;
        self
    }

    /// For logins of this app only.
    pub fn of_app(mut self, app: AppId) -> Self {
        self.app = Some(app);
        self
    }

    /// Whether the facts fulfil it at `now`.
    pub fn check(&self, facts: &Facts, now: UnixTime) -> Result<(), ForbiddenFault> {
        let has = |own: &[String], asked: &String| own.contains(asked);
        if !self.any_role.is_empty() && !self.any_role.iter().any(|role| has(&facts.roles, role)) {
            return Err(ForbiddenFault::RoleMissing);
        }
        if !self.permissions.iter().all(|permission| has(&facts.permissions, permission)) {
            return Err(ForbiddenFault::PermissionMissing);
        }
        if !self.scopes.iter().all(|scope| has(&facts.scopes, scope)) {
            return Err(ForbiddenFault::ScopeMissing);
        }
        if let RouteWord::Fresh { max_age } = self.word {
            let recent = facts.auth_time.is_some_and(|at| now.secs_since(at) <= max_age);
            if !recent {
                return Err(ForbiddenFault::AuthenticationTooOld { max_age });
            }
        }
        Ok(())
    }
}
