//! The settings that a server runs with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use misario_core::app::{App, Origin as WebOrigin};
use misario_core::authn::Requirement;
use misario_core::id::AppId;
use misario_core::secret::SecretText;
use serde::Serialize;

use super::error::{ConfigError, ConfigErrors};
use super::reader::Reader;
use super::value::{Leaf, Origin, Values};
use super::{apps, policies};
use crate::secrets;

/// What a command has where nobody says anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    /// The address to listen on, and who said so.
    pub(crate) http: Option<(String, Origin)>,
    /// Whether apps and issuer come from elsewhere (`dev` makes its own).
    pub(crate) own_apps: bool,
}

/// A configuration that can work.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The claim `iss`; absent only where the command makes its own.
    pub(crate) issuer: Option<String>,
    /// Seconds that clocks may differ by.
    pub(crate) leeway: u64,
    /// The address to listen on.
    pub(crate) http: SocketAddr,
    /// The file of the embedded store, relative to the data folder.
    pub(crate) database: PathBuf,
    /// How long a replica may answer from memory.
    pub(crate) lease: Duration,
    /// The apps, with the place of each.
    pub(crate) apps: Vec<(App, Origin)>,
    /// Requirements by name.
    pub(crate) policies: BTreeMap<String, Requirement>,
    /// What the first administrator is made with.
    pub(crate) bootstrap_secret: Option<SecretText>,
    /// Every effective setting, for `config show`.
    pub(crate) shown: Vec<Shown>,
}

/// How many seconds the clocks of machines that are kept right may still differ by. Without it, a verifier whose clock is a
/// moment behind refuses a token that was just made.
const LEEWAY: u64 = 5;

/// An effective setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    /// `app.web.mode`.
    pub(crate) key: String,
    /// Its value; secrets are not shown.
    pub(crate) value: String,
    /// Where it comes from.
    pub(crate) origin: String,
}

/// The settings, or everything that is wrong.
pub(super) fn build(values: Values, defaults: &Defaults, problems: Vec<ConfigError>) -> Result<Settings, ConfigErrors> {
    let mut reader = Reader { values, problems, shown: Vec::new() };
    let issuer = issuer(&mut reader, defaults);
    // On one machine there is one clock.
    let mut leeway = if defaults.own_apps { 0 } else { LEEWAY };
    reader.seconds("leeway", &mut leeway);
    if leeway > 60 {
        reader.invalid("leeway", "an expired token would count for more than a minute; set the clocks right".into());
    }
    let http = listen(&mut reader, defaults);
    let database = storage(&mut reader);
    let lease = lease(&mut reader);
    let bootstrap_secret = bootstrap(&mut reader);
    let names = reader.values.names("app");
    let apps: Vec<(App, Origin)> =
        names.iter().filter_map(|(name, at)| Some((apps::read(&mut reader, name, at)?, at.clone()))).collect();
    let known: Vec<AppId> = names.iter().filter_map(|(name, _)| AppId::new(name).ok()).collect();
    let policies = reader.values.names("policy");
    let policies =
        policies.iter().filter_map(|(name, _)| Some((name.clone(), policies::read(&mut reader, name, &known)?)));
    let policies = policies.collect();
    if !reader.problems.is_empty() {
        return Err(ConfigErrors(reader.problems));
    }
    reader.shown.sort_by(|a, b| a.key.cmp(&b.key));
    let shown = reader.shown;
    Ok(Settings { issuer, leeway, http, database, lease, apps, policies, bootstrap_secret, shown })
}

fn issuer(reader: &mut Reader, defaults: &Defaults) -> Option<String> {
    let Some(written) = reader.written_text("issuer") else {
        if !defaults.own_apps {
            let why = "it is the claim `iss` of every token, for good: the https URL that users reach this server by";
            let (at, key) = (Origin::Default, "issuer".to_owned());
            reader.problem(ConfigError::Missing { at, key, why });
        }
        return None;
    };
    if defaults.own_apps {
        let why = "`dev` is its own issuer, under the address that it listens on; leave it out, or use `misario serve`";
        reader.invalid("issuer", why.into());
        return None;
    }
    // RFC 8414 §2: a URL without query and fragment. Stock libraries compare it character by character.
    let origin = WebOrigin::of_url(&written);
    if origin.is_none() || written.contains(['?', '#']) || written.ends_with('/') {
        let why = "an issuer is an https URL without query, fragment and final slash, as tokens will carry it";
        reader.invalid("issuer", why.into());
    } else if origin.is_some_and(|origin| !origin.is_https() && !origin.is_plain_loopback()) {
        let why = "passwords and tokens would cross the network unprotected; use https, with a proxy in front";
        reader.unsafe_value("issuer", why);
    }
    Some(written)
}

