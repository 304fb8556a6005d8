//! Who follows this node: leases, acknowledgements, and what a follower is sent.

use std::collections::HashMap;

use misario_core::changes::{Change, Grant, GrantError, MonoTime, Own, Position};
use misario_core::id::{ClientId, ReplicaId};
use misario_core::store::LogRead;
use serde::Serialize;

use super::super::Instance;
use super::Node;
use crate::error::Error;

/// Replicas of one client: half of what a parent takes.
const OF_ONE_CLIENT: usize = 5_000;

/// A follower as people see it.
#[derive(Debug, Clone, Serialize)]
pub struct ReplicaView {
    /// Which incarnation.
    pub id: ReplicaId,
    /// The client it authenticated as.
    pub client: ClientId,
    /// What it has applied.
    pub applied: Position,
    /// How many entries it is behind.
    pub lag: u64,
    /// What is left of its lease, in milliseconds.
    pub lease_ms: u64,
}

/// Why a follower's renewal or farewell is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowerFault {
    /// Another client's replica has that id.
    #[error("it speaks for another client's replica")]
    OtherClient,
    /// Its client has as many replicas as it may.
    #[error("its client has {limit} replicas and gets no more")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// It gets no lease.
    #[error(transparent)]
    NotGranted(#[from] GrantError),
}

pub(super) struct Follower {
    client: ClientId,
    applied: Position,
    pub(super) lease_until: MonoTime,
}

impl Node {
    /// A replica is that of the client which first renewed it. Another that acknowledges or leaves in its name would make
    /// a revocation count as done while the replica still answers without it.
    fn check_owner(
        followers: &HashMap<ReplicaId, Follower>,
        id: ReplicaId,
        client: &ClientId,
    ) -> Result<(), FollowerFault> {
        match followers.get(&id) {
            Some(follower) if follower.client != *client => Err(FollowerFault::OtherClient),
            _ => Ok(()),
        }
    }

    /// One client in the wrong hands must not take everybody's places. Counted for a replica that comes new.
    fn check_share(
        followers: &HashMap<ReplicaId, Follower>,
        id: ReplicaId,
        client: &ClientId,
    ) -> Result<(), FollowerFault> {
        // Far from the limit nobody is counted.
        if followers.len() < OF_ONE_CLIENT || followers.contains_key(&id) {
            return Ok(());
        }
        let own = followers.values().filter(|follower| follower.client == *client).count();
        if own < OF_ONE_CLIENT { Ok(()) } else { Err(FollowerFault::TooMany { limit: OF_ONE_CLIENT }) }
    }
}

impl Instance {
    /// A follower says what it has applied and wants a lease. Own position, own lease and the child's registration are
    /// of one moment (rule 7).
    pub(crate) fn grant(&self, id: ReplicaId, applied: Position, client: &ClientId) -> Result<Grant, FollowerFault> {
        let granted = {
            let memory = self.memory.read();
            let mut followers = self.node.followers.lock();
            Node::check_owner(&followers, id, client)?;
            Node::check_share(&followers, id, client)?;
            let now = self.clock.mono();
            let own = Own::of(memory.replica(), now);
            let granted = self.node.parent.lock().renew(id, applied, own, now);
            // Whoever gets no lease is none, however often it asks; one that had a lease stays until that has run out.
            if let Ok(grant) = granted {
                followers.insert(id, Follower { client: client.clone(), applied, lease_until: now.plus(grant.ttl) });
            }
            granted
        };
        self.node.for_each_barrier(|barrier| barrier.acknowledged(id, applied));
        Ok(granted?)
    }

    /// A follower has stopped answering for good (rule 5).
    pub(crate) fn follower_left(&self, id: ReplicaId, client: &ClientId) -> Result<(), FollowerFault> {
        {
            let mut followers = self.node.followers.lock();
            Node::check_owner(&followers, id, client)?;
            followers.remove(&id);
            self.node.parent.lock().leave(id);
        }
        self.node.for_each_barrier(|barrier| barrier.left(id));
        Ok(())
    }

    /// Who follows this node.
    pub fn replicas(&self) -> Vec<ReplicaView> {
        let now = self.clock.mono();
        let applied = *self.node.applied.borrow();
        self.node.expire(now);
        let followers = self.node.followers.lock();
        let view = |(id, follower): (&ReplicaId, &Follower)| ReplicaView {
            id: *id,
            client: follower.client.clone(),
            applied: follower.applied,
            lag: applied.sequence.saturating_sub(follower.applied.sequence),
            lease_ms: u64::try_from(follower.lease_until.since(now).as_millis()).unwrap_or(u64::MAX),
        };
        let mut views: Vec<_> = followers.iter().map(view).collect();
        views.sort_by_key(|view| view.id);
        views
    }

    /// The position, and everything that a joining follower starts from.
    pub(crate) async fn snapshot(&self) -> Result<(Position, Vec<Change>), Error> {
        self.catch_up().await?;
        Ok(self.live.snapshot().await?)
    }

    /// The entries after `position` for a follower; `None`: it has to start from a snapshot.
    pub(crate) async fn changes_after(&self, position: Position) -> Result<Option<Vec<Change>>, Error> {
        if let Some(recent) = self.node.recent_after(position) {
            return Ok(Some(recent));
        }
        match self.live.read_from(position, 1_000).await? {
            LogRead::Entries(changes) => Ok(Some(changes)),
            LogRead::Gap => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_that_of_the_client_which_first_renewed_it() {
        let [one, other] = ["one", "other"].map(|name| ClientId::new(name).unwrap());
        let id = ReplicaId::from_bytes([1; 16]);
        let now = MonoTime::from_millis(0);
        let followers =
            HashMap::from([(id, Follower { client: one.clone(), applied: Position::ZERO, lease_until: now })]);
        assert_eq!(Node::check_owner(&followers, id, &one), Ok(()));
        assert_eq!(Node::check_owner(&followers, id, &other), Err(FollowerFault::OtherClient));
        assert_eq!(Node::check_owner(&followers, ReplicaId::from_bytes([2; 16]), &other), Ok(()));
    }

    #[test]
    fn one_client_takes_half_of_the_places_at_most() {
        let [one, other] = ["one", "other"].map(|name| ClientId::new(name).unwrap());
        let id = |n: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            ReplicaId::from_bytes(bytes)
        };
        let follower =
            || Follower { client: one.clone(), applied: Position::ZERO, lease_until: MonoTime::from_millis(0) };
        let mut followers: HashMap<_, _> = (1..OF_ONE_CLIENT).map(|n| (id(n), follower())).collect();
        assert_eq!(Node::check_share(&followers, id(0), &one), Ok(()));
        followers.insert(id(0), follower());
        let refused = Err(FollowerFault::TooMany { limit: OF_ONE_CLIENT });
        assert_eq!(Node::check_share(&followers, id(OF_ONE_CLIENT), &one), refused);
        assert_eq!(Node::check_share(&followers, id(7), &one), Ok(()), "those that are there go on");
        assert_eq!(Node::check_share(&followers, id(OF_ONE_CLIENT), &other), Ok(()));
    }
}
