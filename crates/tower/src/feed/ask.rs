//! The authority at the other end of a feed.

use std::sync::Arc;
use std::time::Duration;

use misario_core::authn::{Answer, UnavailableFault};
use misario_core::changes::frame::Body;
use tokio::sync::{mpsc, oneshot, watch};

use super::client::Status;
use super::codec::{AnswerBody, AskBody};
use crate::authority::{Authority, BoxFuture, Question, RenewError, RenewQuestion, Renewed};
use crate::clock::Clock;

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a renewal may take beside a whole lease: where it finds a token stolen, it returns when that login is ended
/// everywhere.
const BESIDE_LEASE: Duration = Duration::from_secs(1);

/// For this long after a connection broke, questions wait for the next one; then they are answered with "cannot tell"
/// at once.
const HOPE: Duration = Duration::from_secs(1);

/// Questions that may wait to be sent.
const QUEUE: usize = 1_024;

/// A question on its way to the client of the feed.
pub(crate) struct Put {
    pub(crate) body: Body,
    pub(crate) answer: oneshot::Sender<Body>,
}

/// Asks by the feed.
pub(crate) struct FeedAuthority {
    queue: mpsc::Sender<Put>,
    status: watch::Receiver<Status>,
    clock: Arc<dyn Clock>,
}

impl FeedAuthority {
    /// The authority, and the questions to it.
    pub(crate) fn new(status: watch::Receiver<Status>, clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Put>) {
        let (queue, questions) = mpsc::channel(QUEUE);
        (Self { queue, status, clock }, questions)
    }

    async fn put(&self, asked: AskBody, patience: Duration) -> Result<AnswerBody, UnavailableFault> {
        if self.hope() == Some(Duration::ZERO) {
            return Err(UnavailableFault::Authority);
        }
        let (answer, answered) = oneshot::channel();
        let put = Put { body: Body::new(asked.encode()), answer };
        // The client takes no more while the authority owes it answers, so a full queue means that those who are in it
        // will hardly be answered in time.
        self.queue.try_send(put).map_err(|_| UnavailableFault::Authority)?;
        let body = tokio::time::timeout(patience, async {
            tokio::select! {
                answer = answered => answer.ok(),
                () = self.hopeless() => None,
            }
        });
        let body = body.await.ok().flatten();
        let body = body.ok_or(UnavailableFault::Authority)?;
        AnswerBody::decode(body.as_bytes()).map_err(|_| UnavailableFault::Authority)
    }
}

impl FeedAuthority {
    /// How much longer the next connection is hoped for; `None` where there is one.
    fn hope(&self) -> Option<Duration> {
        let down = self.status.borrow().down?;
        Some(HOPE.saturating_sub(self.clock.mono().since(down)))
    }

    /// Ends when there is no connection, and none is hoped for any more.
    async fn hopeless(&self) {
        let mut status = self.status.clone();
        loop {
            status.mark_unchanged();
            match self.hope() {
                Some(Duration::ZERO) => return,
                Some(left) => drop(tokio::time::timeout(left, status.changed()).await),
                None => {
                    if status.changed().await.is_err() {
                        // The client is gone, and with it whoever would answer.
                        return;
                    }
                }
            }
        }
    }
}

impl Authority for FeedAuthority {
    fn ask<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<Answer, UnavailableFault>> {
        Box::pin(async move { self.put(AskBody::of(question), PATIENCE).await?.into_answer() })
    }

    fn renew<'a>(&'a self, question: RenewQuestion<'a>) -> BoxFuture<'a, Result<Renewed, RenewError>> {
        let patience = PATIENCE.max(self.status.borrow().ttl + BESIDE_LEASE);
        Box::pin(async move { self.put(AskBody::of_renewal(question), patience).await?.into_renewal() })
    }
}
