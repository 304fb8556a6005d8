//! Settings as a server is started with them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use misario_server::{AppSetting, ServerConfig, SettingSource};

use crate::config::{Origin, Settings};
use crate::data::instance::{Instance, MadeBy};

/// What a server in a data folder is started from.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Its settings.
    pub(crate) config: ServerConfig,
    /// The file of its store, relative to the folder.
    pub(crate) database: PathBuf,
    /// The command whose store it is.
    pub(crate) made_by: MadeBy,
}

impl Setup {
    /// The server that `settings` describe, under `issuer`, for this command.
    pub(crate) fn new(settings: Settings, issuer: String, made_by: MadeBy) -> Self {
        let setting = |(app, at)| AppSetting { app, source: source(&at) };
        let config = ServerConfig {
            issuer,
            leeway: settings.leeway,
            lease: settings.lease,
            apps: settings.apps.into_iter().map(setting).collect(),
            policies: settings.policies,
            demo: false,
            bootstrap_secret: settings.bootstrap_secret,
            password_threads: password_threads(),
        };
        Self { config, database: settings.database, made_by }
    }

    /// The server that an existing store needs for a command: its apps are in the store.
    pub(crate) fn bare(instance: Instance) -> Self {
        let config = ServerConfig {
            issuer: instance.issuer,
            leeway: 0,
            lease: Duration::from_secs(2),
            apps: Vec::new(),
            policies: BTreeMap::new(),
            demo: false,
            bootstrap_secret: None,
            password_threads: 1,
        };
        Self { config, database: instance.database, made_by: instance.made_by }
    }
}

/// Who says so, as far as the server tells them apart.
const fn source(origin: &Origin) -> SettingSource {
    match origin {
        Origin::File { .. } | Origin::Environment { .. } | Origin::Argument { .. } => SettingSource::File,
        Origin::Default => SettingSource::Code,
    }
}

/// Half of the processors hash passwords, so that sign-ins never take the other half from requests.
fn password_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().div_ceil(2))
}
