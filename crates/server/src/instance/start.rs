//! Starting: keys, the view of the log, apps; then the loops.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use misario_core::app::{App, BUILT_IN, Mode, Transport};
use misario_core::authn::{IssuerFacts, Memory, Snapshot};
use misario_core::changes::{LeaseConfig, MonoTime, Replica};
use misario_core::id::{AppId, InvalidName};
use misario_core::store::{NewRecord, RecordInserted, RecordKind, RecordStore, RecordSwapped, StoreError};
use misario_jose::Algorithm;
use parking_lot::RwLock;

use super::intents::UnderWay;
use super::signing::{SigningKeyRecord, SigningKeys};
use super::{Instance, node};
use crate::config::{AppSetting, Parts, Platform, SettingSource};
use crate::error::Error;
use crate::passwords::Passwords;
use crate::throttle::Throttle;

/// How often it is looked whether the leases of an earlier process have run out.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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

        let earlier = earlier_lease(&*stores.records, config.lease).await?;
        let started = clock.mono();
        let instance = Arc::new(Self {
            node: node::Node::new(started, config.lease, earlier, position),
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
            longest_window: AtomicU64::new(0),
            under_way: UnderWay::default(),
            loops: parking_lot::Mutex::default(),
            changing_keys: tokio::sync::Mutex::default(),
            changing_apps: tokio::sync::Mutex::default(),
        });
        instance.load_keys().await?;
        instance.load_apps().await?;
        instance.finish_intents().await?;
        instance.first_lease().await?;
        instance.spawn_loops();
        if let Some(earlier) = earlier.filter(|earlier| *earlier > instance.config.lease) {
            tokio::spawn(Self::outlive_lease(Arc::downgrade(&instance), started, earlier));
        }
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
        *self.loops.lock() = vec![
            tokio::spawn(Self::follow_forever(Arc::downgrade(self))),
            tokio::spawn(Self::sweep_forever(Arc::downgrade(self))),
        ];
    }

    /// Waits until the longer leases of an earlier process have run out, and lowers the record.
    async fn outlive_lease(instance: Weak<Self>, started: MonoTime, earlier: Duration) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(instance) = instance.upgrade() else { return };
            if instance.clock.mono().since(started) < earlier {
                continue;
            }
            match forget_lease(&*instance.records, earlier, instance.config.lease).await {
                Ok(()) => return,
                Err(error) => tracing::debug!(code = error.code(), "the record of the longest lease stays"),
            }
        }
    }
}

/// Keeps the longest lease that may be out, in milliseconds.
pub(super) const LEASE_RECORD: &str = "lease_ms";

/// The longest lease that an earlier process may have granted. The record keeps it beside the one of this process, so
/// that another start before it has run out waits for it, too.
async fn earlier_lease(records: &dyn RecordStore, lease: Duration) -> Result<Option<Duration>, StoreError> {
    note_lease(records, |known| known.map_or(lease, |known| known.max(lease))).await
}

/// Writes down the lease that `decide` makes of the recorded one; returns what was recorded before.
async fn note_lease(
    records: &dyn RecordStore,
    decide: impl Fn(Option<Duration>) -> Duration + Send,
) -> Result<Option<Duration>, StoreError> {
    loop {
        let record = records.load_record(RecordKind::Instance, LEASE_RECORD).await?;
        // What cannot be read is no word that nobody was ever granted anything.
        let known = record.as_ref().map(|record| record.body.parse().map(Duration::from_millis)).transpose();
        let known = known.map_err(|_| StoreError::Corrupt { what: "lease record", source: None })?;
        let body = node::millis(decide(known)).to_string();
        let new = NewRecord { kind: RecordKind::Instance, key: LEASE_RECORD.to_owned(), alias: None, body };
        let is_done = match &record {
            Some(record) if record.body == new.body => true,
            Some(record) => matches!(records.swap_record(new, record.revision).await?, RecordSwapped::Done(_)),
            None => matches!(records.insert_record(new).await?, RecordInserted::Done(_)),
        };
        // Another node that starts at the same time was first: its lease counts, too.
        if is_done {
            return Ok(known);
        }
    }
}

/// Lowers the record once no lease of `earlier` is out any more. A node that started since may grant longer ones.
async fn forget_lease(records: &dyn RecordStore, earlier: Duration, lease: Duration) -> Result<(), StoreError> {
    let decide = |known: Option<Duration>| match known {
        Some(known) if known != earlier => known.max(lease),
        _ => lease,
    };
    note_lease(records, decide).await.map(drop)
}

impl From<InvalidName> for Error {
    fn from(error: InvalidName) -> Self {
        Self::Input(error.into())
    }
}

#[cfg(test)]
mod tests {
    use misario_core::store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn a_longer_lease_is_waited_for_until_it_has_run_out() {
        let (store, long, short) = (MemoryStore::new(), Duration::from_secs(10), Duration::from_secs(2));
        assert_eq!(earlier_lease(&store, long).await.unwrap(), None, "the first start waits for nobody");
        for _ in 0..2 {
            assert_eq!(
                earlier_lease(&store, short).await.unwrap(),
                Some(long),
                "it ended before the long one had run out"
            );
        }
        forget_lease(&store, long, short).await.unwrap();
        assert_eq!(earlier_lease(&store, short).await.unwrap(), Some(short));
    }

    #[tokio::test]
    async fn the_lease_of_a_node_that_came_meanwhile_stays() {
        let (store, short) = (MemoryStore::new(), Duration::from_secs(2));
        let [long, longer] = [10, 30].map(Duration::from_secs);
        for lease in [long, short, longer] {
            earlier_lease(&store, lease).await.unwrap();
        }
        forget_lease(&store, long, short).await.unwrap();
        assert_eq!(earlier_lease(&store, short).await.unwrap(), Some(longer));
    }
}
