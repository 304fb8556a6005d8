//! What can go wrong at the authority, nested by who is at fault. The mapping to HTTP is in [`crate::http::problem`].

use std::time::Duration;

use misario_core::app::InvalidApp;
use misario_core::authn::Rejection;
use misario_core::id::InvalidName;
use misario_core::store::StoreError;

/// A call at the authority failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller is not who they must be.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A sign-in was refused.
    #[error(transparent)]
    SignIn(#[from] SignInFault),
    /// A refresh was refused.
    #[error(transparent)]
    Grant(#[from] GrantFault),
    /// What was asked for makes no sense.
    #[error(transparent)]
    Input(#[from] InputFault),
    /// The store failed: nothing is known, nobody is logged out.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that cannot happen did.
    #[error(transparent)]
    Internal(#[from] InternalFault),
}

/// Why a sign-in was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInFault {
    /// Unknown user, wrong password, or disabled: never told apart outside.
    #[error("user name or password are not right")]
    InvalidCredentials,
    /// Tried too often.
    #[error("tried too often: wait {} s", wait.as_secs().max(1))]
    TooManyAttempts {
        /// How long to wait.
        wait: Duration,
    },
    /// Too many sign-ins at once.
    #[error("too many people are signing in: try again in a moment")]
    Busy,
    /// The app does not take the transport.
    #[error("the app does not take this transport")]
    TransportNotListed,
    /// The bootstrap secret is wrong, used, or not set.
    #[error("there is nothing to bootstrap, or the secret is wrong")]
    BootstrapRefused,
}

/// Why a refresh was refused. Outside: always `invalid_grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantFault {
    /// Nothing to renew was shown.
    #[error("no credential to renew was shown")]
    Missing,
    /// It was not made here, or its login is gone.
    #[error("the refresh token is of no login here")]
    Unknown,
    /// Its login reached one of its ends.
    #[error("the login reached its end")]
    Ended,
    /// Its login was revoked.
    #[error("the login was revoked")]
    Revoked,
    /// It was replayed outside the retry rule; its family is dead.
    #[error("an old refresh token was shown again: its login has been ended")]
    Reused,
    /// An access token that came with a refresh token renews nothing by itself.
    #[error("this access token came with a refresh token: show that")]
    RefreshTokenNeeded,
    /// The credential belongs to another app.
    #[error("the login belongs to another app")]
    OtherApp,
    /// The user is disabled.
    #[error("the user is disabled")]
    UserDisabled,
    /// So many requests renewed at once that this one lost every race.
    #[error("too many requests renewed this login at once")]
    Contended,
}

/// Why a request makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputFault {
    /// The body is not what the route takes.
    #[error("the body is not what this route takes: {why}")]
    Body {
        /// What the reader said, without the value.
        why: String,
    },
    /// The content type is not one the route takes.
    #[error("send application/json{}", if *form { " or a form" } else { "" })]
    MediaType {
        /// Whether forms are taken too.
        form: bool,
    },
    /// The body is too large.
    #[error("the body is larger than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A name has the wrong form.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// An app's settings can never work together.
    #[error(transparent)]
    App(#[from] InvalidApp),
    /// A password is too short, too long, or the user name.
    #[error("a password has at least 15 characters, at most 1,024 octets, and is not the user name")]
    Password,
    /// There is no such thing.
    #[error("no such {what}")]
    NotFound {
        /// Which kind of thing.
        what: &'static str,
    },
    /// It is there already.
    #[error("the {what} exists already")]
    Exists {
        /// Which kind of thing.
        what: &'static str,
    },
    /// Somebody else changed it at the same time.
    #[error("the {what} was changed by somebody else: look again")]
    Contended {
        /// Which kind of thing.
        what: &'static str,
    },
    /// The app's mode keeps no list of logins.
    #[error("apps in jwt mode keep no list of logins: there is no record to list")]
    NotAvailableInMode,
    /// A token would be longer than its transport carries.
    #[error("the token has {size} octets, its transport carries {limit}")]
    TokenTooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Somebody must not do this.
    #[error("the client lacks the right {right}")]
    RightMissing {
        /// Which right.
        right: &'static str,
    },
    /// A client did not prove who it is.
    #[error("the client is not known, disabled, or its secret is wrong")]
    InvalidClient,
}

/// Something that cannot happen did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InternalFault {
    /// No signing key of the app's algorithm.
    #[error("no signing key for {algorithm}")]
    NoSigningKey {
        /// Which algorithm.
        algorithm: &'static str,
    },
    /// A token could not be signed.
    #[error("a token could not be signed")]
    Signing,
    /// A handler panicked.
    #[error("the request could not be carried out to its end")]
    Handler,
    /// A record is not of the form written here.
    #[error("a stored {what} cannot be read")]
    Record {
        /// Which kind of record.
        what: &'static str,
    },
    /// A token key that a login was made under is missing.
    #[error("token key {key} is missing: logins made under it cannot be renewed")]
    TokenKeyMissing {
        /// Which key.
        key: u32,
    },
}