fn listen(reader: &mut Reader, defaults: &Defaults) -> SocketAddr {
    let standard = SocketAddr::from(([127, 0, 0, 1], 8420));
    if reader.written_text("listen.admin").is_some() {
        reader.not_available("listen.admin", "administration is on listen.http; keep it from the outside in the proxy");
    }
    let (address, at) = if let Some((text, at)) = &defaults.http {
        (argument(reader, text, at).unwrap_or(standard), at.clone())
    } else {
        let mut address = standard;
        reader.parsed("listen.http", &mut address);
        (address, reader.place("listen.http").unwrap_or(Origin::Default))
    };
    if !address.ip().is_loopback() && issuer_is_plain(reader) {
        let why =
            "the issuer is plain http, so this would offer passwords and tokens to the network; listen on 127.0.0.1";
        let (key, value) = ("listen.http".to_owned(), format!("{:?}", address.to_string()));
        reader.problem(ConfigError::Unsafe { at, key, value, why });
    }
    address
}

/// The address that an argument names, above all settings.
fn argument(reader: &mut Reader, text: &str, at: &Origin) -> Option<SocketAddr> {
    let value = text.to_owned();
    reader.shown.push(Shown { key: "listen.http".into(), value, origin: at.to_string() });
    let address = text.parse().ok();
    if address.is_none() {
        let (key, value) = ("listen.http".to_owned(), format!("{text:?}"));
        let why = "an address and a port: 127.0.0.1:8420, [::1]:8420 or 0.0.0.0:8420".to_owned();
        reader.problem(ConfigError::Invalid { at: at.clone(), key, value, why });
    }
    address
}

/// Judged by the origin as read, because a scheme may be written in any case.
fn issuer_is_plain(reader: &Reader) -> bool {
    let written = reader.values.get("issuer").and_then(Leaf::text);
    written.and_then(|url| WebOrigin::of_url(&url)).is_some_and(|origin| !origin.is_https())
}

fn storage(reader: &mut Reader) -> PathBuf {
    let available = "this version has the embedded store: records = \"sqlite:misario.db\", and no `live`";
    let standard = "sqlite:misario.db".to_owned();
    let records = reader.written_text("storage.records");
    if records.is_none() {
        reader.shown("storage.records", &standard);
    }
    let records = records.unwrap_or(standard);
    if let Some(live) = reader.written_text("storage.live")
        && live != records
    {
        reader.not_available("storage.live", available);
    }
    match records.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() && !path.starts_with("//") => return PathBuf::from(path),
        Some(("postgres" | "postgresql" | "redis" | "rediss" | "memory", _)) => {
            reader.not_available("storage.records", available);
        }
        _ => reader.invalid("storage.records", "a store is named as sqlite:FILE, FILE being in the data folder".into()),
    }
    PathBuf::new()
}

fn lease(reader: &mut Reader) -> Duration {
    let mut lease = Duration::from_secs(2);
    reader.duration("changes.lease", &mut lease);
    if lease < Duration::from_millis(200) || lease > Duration::from_mins(1) {
        let why = "a lease lives 200ms to 60s: shorter ones are lost to every hiccup, and a revoke waits for a dead replica's";
        reader.invalid("changes.lease", why.into());
    }
    lease
}

fn bootstrap(reader: &mut Reader) -> Option<SecretText> {
    let named = reader.written_text("bootstrap.secret_file");
    let direct = reader.values.get("bootstrap.secret").cloned();
    let secret = match (named, direct) {
        (None, None) => return None,
        (Some(path), None) => secret_file(reader, PathBuf::from(path))?,
        (None, Some(leaf)) => {
            reader.shown("bootstrap.secret", "(not shown)");
            if matches!(leaf.at, Origin::File { .. }) {
                let why = "the file is copied and checked in; use secret_file, or MISARIO_BOOTSTRAP__SECRET_FILE";
                reader.unsafe_value("bootstrap.secret", why);
            }
            leaf.text().map(SecretText::new)?
        }
        (Some(_), Some(_)) => {
            reader
                .invalid("bootstrap.secret_file", "bootstrap.secret is set as well, and only one can be meant".into());
            return None;
        }
    };
    if secret.expose().len() < 16 {
        let key =
            if reader.values.get("bootstrap.secret").is_some() { "bootstrap.secret" } else { "bootstrap.secret_file" };
        reader.invalid(key, "the secret is shorter than 16 octets and could be guessed; `openssl rand -hex 16`".into());
    }
    Some(secret)
}

fn secret_file(reader: &mut Reader, path: PathBuf) -> Option<SecretText> {
    match secrets::read_file(&path) {
        Ok(secret) => Some(secret),
        Err(crate::failure::CliError::FileUnreadable { source, .. }) => {
            let key = "bootstrap.secret_file".to_owned();
            let at = reader.place(&key).unwrap_or(Origin::Default);
            reader.problem(ConfigError::SecretUnreadable { at, key, path, source });
            None
        }
        Err(_) => None,
    }
}
