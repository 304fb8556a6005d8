//! Mode × transport: what a login is handed.

use super::{Mode, Transport};

/// The form of the access credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessForm {
    /// An opaque session token: the record behind it is read.
    SessionToken,
    /// A signed JWT: it speaks for itself.
    Jwt,
}

/// What a login is handed at sign-in, at `/v1/refresh` and when a cookie is renewed in passing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handout {
    /// The form of the access credential.
    pub access: AccessForm,
    /// Whether the access credential travels in a cookie (else in the body).
    pub access_in_cookie: bool,
    /// Whether a refresh token comes with it.
    pub refresh: bool,
    /// Whether the refresh token travels in a cookie (else in the body).
    pub refresh_in_cookie: bool,
}

impl Handout {
    /// What `mode` hands to a login of `transport`. A login that was given a refresh token keeps being given one,
    /// whatever the mode has become: its client knows no other way to renew.
    pub const fn of(mode: Mode, transport: Transport, had_refresh: bool) -> Self {
        let access = match mode {
            Mode::Session => AccessForm::SessionToken,
            Mode::Jwt | Mode::Hybrid => AccessForm::Jwt,
        };
        // A single-page app holds its access credential in memory, so a reload needs the refresh cookie in `session`
        // mode too; in `jwt` the token it holds renews itself.
        let by_mode = match (mode, transport) {
            (Mode::Hybrid, _) | (Mode::Session, Transport::Split) => true,
            (Mode::Session | Mode::Jwt, _) => false,
        };
        Self {
            access,
            access_in_cookie: matches!(transport, Transport::Cookie),
            refresh: by_mode || had_refresh,
            refresh_in_cookie: !matches!(transport, Transport::Bearer),
        }
    }

    /// Whether a record has to stand behind the login.
    pub const fn needs_record(self) -> bool {
        self.refresh || matches!(self.access, AccessForm::SessionToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the design, row by row.
    #[test]
    fn the_table_of_modes_and_transports() {
        use AccessForm::{Jwt, SessionToken};
        let row = |mode, transport| {
            let handout = Handout::of(mode, transport, false);
            (handout.access, handout.access_in_cookie, handout.refresh, handout.refresh_in_cookie && handout.refresh)
        };
        assert_eq!(row(Mode::Session, Transport::Cookie), (SessionToken, true, false, false));
        assert_eq!(row(Mode::Session, Transport::Bearer), (SessionToken, false, false, false));
        assert_eq!(row(Mode::Session, Transport::Split), (SessionToken, false, true, true));
        assert_eq!(row(Mode::Jwt, Transport::Cookie), (Jwt, true, false, false));
        assert_eq!(row(Mode::Jwt, Transport::Bearer), (Jwt, false, false, false));
        assert_eq!(row(Mode::Jwt, Transport::Split), (Jwt, false, false, false));
        assert_eq!(row(Mode::Hybrid, Transport::Cookie), (Jwt, true, true, true));
        assert_eq!(row(Mode::Hybrid, Transport::Bearer), (Jwt, false, true, false));
        assert_eq!(row(Mode::Hybrid, Transport::Split), (Jwt, false, true, true));
    }

    #[test]
    fn a_login_with_a_refresh_token_keeps_one() {
        for mode in [Mode::Session, Mode::Jwt, Mode::Hybrid] {
            assert!(Handout::of(mode, Transport::Bearer, true).refresh);
            assert!(Handout::of(mode, Transport::Bearer, true).needs_record());
        }
    }
}
