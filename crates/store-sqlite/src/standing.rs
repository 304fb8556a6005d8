//! What stands in memory beside the file: the head that everybody may know of, and the registry of replicas.
//!
//! An append becomes visible here, after its commit, in the same step that reads the registry for its barrier; a
//! renewal enters the registry in the same step that reads the head. So one of the two sees the other (PROTOCOL rule
//! 8), and no heartbeat waits for a disk. Until then nobody was told of the append; that readers of the file may see
//! its entry a moment early harms nobody.
//!
//! Nothing stands any more when the writing thread has ended, closed or panicked: from then on this memory would tell of
//! a head that no append moves, and keep leases that no barrier waits for.

use misario_core::changes::Position;
use misario_core::id::ReplicaId;
use misario_core::store::{Registry, RegistryEntry, Renewal};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::failure::Failure;

#[derive(Debug)]
pub(crate) struct Standing {
    /// `None`: the store is closed.
    state: Mutex<Option<State>>,
    moved: watch::Sender<Option<Position>>,
}

#[derive(Debug)]
struct State {
    head: Position,
    registry: Registry,
}

impl Standing {
    pub(crate) fn at(head: Position) -> Self {
        let state = State { head, registry: Registry::default() };
        Self { state: Mutex::new(Some(state)), moved: watch::Sender::new(Some(head)) }
    }

    /// Makes committed entries visible up to `head`; the registry as it stands in that moment.
    pub(crate) fn publish(&self, head: Position) -> Vec<RegistryEntry> {
        let registry = self.look(|state| {
            state.head = head;
            state.registry.entries()
        });
        self.moved.send_replace(Some(head));
        registry.unwrap_or_default()
    }

    /// Ends everything, waits included.
    pub(crate) fn close(&self) {
        *self.state.lock() = None;
        self.moved.send_replace(None);
    }

    pub(crate) fn head(&self) -> Result<Position, Failure> {
        self.look(|state| state.head)
    }

    pub(crate) fn renew(&self, renewal: Renewal) -> Result<Position, Failure> {
        self.look(|state| {
            state.registry.renew(renewal);
            state.head
        })
    }

    pub(crate) fn replicas(&self) -> Result<Vec<RegistryEntry>, Failure> {
        self.look(|state| state.registry.entries())
    }

    pub(crate) fn leave(&self, id: ReplicaId, counter: u64) -> Result<bool, Failure> {
        self.look(|state| state.registry.leave(id, counter))
    }

    /// Ends when the head is not `position`.
    pub(crate) async fn moved_from(&self, position: Position) -> Result<(), Failure> {
        // The sender lives in `self`, so the channel cannot close under the wait.
        let head =
            self.moved.subscribe().wait_for(|head| *head != Some(position)).await.is_ok_and(|head| head.is_some());
        if head { Ok(()) } else { Err(Failure::Closed) }
    }

    fn look<T>(&self, at: impl FnOnce(&mut State) -> T) -> Result<T, Failure> {
        self.state.lock().as_mut().map(at).ok_or(Failure::Closed)
    }
}
