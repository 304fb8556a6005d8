//! Starting: keys, the view of the log, apps; then the loops.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use misario_core::app::{App, BUILT_IN, Mode, Transport};
use misario_core::authn::{IssuerFacts, Memory, Snapshot};
use misario_core::changes::{LeaseConfig, Replica};
use misario_core::id::{AppId, InvalidName};
use misario_core::store::{NewRecord, RecordKind, RecordStore, StoreError};
use misario_jose::Algorithm;
use parking_lot::RwLock;

use super::signing::{SigningKeyRecord, SigningKeys};
use super::{Instance, node};
use crate::config::{AppSetting, Parts, Platform, SettingSource};
use crate::error::Error;
use crate::passwords::Passwords;
use crate::throttle::Throttle;

/// The authority cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store, a record or a setting does not let it.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The operating system gives no thread.
    #[error("no thread for password hashing")]
    Threads {
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// The snapshot of the log contradicts itself.
    #[error("the change log in the store contradicts itself: restore the store from a backup")]
    Log,
}

impl StartError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::Threads { .. } => "threads_unavailable",
            Self::Log => "store_corrupt",
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl Instance {
    /// Starts the authority. When it returns, checks are answered.
    pub async fn start(parts: Parts, platform: Platform) -> Result<Arc<Self>, StartError> {
        let Parts { config, stores, keys } = parts;
        let Platform { clock, entropy } = platform;
        let passwords = Passwords::start(config.password_threads.max(1), Arc::clone(&entropy));
        let passwords = passwords.map_err(|source| StartError::Threads { source })?;
        let issuer = IssuerFacts { issuer: config.issuer.clone(), leeway: config.leeway };
        let replica = Replica::new(LeaseConfig::new(config.lease), &*entropy);
        let mut memory = Memory::new(replica, issuer, keys.replica().clone(), &*entropy);
        let (position, changes) = stores.live.snapshot().await?;
        let snapshot = Snapshot { position, changes: &changes, issuer: None };
        memory.adopt(snapshot, &*entropy).map_err(|_| StartError::Log)?;

        let instance = Arc::new(Self {
            node: node::Node::new(clock.mono(), config.lease, earlier_lease(&*stores.records, config.lease).await?),
            config,
            records: stores.records,
            live: stores.live,
            keys,
            signing: RwLock::default(),
            memory: Arc::new(RwLock::new(memory)),
            passwords,
            throttle: Throttle::default(),
            clock,
            entropy,
            guard: OnceLock::new(),
            longest_access: AtomicU64::new(0),
        });
        instance.load_keys().await?;
        instance.load_apps().await?;
        instance.first_lease().await?;
        instance.spawn_loops();
        Ok(instance)
    }

    async fn load_keys(&self) -> Result<(), Error> {
        let records = self.load_all::<SigningKeyRecord>(RecordKind::SigningKey).await?;
        *self.signing.write() = SigningKeys::open(records, &self.keys)?;
        self.announce_stored_keys().await?;
        self.ensure_signing_key(Algorithm::Es256).await
    }

    async fn load_apps(&self) -> Result<(), Error> {
        self.apply_setting(&self.built_in_app()?).await?;
        for setting in &self.config.apps {
            self.apply_setting(setting).await?;
        }
        self.announce_apps().await
    }

    /// Administration is an app like any other: session mode, cookies, at the issuer's own origin.
    fn built_in_app(&self) -> Result<AppSetting, InvalidName> {
        let origin = misario_core::app::Origin::of_url(&self.config.issuer);
        let transports = [Transport::Cookie, Transport::Bearer];
        let app = App::new(AppId::new(BUILT_IN)?, Mode::Session, &transports, origin.into_iter().collect());
        Ok(AppSetting { app, source: SettingSource::Code })
    }

    fn spawn_loops(self: &Arc<Self>) {
        tokio::spawn(Self::follow_forever(Arc::downgrade(self)));
        tokio::spawn(Self::sweep_forever(Arc::downgrade(self)));
    }
}

/// The longest lease that an earlier process may have granted; the one of this process is written down, so that the next
/// one waits for it.
async fn earlier_lease(records: &dyn RecordStore, lease: Duration) -> Result<Duration, StartError> {
    const KEY: &str = "lease_ms";
    let record = records.load_record(RecordKind::Instance, KEY).await?;
    let earlier = record.as_ref().and_then(|record| record.body.parse().ok()).map(Duration::from_millis);
    let new = NewRecord {
        kind: RecordKind::Instance,
        key: KEY.to_owned(),
        alias: None,
        body: node::millis(lease).to_string(),
    };
    match &record {
        Some(record) if record.body == new.body => {}
        Some(record) => drop(records.swap_record(new, record.revision).await?),
        None => drop(records.insert_record(new).await?),
    }
    Ok(earlier.unwrap_or(lease))
}

impl From<InvalidName> for Error {
    fn from(error: InvalidName) -> Self {
        Self::Input(error.into())
    }
}
