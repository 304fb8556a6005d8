//! This node follows the store's log, keeps its own lease, and leaves.

use std::sync::{Arc, Weak};

use misario_core::authn::{Rejection, Snapshot, UnavailableFault};
use misario_core::changes::{Change, LeaseState, SyncError};
use misario_core::store::{LogRead, Renewal};

use super::super::Instance;
use crate::error::{Error, InternalFault};

impl Instance {
    /// Applies what the log has and this node has not.
    pub(super) async fn catch_up(&self) -> Result<(), Error> {
        let _one_at_a_time = self.node.applying.lock().await;
        loop {
            let applied = self.memory.read().replica().view().applied();
            match self.live.read_from(applied, 500).await? {
                LogRead::Entries(changes) if changes.is_empty() => return Ok(()),
                LogRead::Entries(changes) => {
                    if !self.apply(&changes) {
                        self.start_again().await?;
                    }
                }
                LogRead::Gap => self.start_again().await?,
            }
        }
    }

    /// Applies entries to the memory; whether they followed on what it has.
    fn apply(&self, changes: &[Change]) -> bool {
        let mut memory = self.memory.write();
        let followed = memory.apply(changes).is_ok();
        if followed {
            // Under the same lock, so that no follower is granted a head that it cannot be sent.
            self.node.keep(changes);
        }
        followed
    }

    /// Missed entries are gone from the log: everything is taken from a snapshot, as another incarnation (rule 15).
    async fn start_again(&self) -> Result<(), Error> {
        let (position, changes) = self.live.snapshot().await?;
        let mut memory = self.memory.write();
        let snapshot = Snapshot { position, changes: &changes, issuer: None };
        let earlier = memory.replica().id();
        memory.adopt(snapshot, &*self.entropy).map_err(|error| match error {
            // It stopped: what was appended is in the log, and whether it is true everywhere nobody here knows any more.
            SyncError::Left => Error::from(Rejection::from(UnavailableFault::Authority)),
            _ => InternalFault::Record { what: "change log" }.into(),
        })?;
        // Its lease was dropped with it, so nobody here has to wait for it.
        self.node.own_earlier.lock().insert(earlier);
        self.node.recent.lock().clear();
        self.node.applied.send_replace(position);
        Ok(())
    }

    /// Renews the lease of this node at the store.
    pub(super) async fn renew_lease(&self) -> Result<(), Error> {
        let request = {
            let mut memory = self.memory.write();
            let now = self.clock.mono();
            let applied = memory.replica().view().applied();
            let subtree = self.node.parent.lock().subtree_applied(applied, now);
            memory.replica_mut().renew_for_subtree(now, subtree, &*self.entropy)
        };
        let Some(request) = request else { return Ok(()) };
        let renewal = Renewal { id: request.id, applied: request.applied, ttl: request.ttl };
        let head = self.live.renew(renewal).await?;
        let behind = {
            let mut memory = self.memory.write();
            memory.replica_mut().granted(self.clock.mono(), request.nonce, request.ttl, head);
            memory.replica().behind().is_some()
        };
        if behind { self.catch_up().await } else { Ok(()) }
    }

    /// Follows the store's log and keeps the lease, until the instance is gone.
    pub(in crate::instance) async fn follow_forever(instance: Weak<Self>) {
        let heartbeat = match instance.upgrade() {
            Some(instance) => instance.memory.read().replica().config().heartbeat(),
            None => return,
        };
        let mut was_failing = false;
        loop {
            let Some(instance) = instance.upgrade() else { return };
            let outcome = match instance.catch_up().await {
                Ok(()) => instance.renew_lease().await,
                Err(error) => Err(error),
            };
            match (&outcome, was_failing) {
                (Err(error), false) => tracing::warn!(code = error.code(), "the store's log cannot be followed"),
                (Ok(()), true) => tracing::info!("the store's log is followed again"),
                _ => {}
            }
            was_failing = outcome.is_err();
            instance.node.expire(instance.clock.mono());
            let applied = instance.memory.read().replica().view().applied();
            let log = Arc::clone(&instance.live);
            // Nothing of the instance is held while waiting, so that it can go.
            drop(instance);
            if was_failing {
                tokio::time::sleep(heartbeat).await;
            } else {
                let _ = tokio::time::timeout(heartbeat, log.wait_beyond(applied)).await;
            }
        }
    }

    /// Removes the registry entries of nodes that are dead, so that no barrier waits for them again.
    pub(in crate::instance) async fn bury_nodes(&self) -> Result<(), Error> {
        let registry = self.live.replicas().await?;
        let own = self.memory.read().replica().id();
        for entry in self.node.dead(&registry, own, self.clock.mono()) {
            if self.live.leave(entry.id, entry.counter).await? {
                self.node.own_earlier.lock().remove(&entry.id);
            }
        }
        Ok(())
    }

    /// Gets the first lease, so that checks are answered from the first request on.
    pub(in crate::instance) async fn first_lease(&self) -> Result<(), Error> {
        self.catch_up().await?;
        self.renew_lease().await?;
        let held = matches!(self.memory.read().replica().lease(self.clock.mono()), LeaseState::Held { .. });
        debug_assert!(held, "a store that answers grants a lease");
        Ok(())
    }

    /// Grants nothing more, writes down what is only in memory, and leaves the store's registry, unless followers still
    /// hold leases of this node (rule 5): then its own entry runs out by itself.
    pub(crate) async fn stop(self: &Arc<Self>) {
        // First, or the store would be in use, and the lease renewed, after this has returned.
        let loops = std::mem::take(&mut *self.loops.lock());
        for task in loops {
            task.abort();
            let _ = task.await;
        }
        self.write_touches().await;
        self.node.closing.send_replace(true);
        let now = self.clock.mono();
        let free_at = self.node.parent.lock().close(now);
        let id = self.memory.write().replica_mut().leave();
        if free_at <= now {
            let entry = self.live.replicas().await.ok().and_then(|all| all.into_iter().find(|entry| entry.id == id));
            if let Some(entry) = entry {
                let _ = self.live.leave(id, entry.counter).await;
            }
        }
    }
}
