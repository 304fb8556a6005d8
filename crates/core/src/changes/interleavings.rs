//! The machines together: a store, a server node that is its replica and the parent of two others, clocks that run at
//! different rates, and a network that delays, repeats, reorders and loses. One property: whoever holds a lease after a
//! barrier is done shows the change.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::samples::{Counting, at, revoked};
use super::*;
use crate::id::ReplicaId;
use crate::store::{Appended, RegistryEntry};

const TTL: Duration = Duration::from_secs(2);

/// The server node; the others are its children.
const PARENT: usize = 0;
const NODES: usize = 3;

/// Events that happen to a world, each with a number to choose by.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Time passes, this many milliseconds.
    Pass(u64),
    /// A change is appended, and somebody begins to wait for it.
    Append,
    /// The waiters look at the registry.
    LookAtRegistry,
    /// A node asks for a lease.
    Renew(usize),
    /// A node fetches at most so many changes.
    Fetch(usize, usize),
    /// A change is pushed to a node, whether it follows or not.
    Push(usize, usize),
    /// A message arrives.
    Deliver(usize),
    /// A message arrives, and will again.
    Repeat(usize),
    /// A message is lost.
    Lose(usize),
    /// A snapshot is made for a node, which arrives like any message.
    Snapshot(usize),
    /// A node stops answering and says so.
    Leave(usize),
    /// A node dies and starts again.
    Restart(usize),
}

#[derive(Debug, Clone)]
enum Message {
    Renew { from: usize, request: RenewRequest },
    Grant { to: usize, nonce: Nonce, ttl: Duration, head: Position },
    Snapshot { to: usize, position: Position },
    Leave { from: usize, id: ReplicaId },
}

struct Node {
    replica: Replica,
    clock: Clock,
}

/// A clock that shows `offset` at the beginning and runs at `permille` thousandths of true time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    offset: u64,
    permille: u64,
}

impl Clock {
    fn show(self, truth: u64) -> MonoTime {
        MonoTime::from_millis(self.offset + truth * self.permille / 1_000)
    }
}

struct World {
    entropy: Counting,
    truth: u64,
    log: Vec<Change>,
    registry: BTreeMap<ReplicaId, RegistryEntry>,
    waiter: Clock,
    barriers: Vec<Barrier>,
    /// The largest position whose barrier is done.
    done: Position,
    reports: Vec<BarrierReport>,
    nodes: Vec<Node>,
    parent: Parent,
    network: Vec<Message>,
}

impl World {
    fn new(rates: [u64; NODES + 1]) -> Self {
        let entropy = Counting::default();
        let clock = |n: usize| Clock { offset: 1_000_000 * n as u64, permille: rates[n] };
        let mut world = Self {
            truth: 0,
            log: Vec::new(),
            registry: BTreeMap::new(),
            waiter: clock(NODES),
            barriers: Vec::new(),
            done: at(0),
            reports: Vec::new(),
            nodes: (0..NODES)
                .map(|n| Node { replica: Replica::new(LeaseConfig::new(TTL), &entropy), clock: clock(n) })
                .collect(),
            parent: Parent::new(clock(PARENT).show(0), TTL).nothing_lost(),
            network: Vec::new(),
            entropy,
        };
        for n in 0..NODES {
            world.adopt(n, at(0));
        }
        world
    }

    fn now(&self, node: usize) -> MonoTime {
        self.nodes[node].clock.show(self.truth)
    }

    fn applied(&self, node: usize) -> Position {
        self.nodes[node].replica.view().applied()
    }

