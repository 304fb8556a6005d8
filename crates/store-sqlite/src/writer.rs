//! The one thread that writes: group commit.

mod checkpoint;
mod job;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::mpsc;

use self::checkpoint::Checkpoints;
pub(crate) use self::job::{Committed, Tx, write};
use self::job::{End, Job};
use crate::counters::Tally;
use crate::failure::Failure;
use crate::lock::ProcessLock;
use crate::marks::Marks;
use crate::standing::Standing;

/// How many writes may wait.
pub(crate) const QUEUE: usize = 1024;

/// The most writes of one transaction: a bound on how long the first of them waits for the others.
const BATCH: usize = 256;

/// A write, or the word that the store closes.
pub(crate) enum Order {
    Write(Box<dyn Job>),
    Close,
}

/// What the writing thread has.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) marks: Marks,
    pub(crate) standing: Arc<Standing>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) path: PathBuf,
    /// The threads that read; the file is closed after they have ended.
    pub(crate) readers: Vec<JoinHandle<()>>,
    /// Given back when everything else is over.
    pub(crate) lock: Arc<ProcessLock>,
}

/// Starts the thread. It ends when it was told to close, or nobody is left to give it work.
pub(crate) fn start(writer: Writer, queue: mpsc::Receiver<Order>) -> std::io::Result<JoinHandle<()>> {
    let running = Running { writer, checkpoints: Checkpoints::default(), unsynced: false };
    thread::Builder::new().name("misario-store-write".to_owned()).spawn(move || running.run(queue))
}

struct Running {
    writer: Writer,
    checkpoints: Checkpoints,
    /// An fsync failed; nothing is written any more.
    unsynced: bool,
}

impl Running {
    fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        let ends = EndOf(Arc::clone(&self.writer.standing));
        let mut orders = Vec::with_capacity(BATCH);
        // Whoever comes while a commit is under way is in the next one. Nothing waits for company.
        while queue.blocking_recv_many(&mut orders, BATCH) > 0 {
            let mut jobs = Vec::with_capacity(orders.len());
            for order in orders.drain(..) {
                match order {
                    Order::Write(job) => jobs.push(job),
                    Order::Close => queue.close(),
                }
            }
            self.carry_out(jobs);
            self.checkpoint();
        }
        // Before the lock is given back: from then on somebody else may tell where the store stands.
        drop(ends);
        self.close();
    }

    fn carry_out(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        jobs.retain(|job| !job.is_abandoned());
        if jobs.is_empty() {
            return;
        }
        match self.attempt(&mut jobs) {
            Ok(committed) => {
                for job in jobs {
                    job.answer(&End::Committed(&committed));
                }
            }
            // Whatever took the whole transaction down may be the fault of one; the others get their own.
            Err(failure) if jobs.len() > 1 && !failure.is_fatal() => {
                for job in jobs {
                    self.carry_out(vec![job]);
                }
            }
            Err(failure) => {
                for job in jobs {
                    job.answer(&End::Failed(&failure));
                }
            }
        }
    }

    /// All jobs in one transaction, each in a savepoint of its own; durable when this returns.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Committed, Failure> {
        if self.unsynced {
            return Err(Failure::Unsynced);
        }
        match self.transact(jobs) {
            Ok(marks) => {
                self.writer.tally.commits.add(1);
                self.checkpoints.count(jobs.len());
                let moved = marks.head != self.writer.marks.head;
                self.writer.marks = marks;
                let registry = if moved { self.writer.standing.publish(marks.head) } else { Vec::new() };
                Ok(Committed { registry })
            }
            Err(failure) => {
                self.note(&failure);
                // SQLite ends the transaction itself for some errors.
                if !self.writer.connection.is_autocommit()
                    && let Err(error) = self.writer.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(path = %self.writer.path.display(), %error, "a transaction could not be undone");
                    self.unsynced = true;
                }
                Err(failure)
            }
        }
    }

    fn transact(&self, jobs: &mut [Box<dyn Job>]) -> Result<Marks, Failure> {
        let connection = &self.writer.connection;
        let mut marks = self.writer.marks;
        step(connection, "BEGIN IMMEDIATE")?;
        for job in jobs {
            let before = marks;
            step(connection, "SAVEPOINT job")?;
            match job.run(&mut Tx { connection, marks: &mut marks }) {
                // It took the whole transaction with it, or nothing may be committed any more.
                Err(failure) if connection.is_autocommit() || failure.is_fatal() => return Err(failure),
                Err(failure) => {
                    report(&self.writer.path, &failure);
                    marks = before;
                    step(connection, "ROLLBACK TO job")?;
                }
                Ok(()) => {}
            }
            step(connection, "RELEASE job")?;
        }
        if marks != self.writer.marks {
            marks.write(connection)?;
        }
        step(connection, "COMMIT")?;
        Ok(marks)
    }

    fn checkpoint(&mut self) {
        if let Err(failure) = self.checkpoints.when_due(&self.writer) {
            self.note(&failure);
        }
    }

    fn note(&mut self, failure: &Failure) {
        self.unsynced |= failure.is_fatal();
        report(&self.writer.path, failure);
    }

    /// Leaves one file behind, with everything in it.
    fn close(self) {
        let Writer { connection, readers, lock, path, .. } = self.writer;
        for reader in readers {
            if reader.join().is_err() {
                tracing::error!(path = %path.display(), "a reading thread of the store has panicked");
            }
        }
        match checkpoint::everything(&connection) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(path = %path.display(), "somebody reads the store; its log stays beside it"),
            Err(failure) => {
                tracing::warn!(path = %path.display(), ?failure, "the store was closed with its log beside it");
            }
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(path = %path.display(), %error, "the store was not closed cleanly");
        }
        drop(lock);
    }
}

/// Nothing stands after the thread has ended, however it ends.
struct EndOf(Arc<Standing>);

impl Drop for EndOf {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The log says where; the error that callers get does not.
fn report(path: &Path, failure: &Failure) {
    let (path, code) = (path.display(), failure.to_store_error().code());
    if failure.is_fatal() {
        tracing::error!(%path, code, ?failure, "an fsync failed: no write is taken until the store is opened again");
    } else {
        tracing::error!(%path, code, ?failure, "the store could not write");
    }
}

fn step(connection: &Connection, statement: &str) -> Result<(), Failure> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests;