impl Error {
    /// Code and meaning of each error that is not passed on from below, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("invalid_credentials", "Unknown user, wrong password or disabled user; never told apart outside (401)."),
        ("too_many_attempts", "A sign-in was tried too often (429)."),
        ("busy", "Too many sign-ins at once (503)."),
        ("transport_not_listed", "The app does not take the transport asked for (400)."),
        ("bootstrap_refused", "There is nothing to bootstrap, or the secret is wrong (403)."),
        ("refresh_missing", "Nothing to renew was shown (401)."),
        ("refresh_unknown", "A refresh token is of no login here (401)."),
        ("refresh_ended", "A login to renew reached its end (401)."),
        ("refresh_revoked", "A login to renew was revoked (401)."),
        ("refresh_reused", "An old refresh token was shown again: its login was ended (401)."),
        ("refresh_token_needed", "An access token that came with a refresh token renews nothing by itself (401)."),
        ("refresh_other_app", "A login to renew belongs to another app (401)."),
        ("refresh_user_disabled", "The user of a login to renew is disabled (401)."),
        ("refresh_contended", "A renewal lost every race; trying again helps (503)."),
        ("body_invalid", "A body is not what the route takes (400)."),
        ("media_type_unsupported", "A body has a content type that the route does not take (415)."),
        ("body_too_large", "A body is too large (413)."),
        ("password_unsuitable", "A password is too short, too long, or the user name (400)."),
        ("not_found", "There is no such thing (404)."),
        ("exists", "It is there already (409)."),
        ("contended", "Somebody else changed it at the same time (409)."),
        ("not_available_in_mode", "Apps in jwt mode keep no list of logins (409)."),
        ("token_too_large", "A token would be longer than its transport carries (500)."),
        ("right_missing", "A client lacks the right that the route asks for (403)."),
        ("invalid_client", "A client did not prove who it is (401)."),
        ("signing_key_missing", "There is no signing key of the app's algorithm (500)."),
        ("signing_failed", "A token could not be signed (500)."),
        ("handler_failed", "A handler panicked; the log has the reason (500)."),
        ("record_unreadable", "A stored record cannot be read (500)."),
        ("token_key_missing", "A token key that a login was made under is missing (500)."),
    ];

    /// The stable code: in logs, metrics, audit and console.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::SignIn(fault) => fault.code(),
            Self::Grant(fault) => fault.code(),
            Self::Input(fault) => fault.code(),
            Self::Store(error) => error.code(),
            Self::Internal(fault) => fault.code(),
        }
    }
}

impl SignInFault {
    const fn code(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Busy => "busy",
            Self::TransportNotListed => "transport_not_listed",
            Self::BootstrapRefused => "bootstrap_refused",
        }
    }
}

impl GrantFault {
    const fn code(self) -> &'static str {
        match self {
            Self::Missing => "refresh_missing",
            Self::Unknown => "refresh_unknown",
            Self::Ended => "refresh_ended",
            Self::Revoked => "refresh_revoked",
            Self::Reused => "refresh_reused",
            Self::RefreshTokenNeeded => "refresh_token_needed",
            Self::OtherApp => "refresh_other_app",
            Self::UserDisabled => "refresh_user_disabled",
            Self::Contended => "refresh_contended",
        }
    }
}

