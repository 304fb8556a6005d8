//! A server in this process, before and without any socket.

use std::sync::Arc;

use misario_core::changes::Epoch;
use misario_core::client::Right;
use misario_core::id::ClientId;
use misario_core::store::{LiveStore, RecordStore};
use misario_server::instance::NewClient;
use misario_server::{Parts, Server, Stores};
use misario_store_sqlite::{Options, SqliteStore};
use misario_tower::{Clock as _, OsEntropy, SystemClock};

use super::Setup;
use crate::data::instance::{self, Instance};
use crate::data::lock::FolderLock;
use crate::data::run_file::Credential;
use crate::data::{DataFolder, master, owner};

/// The client that administers for the time of one run.
const RUN_CLIENT: &str = "misario-run";

/// A started server, its store, and a client made for this run that may administer it.
pub(crate) struct Opened {
    /// The server.
    pub(crate) server: Server,
    /// The client of this run.
    pub(crate) credential: Credential,
    store: Arc<SqliteStore>,
    client: ClientId,
    lock: FolderLock,
}

impl Opened {
    /// Takes the folder, opens its store, neither of which anybody else may have, and starts a server on it.
    pub(crate) async fn open(folder: &DataFolder, setup: Setup, holder: &str) -> anyhow::Result<Self> {
        folder.create()?;
        // Before anything is made there, and once more when nobody else can make anything.
        owner::admit(folder)?;
        let lock = FolderLock::take(folder, holder).await?;
        instance::admit(folder, &setup.database, setup.made_by)?;
        let database = folder.file(&setup.database);
        let issuer = setup.config.issuer.clone();
        let instance = Instance { issuer, database: setup.database, made_by: setup.made_by };
        if !database.exists() && Instance::of_store(folder)?.is_none() {
            // Whose store it is, before there is one: a start that is cut off goes on at the next.
            instance.write(folder)?;
        }
        let keys = master::load_or_make(folder, &database, &OsEntropy)?;
        let store = Arc::new(SqliteStore::open(
            &database,
            Options { epoch: Epoch::beginning(SystemClock.wall()), ..Options::default() },
        )?);
        store.set_holder(holder);
        instance.write(folder)?;
        let records: Arc<dyn RecordStore> = store.clone();
        let live: Arc<dyn LiveStore> = store.clone();
        let server = Server::start(Parts { config: setup.config, stores: Stores { records, live }, keys }).await?;
        let client = ClientId::new(RUN_CLIENT)?;
        let credential = run_client(&server, &client).await?;
        Ok(Self { server, credential, store, client, lock })
    }

    /// Stops the server, lets its run's client go, and gives the store back.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let removed = self.server.instance().remove_client(&self.client).await;
        self.server.shutdown().await;
        self.store.close().await?;
        // Last, when whoever takes the folder next finds the store closed.
        drop(self.lock);
        Ok(removed?)
    }
}

/// One that a killed run left behind goes first: its secret was in a file.
async fn run_client(server: &Server, id: &ClientId) -> anyhow::Result<Credential> {
    let instance = server.instance();
    instance.remove_client(id).await?;
    let new = NewClient { id: id.clone(), app: None, rights: [Right::Admin].into(), scopes: Vec::new() };
    let (_, secret) = instance.add_client(new).await?;
    Ok(Credential { id: id.to_string(), secret })
}
