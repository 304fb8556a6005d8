//! The store as its caller has it.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use misario_core::changes::Epoch;
use misario_core::store::StoreError;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::counters::{Counters, Tally};
use crate::failure::Failure;
use crate::lock::ProcessLock;
use crate::standing::Standing;
use crate::writer::{Committed, Tx};
use crate::{open, readers, writer};

/// How a store is run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long a verb may take. Default: 5 s.
    pub deadline: Duration,
    /// How many threads read. Default: 4.
    pub readers: usize,
    /// How large the file may become, in octets; a write beyond that fails as if the disk were full. Default: no limit.
    pub max_bytes: Option<u64>,
    /// The epoch that entries have from here on, unless the file's own is later: seconds since 1970 are a good one. A file
    /// that was put back to an earlier state has forgotten what positions it gave since, and in an epoch of its own every
    /// revocation comes after all of them. Default: 1, which makes each opening's epoch the one after the file's.
    pub epoch: Epoch,
}

impl Default for Options {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(5), readers: 4, max_bytes: None, epoch: Epoch(1) }
    }
}

/// What a store is made of while it is open.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) reads: mpsc::Sender<readers::Order>,
    pub(crate) writes: mpsc::Sender<writer::Order>,
    pub(crate) thread: JoinHandle<()>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) tally: Arc<Tally>,
    /// The writing thread gives the lock back when it ends.
    pub(crate) lock: Weak<ProcessLock>,
}

/// misario's records and live state in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    reads: mpsc::Sender<readers::Order>,
    writes: mpsc::Sender<writer::Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) standing: Arc<Standing>,
    tally: Arc<Tally>,
    lock: Weak<ProcessLock>,
    deadline: Duration,
}

impl SqliteStore {
    /// The store in the file at `path`, made if there is none; the folder has to exist. Nobody else can have it until
    /// this one is closed or dropped. The call blocks: open before serving, or on a thread that may.
    ///
    /// # Errors
    /// `store_locked` with the holder's name, `store_read_only`, `store_full`, `store_corrupt`, `store_foreign` (the
    /// file is another program's), `store_version` (it is of a newer misario), `store_unavailable`. The path is in the
    /// log, not in the error.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let Parts { reads, writes, thread, standing, tally, lock } = open::open(path, &options)?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { reads, writes, thread, standing, tally, lock, deadline: options.deadline })
    }

    /// Leaves word for whoever finds the store locked: who has it, and where that server can be reached.
    pub fn set_holder(&self, line: &str) {
        if let Some(lock) = self.lock.upgrade()
            && let Err(error) = lock.name(line)
        {
            tracing::warn!(%error, "the holder's name could not be written beside the store");
        }
    }

    /// What the store did so far.
    pub fn counters(&self) -> Counters {
        self.tally.read()
    }

    /// Answers what is under way, moves everything into the one file and gives it back. Every later verb fails.
    pub async fn close(&self) -> Result<(), StoreError> {
        // An error means that the thread has ended already.
        let _ = self.reads.send(readers::Order::Close).await;
        let _ = self.writes.send(writer::Order::Close).await;
        self.writes.closed().await;
        let Some(thread) = self.thread.lock().take() else { return Ok(()) };
        let ended = tokio::task::spawn_blocking(|| thread.join()).await;
        match ended {
            Ok(Ok(())) => Ok(()),
            _ => Err(Failure::Closed.to_store_error()),
        }
    }

    /// A write that needs nothing after its commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_and(work, |done, _| done).await
    }

    /// A write, and what is made of it after its commit.
    pub(crate) async fn write_and<T: Send + 'static, R: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
        finish: impl FnOnce(T, &Committed) -> R + Send + 'static,
    ) -> Result<R, StoreError> {
        let (order, answer) = writer::write(work, finish);
        let answer = self.answered(self.writes.send(order), answer).await;
        self.tally.writes.add(u64::from(answer.is_ok()));
        answer
    }

    /// What stands in memory.
    pub(crate) fn standing<T>(&self, look: impl FnOnce(&Standing) -> Result<T, Failure>) -> Result<T, StoreError> {
        let answer = look(&self.standing).map_err(|failure| failure.to_store_error());
        self.tally.failures.add(u64::from(answer.is_err()));
        answer
    }

    /// A reading; all its statements see one moment. The readers outlive a writer that has panicked; the store does not.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.standing(|standing| standing.head().map(drop))?;
        let (order, answer) = readers::reading(work);
        let answer = self.answered(self.reads.send(order), answer).await;
        self.tally.reads.add(u64::from(answer.is_ok()));
        answer
    }

    async fn answered<T, E>(
        &self,
        sent: impl Future<Output = Result<(), E>>,
        answer: oneshot::Receiver<Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        let answered = async {
            sent.await.map_err(|_| Failure::Closed)?;
            answer.await.map_err(|_| Failure::Closed)?
        };
        let answer = if let Ok(answer) = tokio::time::timeout(self.deadline, answered).await {
            answer.map_err(|failure| failure.to_store_error())
        } else {
            Err(StoreError::Timeout { after_ms: u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX) })
        };
        self.tally.failures.add(u64::from(answer.is_err()));
        answer
    }
}

impl Drop for SqliteStore {
    /// Gives the file back before the store is gone, so that it can be opened again at once.
    fn drop(&mut self) {
        let (reads, writes) = (mpsc::channel(1).0, mpsc::channel(1).0);
        drop(std::mem::replace(&mut self.reads, reads));
        drop(std::mem::replace(&mut self.writes, writes));
        if let Some(thread) = self.thread.get_mut().take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread of the store has panicked");
        }
    }
}