impl InputFault {
    const fn code(&self) -> &'static str {
        match self {
            Self::Body { .. } => "body_invalid",
            Self::MediaType { .. } => "media_type_unsupported",
            Self::TooLarge { .. } => "body_too_large",
            Self::Name(error) => error.code(),
            Self::App(error) => error.code(),
            Self::Password => "password_unsuitable",
            Self::NotFound { .. } => "not_found",
            Self::Exists { .. } => "exists",
            Self::Contended { .. } => "contended",
            Self::NotAvailableInMode => "not_available_in_mode",
            Self::TokenTooLarge { .. } => "token_too_large",
            Self::RightMissing { .. } => "right_missing",
            Self::InvalidClient => "invalid_client",
        }
    }
}

impl InternalFault {
    const fn code(&self) -> &'static str {
        match self {
            Self::NoSigningKey { .. } => "signing_key_missing",
            Self::Signing => "signing_failed",
            Self::Handler => "handler_failed",
            Self::Record { .. } => "record_unreadable",
            Self::TokenKeyMissing { .. } => "token_key_missing",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One of each leaf that has a code of its own.
    fn leaves() -> Vec<Error> {
        let sign_in = [
            SignInFault::InvalidCredentials,
            SignInFault::TooManyAttempts { wait: Duration::ZERO },
            SignInFault::Busy,
            SignInFault::TransportNotListed,
            SignInFault::BootstrapRefused,
        ];
        let grant = [
            GrantFault::Missing,
            GrantFault::Unknown,
            GrantFault::Ended,
            GrantFault::Revoked,
            GrantFault::Reused,
            GrantFault::RefreshTokenNeeded,
            GrantFault::OtherApp,
            GrantFault::UserDisabled,
            GrantFault::Contended,
        ];
        let input = [
            InputFault::Body { why: String::new() },
            InputFault::MediaType { form: true },
            InputFault::TooLarge { limit: 1 },
            InputFault::Password,
            InputFault::NotFound { what: "" },
            InputFault::Exists { what: "" },
            InputFault::Contended { what: "" },
            InputFault::NotAvailableInMode,
            InputFault::TokenTooLarge { size: 2, limit: 1 },
            InputFault::RightMissing { right: "" },
            InputFault::InvalidClient,
        ];
        let internal = [
            InternalFault::NoSigningKey { algorithm: "" },
            InternalFault::Signing,
            InternalFault::Handler,
            InternalFault::Record { what: "" },
            InternalFault::TokenKeyMissing { key: 1 },
        ];
        let sign_in = sign_in.into_iter().map(Error::from);
        let grant = grant.into_iter().map(Error::from);
        sign_in
            .chain(grant)
            .chain(input.into_iter().map(Error::from))
            .chain(internal.into_iter().map(Error::from))
            .collect()
    }

    #[test]
    fn every_error_has_its_code_documented_once() {
        let leaves = leaves();
        let codes: BTreeSet<_> = leaves.iter().map(Error::code).collect();
        assert_eq!(codes.len(), leaves.len());
        assert_eq!(codes, Error::CODES.iter().map(|(code, _)| *code).collect());
    }

    /// What a client is told: a code that stands in the documentation, and nothing more than it may know.
    #[test]
    fn every_error_has_its_status_and_a_documented_public_code() {
        let known: BTreeSet<_> = [Error::CODES, crate::http::problem::CODES, misario_tower::problem::CODES]
            .into_iter()
            .flatten()
            .map(|(code, _)| *code)
            .collect();
        let mut lines = Vec::new();
        for error in leaves() {
            let code = error.code();
            let (status, public) = crate::http::problem::public(&error);
            assert!(known.contains(public), "{public}");
            lines.push(format!("{code} {} {public}", status.as_u16()));
        }
        insta::assert_snapshot!("public_codes", lines.join("\n"));
    }
}
