//! What users log in to: its mode, transports, origins, lifetimes (DESIGN: apps, transports, modes and the switch).
//!
//! Mode says *what* is issued, transport *where it travels*. The mode may change while users are logged in; the
//! transport belongs to the login and never changes.

mod handout;
mod origin;

use std::collections::BTreeSet;

use misario_jose::Algorithm;
use serde::{Deserialize, Serialize};

pub use handout::{AccessForm, Handout};
pub use origin::{InvalidOrigin, Origin};

use crate::id::AppId;

/// The name of the built-in app: administration.
pub const BUILT_IN: &str = "misario";

/// How an app carries a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// An opaque token; the state is a record at the authority.
    Session,
    /// A short-lived signed token, renewed without state.
    Jwt,
    /// A short-lived signed token, a rotating refresh token, and a record.
    Hybrid,
}

/// Where the credentials of a login travel. Chosen at sign-in, never changed by a switch of mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Both in `HttpOnly` cookies.
    Cookie,
    /// Both in bodies and the `Authorization` header: mobile and command-line clients.
    Bearer,
    /// Access in the body and header, refresh in an `HttpOnly` cookie: single-page apps.
    Split,
}

macro_rules! lowercase_names {
    ($type:ident, $code:literal, $($variant:ident = $name:literal),+) => {
        impl $type {
            /// The name in configuration, on the wire and in tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::id::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(crate::id::InvalidName { what: $code, rule: concat!("one of" $(, " ", $name)+) }),
                }
            }
        }
    };
}
lowercase_names!(Mode, "mode", Session = "session", Jwt = "jwt", Hybrid = "hybrid");
lowercase_names!(Transport, "transport", Cookie = "cookie", Bearer = "bearer", Split = "split");

/// An app, as it stands in the store, in the change log and at every replica.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// Its name.
    pub id: AppId,
    /// What is handed out at the next sign-in, refresh or response.
    pub mode: Mode,
    /// The transports it accepts credentials in.
    pub transports: BTreeSet<Transport>,
    /// The origins it is served from: what counts as same-origin for CSRF, return-to and app resolution.
    #[serde(default)]
    pub origins: Vec<Origin>,
    /// Origins that may send unsafe requests with the app's cookies, if they also show a CSRF token.
    #[serde(default)]
    pub trusted_origins: Vec<Origin>,
    /// The audience its access tokens are issued for and checked against.
    pub audience: String,
    /// What the audience was called before: tokens that name one of these are accepted. Whoever changes the audience keeps
    /// a name here for as long as such a token can be alive or be renewed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_audiences: Vec<String>,
    /// How long what it hands out lives.
    pub lifetimes: Lifetimes,
    /// The names of its cookies.
    pub cookies: CookieNames,
    /// What its access tokens are signed with.
    pub signing_alg: Algorithm,
    /// The version of the claim contract its tokens follow.
    #[serde(default = "first_contract")]
    pub contract: u32,
    /// How many logins of one user may be alive at once; the oldest ends when another starts. Absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_logins: Option<u32>,
}

const fn first_contract() -> u32 {
    1
}

/// Lifetimes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// An access JWT.
    pub access: u64,
    /// A login that is not used.
    pub idle: u64,
    /// A login, however much it is used.
    pub absolute: u64,
    /// For this long after its end, an access JWT of a `jwt` app can still be renewed.
    pub renew_window: u64,
    /// For this long after its rotation, a refresh token is answered with the current head (a sibling tab's request
    /// that was already on the wire).
    pub reuse_interval: u64,
}

/// No access JWT lives longer, whatever app it is of: a day, in seconds.
pub const LONGEST_ACCESS: u64 = DAY;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Lifetimes {
    /// The secure default of a mode: 15 minutes of access; 30 minutes idle and 12 hours in all for `session` and
    /// `jwt`; 14 days idle and 30 days in all for `hybrid`.
    pub const fn of(mode: Mode) -> Self {
        let (idle, absolute) = match mode {
            Mode::Session | Mode::Jwt => (30 * MINUTE, 12 * HOUR),
            Mode::Hybrid => (14 * DAY, 30 * DAY),
        };
        Self { access: 15 * MINUTE, idle, absolute, renew_window: 12 * HOUR, reuse_interval: 10 }
    }
}

/// The names of an app's cookies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CookieNames {
    /// Holds the access credential: a session token or a JWT, told apart by shape.
    pub access: String,
    /// Holds the refresh token.
    pub refresh: String,
}

