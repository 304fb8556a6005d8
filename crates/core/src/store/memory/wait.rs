//! Waiting for the log to move, without a runtime.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::MemoryStore;
use crate::changes::Position;
use crate::store::StoreError;

/// Who waits for the next entry.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    wakers: BTreeMap<u64, Waker>,
    tickets: u64,
}

impl Waiting {
    /// Everybody who waits, to be woken outside the lock: a waker may run anything.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_values()
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

/// Ends when the head is not `position`.
pub(super) struct Beyond<'s> {
    store: &'s MemoryStore,
    position: Position,
    ticket: Option<u64>,
}

impl<'s> Beyond<'s> {
    pub(super) const fn new(store: &'s MemoryStore, position: Position) -> Self {
        Self { store, position, ticket: None }
    }
}

impl Future for Beyond<'_> {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let store = self.store;
        // Head and list of wakers are under one lock: an append comes before this look or finds the waker.
        let mut state = store.state();
        if state.log.head() != self.position {
            return Poll::Ready(Ok(()));
        }
        let ticket = *self.ticket.get_or_insert_with(|| state.waiting.ticket());
        state.waiting.wakers.insert(ticket, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Beyond<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.store.state().waiting.wakers.remove(&ticket);
        }
    }
}