    /// How much of the log a node can see: all of it, or what its parent has applied.
    fn visible(&self, node: usize) -> usize {
        let end = if node == PARENT { self.log.len() as u64 } else { self.applied(PARENT).sequence };
        usize::try_from(end).unwrap()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass(millis) => self.truth += millis,
            Event::Append => self.append(),
            Event::LookAtRegistry => {
                for entry in self.registry.values() {
                    self.barriers.iter_mut().for_each(|barrier| barrier.acknowledged(entry.id, entry.applied));
                }
            }
            Event::Renew(node) => self.renew(node),
            Event::Fetch(node, limit) => {
                let from = usize::try_from(self.applied(node).sequence).unwrap();
                let until = self.visible(node).min(from + limit);
                for change in self.log.get(from..until).unwrap_or_default() {
                    let _ = self.nodes[node].replica.apply(change);
                }
            }
            Event::Push(node, place) => {
                if let Some(change) = self.log[..self.visible(node)].iter().rev().nth(place) {
                    let _ = self.nodes[node].replica.apply(change);
                }
            }
            Event::Deliver(place) => self.take(place, true, false),
            Event::Repeat(place) => self.take(place, true, true),
            Event::Lose(place) => self.take(place, false, false),
            Event::Snapshot(node) => {
                let position = at(self.visible(node) as u64);
                self.network.push(Message::Snapshot { to: node, position });
            }
            Event::Leave(node) => self.leave(node),
            Event::Restart(node) => self.restart(node),
        }
    }

    fn append(&mut self) {
        let position = at(self.log.len() as u64 + 1);
        self.log.push(revoked(position.sequence, Target::Token(position.to_string())));
        let appended = Appended { position, registry: self.registry.values().copied().collect() };
        self.barriers.push(Barrier::after_append(&appended, self.waiter.show(self.truth)));
    }

    fn renew(&mut self, node: usize) {
        let now = self.now(node);
        let applied = match node {
            PARENT => self.parent.subtree_applied(self.applied(PARENT), now),
            _ => self.applied(node),
        };
        let request = self.nodes[node].replica.renew_for_subtree(now, applied, &self.entropy);
        self.network.extend(request.map(|request| Message::Renew { from: node, request }));
    }

    fn leave(&mut self, node: usize) {
        if node == PARENT {
            let now = self.now(PARENT);
            if now < self.parent.close(now) {
                return;
            }
        }
        let id = self.nodes[node].replica.leave();
        self.network.push(Message::Leave { from: node, id });
    }

    fn restart(&mut self, node: usize) {
        self.nodes[node].replica = Replica::new(LeaseConfig::new(TTL), &self.entropy);
        if node == PARENT {
            self.parent = Parent::new(self.now(PARENT), TTL).nothing_lost();
        }
    }

    fn adopt(&mut self, node: usize, position: Position) {
        let changes = &self.log[..usize::try_from(position.sequence).unwrap()];
        let replica = &mut self.nodes[node].replica;
        if let Ok(retired) = replica.adopt_snapshot(position, changes, &self.entropy) {
            // A parent whose view goes back may have children that still hold leases of the incarnation before.
            if node == PARENT {
                self.parent = Parent::new(self.now(PARENT), TTL).nothing_lost();
            } else {
                self.network.push(Message::Leave { from: node, id: retired });
            }
        }
    }

    fn take(&mut self, place: usize, arrives: bool, stays: bool) {
        if self.network.is_empty() {
            return;
        }
        let place = place % self.network.len();
        let message = if stays { self.network[place].clone() } else { self.network.swap_remove(place) };
        if arrives {
            self.arrive(&message);
        }
    }

    fn arrive(&mut self, message: &Message) {
        match *message {
            Message::Renew { from: PARENT, request } => {
                let counter = self.registry.get(&request.id).map_or(1, |entry| entry.counter + 1);
                let entry = RegistryEntry { id: request.id, applied: request.applied, ttl: request.ttl, counter };
                self.registry.insert(request.id, entry);
                let head = at(self.log.len() as u64);
                self.network.push(Message::Grant { to: PARENT, nonce: request.nonce, ttl: request.ttl, head });
            }
            Message::Renew { from, request } => {
                let now = self.now(PARENT);
                let own = Own::of(&self.nodes[PARENT].replica, now);
                if let Ok(grant) = self.parent.renew(request.id, request.applied, own, now) {
                    let Grant { ttl, head } = grant;
                    self.network.push(Message::Grant { to: from, nonce: request.nonce, ttl, head });
                }
            }
            Message::Grant { to, nonce, ttl, head } => {
                let now = self.now(to);
                self.nodes[to].replica.granted(now, nonce, ttl, head);
            }
            Message::Snapshot { to, position } => self.adopt(to, position),
            Message::Leave { from: PARENT, id } => {
                self.registry.remove(&id);
                self.barriers.iter_mut().for_each(|barrier| barrier.left(id));
            }
            Message::Leave { id, .. } => {
                self.parent.leave(id);
            }
        }
    }

    /// Ends the barriers that are done, and checks the property.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let now = self.waiter.show(self.truth);
        let mut running = Vec::new();
        for mut barrier in std::mem::take(&mut self.barriers) {
            match barrier.poll(now) {
                BarrierState::Waiting { .. } => running.push(barrier),
                BarrierState::Done(report) => {
                    self.done = self.done.max(barrier.position());
                    self.reports.push(report);
                }
            }
        }
        self.barriers = running;
        for node in 0..NODES {
            // Every change revokes another token, so a view that missed one is too small.
            prop_assert_eq!(self.nodes[node].replica.view().len() as u64, self.applied(node).sequence);
            let held = self.nodes[node].replica.lease(self.now(node)).is_held();
            prop_assert!(
                !held || self.applied(node) >= self.done,
                "node {node} answers at {} from {}, after {} was true everywhere",
                self.truth,
                self.applied(node),
                self.done,
            );
        }
        Ok(())
    }
}

