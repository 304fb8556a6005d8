//! A write on its way through the queue, the transaction and back.

use misario_core::store::RegistryEntry;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Order;
use crate::failure::Failure;
use crate::marks::Marks;

/// The transaction as a write sees it.
pub(crate) struct Tx<'t> {
    pub(crate) connection: &'t Connection,
    /// Where the store will stand after the commit.
    pub(crate) marks: &'t mut Marks,
}

/// What was true in the moment that a commit became visible.
pub(crate) struct Committed {
    /// The registry; read only if the log moved.
    pub(crate) registry: Vec<RegistryEntry>,
}

/// How a job's transaction ended.
pub(crate) enum End<'e> {
    Committed(&'e Committed),
    Failed(&'e Failure),
}

/// A write. It may be run several times, if the transaction that it was in comes to nothing.
pub(crate) trait Job: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;

    /// Does it. If it fails, the caller undoes what it did.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure>;

    /// Tells who waits for it.
    fn answer(self: Box<Self>, end: &End<'_>);
}

struct Write<W, T, F, R> {
    work: W,
    outcome: Option<Result<T, Failure>>,
    finish: F,
    reply: oneshot::Sender<Result<R, Failure>>,
}

/// A write and where its answer comes from. `work` runs in the transaction, `finish` after the commit.
pub(crate) fn write<T, R>(
    work: impl FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    finish: impl FnOnce(T, &Committed) -> R + Send + 'static,
) -> (Order, oneshot::Receiver<Result<R, Failure>>)
where
    T: Send + 'static,
    R: Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Order::Write(Box::new(Write { work, outcome: None, finish, reply })), answer)
}

impl<W, T, F, R> Job for Write<W, T, F, R>
where
    W: FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send,
    F: FnOnce(T, &Committed) -> R + Send,
    T: Send,
    R: Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let outcome = (self.work)(tx);
        let done = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        done
    }

    fn answer(self: Box<Self>, end: &End<'_>) {
        let answer = match (self.outcome, end) {
            // Its own failure says more than that of the transaction, if there were both.
            (Some(Err(failure)), _) => Err(failure),
            (Some(Ok(done)), End::Committed(committed)) => Ok((self.finish)(done, committed)),
            (_, End::Failed(failure)) => Err((*failure).clone()),
            (None, End::Committed(_)) => Err(Failure::Closed),
        };
        let _ = self.reply.send(answer);
    }
}