/// An app's settings can never work together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApp {
    /// Nothing could ever be accepted.
    #[error("app {app} lists no transport, so no credential could ever count; list cookie, bearer or split")]
    NoTransport {
        /// Which app.
        app: AppId,
    },
    /// Cookies are judged by origin.
    #[error(
        "app {app} uses cookies but lists no origins, so no form or script could ever prove that it is the app's own"
    )]
    NoOrigin {
        /// Which app.
        app: AppId,
    },
    /// A lifetime is zero or in the wrong order.
    #[error("app {app}: {key} = {seconds} s cannot work: {why}")]
    Lifetime {
        /// Which app.
        app: AppId,
        /// The setting.
        key: &'static str,
        /// Its value.
        seconds: u64,
        /// Why not.
        why: &'static str,
    },
    /// A plain-HTTP origin that is not this machine.
    #[error(
        "app {app}: origin {origin} is plain http and not loopback: its cookies would cross the network unprotected; use https"
    )]
    InsecureOrigin {
        /// Which app.
        app: AppId,
        /// The origin.
        origin: Origin,
    },
    /// Origins of both kinds: one https origin makes every cookie `Secure`, which a loopback origin never gets back.
    #[error(
        "app {app}: origin {origin} is plain http beside an https origin, so it would never get back the app's cookies; make an app of its own for it"
    )]
    MixedOrigins {
        /// Which app.
        app: AppId,
        /// The origin.
        origin: Origin,
    },
    /// Two apps of one host have a cookie of the same name.
    #[error("apps {app} and {other} share a host and the cookie name {name:?}: each sign-in would end the other's")]
    CookieShared {
        /// Which app.
        app: AppId,
        /// The app that has the name.
        other: AppId,
        /// The name.
        name: String,
    },
    /// A cookie name that browsers do not protect, or that is no cookie name.
    #[error("app {app}: cookie name {name:?} {why}")]
    CookieName {
        /// Which app.
        app: AppId,
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// No audience.
    #[error("app {app}: the audience is empty, so its tokens would count everywhere")]
    NoAudience {
        /// Which app.
        app: AppId,
    },
}

impl InvalidApp {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("app_no_transport", "An app lists no transport."),
        ("app_no_origin", "An app uses cookies and lists no origin."),
        ("app_lifetime_invalid", "A lifetime of an app is zero, too long, or longer than what contains it."),
        ("app_origin_insecure", "An origin is plain http on a network address."),
        ("app_origins_mixed", "An app has https origins and plain ones: the latter would never get its cookies back."),
        ("app_cookie_shared", "Two apps that share a host have a cookie of the same name; cookies know no ports."),
        (
            "app_cookie_name_invalid",
            "A cookie name is malformed, used twice, or lacks the protection its origin needs.",
        ),
        ("app_no_audience", "An app's audience is empty."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoTransport { .. } => "app_no_transport",
            Self::NoOrigin { .. } => "app_no_origin",
            Self::Lifetime { .. } => "app_lifetime_invalid",
            Self::InsecureOrigin { .. } => "app_origin_insecure",
            Self::MixedOrigins { .. } => "app_origins_mixed",
            Self::CookieShared { .. } => "app_cookie_shared",
            Self::CookieName { .. } => "app_cookie_name_invalid",
            Self::NoAudience { .. } => "app_no_audience",
        }
    }
}

impl App {
    /// An app with the secure defaults of its mode: lifetimes, cookie names, ES256.
    pub fn new(id: AppId, mode: Mode, transports: &[Transport], origins: Vec<Origin>) -> Self {
        let loopback = !origins.is_empty() && origins.iter().all(Origin::is_plain_loopback);
        Self {
            cookies: CookieNames::of(&id, loopback),
            audience: format!("app:{id}"),
            former_audiences: Vec::new(),
            id,
            mode,
            transports: transports.iter().copied().collect(),
            origins,
            trusted_origins: Vec::new(),
            lifetimes: Lifetimes::of(mode),
            signing_alg: Algorithm::Es256,
            contract: first_contract(),
            max_logins: None,
        }
    }

    /// Whether its cookies are set with `Secure`. Not on `http://localhost`, where some browsers drop such cookies.
    pub fn secure_cookies(&self) -> bool {
        self.origins.is_empty() || !self.origins.iter().all(Origin::is_plain_loopback)
    }

    /// Whether it accepts credentials that browsers send by themselves.
    pub fn uses_cookies(&self) -> bool {
        self.transports.contains(&Transport::Cookie) || self.transports.contains(&Transport::Split)
    }