fn event() -> impl Strategy<Value = Event> {
    let place = || 0..64_usize;
    let node = || 0..NODES;
    prop_oneof![
        6 => (0..400_u64).prop_map(Event::Pass),
        3 => Just(Event::Append),
        3 => Just(Event::LookAtRegistry),
        8 => node().prop_map(Event::Renew),
        8 => (node(), 1..4_usize).prop_map(|(node, limit)| Event::Fetch(node, limit)),
        1 => (node(), 0..3_usize).prop_map(|(node, place)| Event::Push(node, place)),
        16 => place().prop_map(Event::Deliver),
        2 => place().prop_map(Event::Repeat),
        2 => place().prop_map(Event::Lose),
        1 => node().prop_map(Event::Snapshot),
        1 => node().prop_map(Event::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whoever_holds_a_lease_shows_what_is_true_everywhere(
        rates in [900..=1_100_u64, 900..=1_100, 900..=1_100, 900..=1_100],
        events in proptest::collection::vec(event(), 1..300),
        leaver in 0..NODES,
    ) {
        let mut world = World::new(rates);
        let leaves_at = events.len() * 3 / 4;
        for (n, event) in events.into_iter().enumerate() {
            if n == leaves_at {
                world.happen(Event::Leave(leaver));
                world.check()?;
            }
            world.happen(event);
            world.check()?;
        }
        // Liveness: nothing arrives any more, and every barrier ends within one ttl of the waiter's clock.
        world.truth += 2_000 * 1_000 / 900 + 1;
        world.check()?;
        prop_assert!(world.barriers.is_empty());
    }
}

#[test]
fn without_faults_nobody_loses_its_lease_and_no_barrier_waits_for_a_timeout() {
    let mut world = World::new([900, 1_100, 900, 1_100]);
    let settle = |world: &mut World| {
        while !world.network.is_empty() {
            world.happen(Event::Deliver(0));
        }
    };
    // The parent's lease comes first, its children's under it.
    for node in 0..NODES {
        world.happen(Event::Renew(node));
        settle(&mut world);
    }
    for round in 0..200 {
        if round % 10 == 0 {
            world.happen(Event::Append);
        }
        world.happen(Event::Pass(200));
        for node in 0..NODES {
            world.happen(Event::Fetch(node, 10));
        }
        for node in [1, 2, PARENT] {
            world.happen(Event::Renew(node));
            settle(&mut world);
        }
        world.happen(Event::LookAtRegistry);
        world.check().unwrap();
        for node in 0..NODES {
            assert!(world.nodes[node].replica.lease(world.now(node)).is_held(), "node {node}, round {round}");
        }
    }
    assert_eq!(world.reports.len(), 20);
    assert!(world.reports.iter().all(|report| report.fenced == 0 && report.acknowledged == 1));
}
