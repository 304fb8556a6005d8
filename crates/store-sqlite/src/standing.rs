//! What stands in memory beside the file: the head that everybody may know of, and the registry of replicas.
//!
//! An append becomes visible here, after its commit, in the same step that reads the registry for its barrier; a
//! renewal enters the registry in the same step that reads the head. So one of the two sees the other (PROTOCOL rule
//! 8), and no heartbeat waits for a disk. Until then nobody was told of the append; that readers of the file may see
//! its entry a moment early harms nobody.

use misario_core::changes::Position;
use misario_core::id::ReplicaId;
use misario_core::store::{Registry, RegistryEntry, Renewal};
use parking_lot::Mutex;
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Standing {
    state: Mutex<State>,
    moved: watch::Sender<Position>,
}

#[derive(Debug)]
struct State {
    head: Position,
    registry: Registry,
}

impl Standing {
    pub(crate) fn at(head: Position) -> Self {
        let state = State { head, registry: Registry::default() };
        Self { state: Mutex::new(state), moved: watch::Sender::new(head) }
    }

    /// Makes committed entries visible up to `head`; the registry as it stands in that moment.
    pub(crate) fn publish(&self, head: Position) -> Vec<RegistryEntry> {
        let mut state = self.state.lock();
        state.head = head;
        let registry = state.registry.entries();
        drop(state);
        self.moved.send_replace(head);
        registry
    }

    pub(crate) fn head(&self) -> Position {
        self.state.lock().head
    }

    pub(crate) fn renew(&self, renewal: Renewal) -> Position {
        let mut state = self.state.lock();
        state.registry.renew(renewal);
        state.head
    }

    pub(crate) fn replicas(&self) -> Vec<RegistryEntry> {
        self.state.lock().registry.entries()
    }

    pub(crate) fn leave(&self, id: ReplicaId, counter: u64) -> bool {
        self.state.lock().registry.leave(id, counter)
    }

    /// Ends when the head is not `position`.
    pub(crate) async fn moved_from(&self, position: Position) {
        // The sender lives in `self`, so the channel cannot close under the wait.
        let _ = self.moved.subscribe().wait_for(|head| *head != position).await;
    }
}