    /// The app, if browsers can tell its cookies from those of `others`.
    pub fn beside<'a>(self, others: impl IntoIterator<Item = &'a Self>) -> Result<Self, InvalidApp> {
        let own = [&self.cookies.access, &self.cookies.refresh];
        for other in others {
            // RFC 6265 §8.5: "Cookies do not provide isolation by port."
            let hosts = |app: &Self| app.origins.iter().map(|origin| origin.host().to_owned()).collect::<BTreeSet<_>>();
            let on_one_host = self.uses_cookies() && other.uses_cookies() && !hosts(&self).is_disjoint(&hosts(other));
            let names = [&other.cookies.access, &other.cookies.refresh];
            let shared = own.into_iter().find(|name| names.contains(name));
            if let (true, true, Some(name)) = (other.id != self.id, on_one_host, shared) {
                let (app, other) = (self.id.clone(), other.id.clone());
                return Err(InvalidApp::CookieShared { app, other, name: name.clone() });
            }
        }
        Ok(self)
    }

    /// The app, if its settings can work together.
    pub fn validated(self) -> Result<Self, InvalidApp> {
        let app = self.id.clone();
        if self.transports.is_empty() {
            return Err(InvalidApp::NoTransport { app });
        }
        if self.uses_cookies() && self.origins.is_empty() {
            return Err(InvalidApp::NoOrigin { app });
        }
        if self.audience.trim().is_empty() {
            return Err(InvalidApp::NoAudience { app });
        }
        let insecure = |origin: &&Origin| !origin.is_https() && !origin.is_plain_loopback();
        if let Some(origin) = self.origins.iter().chain(&self.trusted_origins).find(insecure) {
            return Err(InvalidApp::InsecureOrigin { app, origin: origin.clone() });
        }
        if let Some(origin) = self.origins.iter().find(|o| self.secure_cookies() && o.is_plain_loopback()) {
            return Err(InvalidApp::MixedOrigins { app, origin: origin.clone() });
        }
        self.lifetimes.check(&app)?;
        self.cookies.check(&app, self.secure_cookies())?;
        Ok(self)
    }
}

impl Lifetimes {
    fn check(&self, app: &AppId) -> Result<(), InvalidApp> {
        let fail = |key, seconds, why| Err(InvalidApp::Lifetime { app: app.clone(), key, seconds, why });
        if self.access == 0 || self.access > LONGEST_ACCESS {
            return fail("access_ttl", self.access, "an access token lives between 1 s and 24 h");
        }
        if self.idle == 0 {
            return fail("idle", self.idle, "a login would end before its first request");
        }
        if self.absolute < self.access {
            return fail("absolute", self.absolute, "a login would end before its first access token");
        }
        if self.absolute > 400 * DAY {
            return fail("absolute", self.absolute, "browsers keep no cookie longer than 400 days");
        }
        if self.idle > self.absolute {
            return fail("idle", self.idle, "it is longer than the login may live at all (absolute)");
        }
        if self.renew_window > 400 * DAY {
            return fail("renew_window", self.renew_window, "no login lives longer than 400 days");
        }
        if self.reuse_interval > 5 * MINUTE {
            return fail(
                "reuse_interval",
                self.reuse_interval,
                "a stolen refresh token could be replayed for that long",
            );
        }
        Ok(())
    }
}

impl CookieNames {
    /// `__Host-misario-{app}` and `…-refresh`; without the prefix on plain-HTTP loopback, where browsers refuse it.
    pub fn of(app: &AppId, loopback: bool) -> Self {
        let prefix = if loopback { "" } else { "__Host-" };
        Self { access: format!("{prefix}misario-{app}"), refresh: format!("{prefix}misario-{app}-refresh") }
    }

    fn check(&self, app: &AppId, secure: bool) -> Result<(), InvalidApp> {
        for name in [&self.access, &self.refresh] {
            let fail = |why| Err(InvalidApp::CookieName { app: app.clone(), name: name.clone(), why });
            if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token_char) {
                return fail("is no cookie name (RFC 6265: 1 to 64 token characters)");
            }
            if secure && !name.starts_with("__Host-") {
                return fail("lacks the prefix __Host-, without which a neighbouring domain could set it");
            }
            if !secure && name.starts_with("__") {
                return fail("has a prefix that browsers accept on https only, and the app's origins are plain http");
            }
        }
        if self.access == self.refresh {
            return Err(InvalidApp::CookieName { app: app.clone(), name: self.access.clone(), why: "is used twice" });
        }
        Ok(())
    }
}

/// RFC 9110 `tchar`.
fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
