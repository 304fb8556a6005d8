//! Where a server is.

use misario_core::app::Origin;

use crate::failure::CliError;

/// The base URL of a server: an origin, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base(Origin);

impl Base {
    /// The base that `url` names.
    pub(crate) fn parse(url: &str) -> Result<Self, CliError> {
        let usage = |what: String, fix| CliError::Usage { what, fix };
        let origin: Origin = url.trim_end_matches('/').parse().map_err(|_| {
            usage(
                format!("{url:?} is no server's URL"),
                "a server is named by scheme, host and port: http://127.0.0.1:8420",
            )
        })?;
        if !origin.is_plain_loopback() {
            let fix =
                "this version speaks plain HTTP to this machine only; use a tunnel: ssh -L 8420:127.0.0.1:8420 HOST";
            return Err(usage(format!("{url} is not on this machine"), fix));
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
}
