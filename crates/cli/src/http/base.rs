//! Where a server is.

use misario_core::app::Origin;

use crate::failure::CliError;

/// The base URL of a server: an origin, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base(Origin);

impl Base {
    /// The base that `url` names.
    pub(crate) fn parse(url: &str) -> Result<Self, CliError> {
        let origin = origin(url)?;
        if !origin.is_plain_loopback() {
            let what = format!("{url} is not on this machine");
            let fix =
                "this version speaks plain HTTP to this machine only; use a tunnel: ssh -L 8420:127.0.0.1:8420 HOST";
            return Err(CliError::Usage { what, fix });
        }
        Ok(Self(origin))
    }

    /// The base of a server of this machine's, as it wrote it down itself, where only its user can write. It may listen
    /// on any of the machine's addresses; what is sent there stays on the machine.
    pub(crate) fn own(url: &str) -> Result<Self, CliError> {
        let origin = origin(url)?;
        if origin.is_https() {
            let fix = "the file is written by `serve` and `dev`; stop the server and start it again";
            return Err(CliError::Usage { what: format!("{url} is not the URL of a server of ours"), fix });
        }
        Ok(Self(origin))
    }

    /// `http://127.0.0.1:8420`.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// `127.0.0.1:8420`.
    pub(crate) fn authority(&self) -> String {
        let authority = self.as_str().trim_start_matches("http://");
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        if has_port { authority.to_owned() } else { format!("{authority}:80") }
    }
}

fn origin(url: &str) -> Result<Origin, CliError> {
    url.trim_end_matches('/').parse().map_err(|_| CliError::Usage {
        what: format!("{url:?} is no server's URL"),
        fix: "a server is named by scheme, host and port: http://127.0.0.1:8420",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_on_this_machine() {
        assert_eq!(Base::parse("http://127.0.0.1:8420/").unwrap().authority(), "127.0.0.1:8420");
        assert_eq!(Base::parse("http://localhost").unwrap().authority(), "localhost:80");
        for bad in ["https://auth.example.com", "http://10.0.0.1:8420", "127.0.0.1:8420", "http://localhost/path"] {
            assert!(Base::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn our_own_server_may_listen_on_any_address_of_the_machine() {
        assert_eq!(Base::own("http://10.0.0.1:8420").unwrap().authority(), "10.0.0.1:8420");
        for bad in ["https://10.0.0.1:8420", "10.0.0.1:8420", "http://10.0.0.1/path"] {
            assert!(Base::own(bad).is_err(), "{bad}");
        }
    }
}
