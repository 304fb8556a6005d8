//! What a server is started with. Reading files and environment is the host's work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use misario_core::app::App;
use misario_core::authn::Requirement;
use misario_core::secret::{SecretText, TokenKeys};
use misario_core::store::{LiveStore, RecordStore};
use misario_jose::Entropy;
use misario_tower::{Clock, OsEntropy, SystemClock};
use serde::{Deserialize, Serialize};

/// The settings of a server.
#[derive(Debug)]
pub struct ServerConfig {
    /// The claim `iss`: the URL under which clients reach this server.
    pub issuer: String,
    /// The leeway for times in tokens, in seconds; at most 300.
    pub leeway: u64,
    /// How long a replica may answer from memory without hearing from here.
    pub lease: Duration,
    /// Initial values of apps. The store is the truth: a value is applied only where it differs from what the same
    /// source said when it was last applied.
    pub apps: Vec<AppSetting>,
    /// Named policies for `/v1/check`.
    pub policies: BTreeMap<String, Requirement>,
    /// Whether the demo pages are served.
    pub demo: bool,
    /// What makes the first administrator, once.
    pub bootstrap_secret: Option<SecretText>,
    /// Threads that hash passwords.
    pub password_threads: usize,
}

/// An app as a source of configuration sets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppSetting {
    /// The app.
    pub app: App,
    /// Who says so.
    pub source: SettingSource,
}

/// Who set a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingSource {
    /// The configuration file.
    File,
    /// Code, or the built-in defaults of `dev`.
    Code,
    /// An administrator.
    Admin,
}

/// Where a server keeps things.
#[derive(Clone)]
pub struct Stores {
    /// Users, clients, keys, apps.
    pub records: Arc<dyn RecordStore>,
    /// Sessions and the change log.
    pub live: Arc<dyn LiveStore>,
}

/// Everything a server is started from.
pub struct Parts {
    /// Its settings.
    pub config: ServerConfig,
    /// Its stores.
    pub stores: Stores,
    /// The keys behind its tokens; they are not in the stores.
    pub keys: TokenKeys,
}

/// Where a server takes time and randomness from; by default from the operating system.
#[derive(Clone)]
pub struct Platform {
    /// Its clocks.
    pub clock: Arc<dyn Clock>,
    /// Its randomness: secrets are made of it.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Platform {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) }
    }
}
