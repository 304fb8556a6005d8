//! What follows on each frame of the feed, without any I/O.
//!
//! In every step the clock is read first and the memory locked after it (PROTOCOL rule 18). Changes are acknowledged by
//! a renewal as soon as they are applied, which is what a barrier at the authority waits for; a renewal is sent after
//! the machine has noted when (rule 2).

use std::sync::Arc;
use std::time::Duration;

use misario_core::authn::{IssuerFacts, Memory, Snapshot, Touch};
use misario_core::changes::frame::{Body, FEED_VERSION, ParentFrame, ReplicaFrame, Use};
use misario_core::changes::{Change, MonoTime, Nonce, Position, SyncError};
use misario_core::secret::{ReplicaKey, ReplicaKeys};
use misario_jose::Entropy;
use parking_lot::RwLock;

use super::FeedError;
use crate::clock::Clock;

/// How often used logins are reported.
const REPORT: Duration = Duration::from_secs(2);

/// How many go into one frame.
const USES: usize = 10_000;

/// How often revocations that are over are forgotten.
const PRUNE: Duration = Duration::from_secs(1);

/// How long a connection may say nothing until its first grant: at least this, and never less than a lease. Whoever
/// greets may have to read a snapshot first.
const GREETING: Duration = Duration::from_secs(3);

/// The widest leeway for times in tokens that an authority may announce, in seconds: what it has ended would live on
/// here for that long.
const LEEWAY: u64 = 300;

/// Leases that an authority may announce. Shorter ones would be renewed more often than they can be answered, longer
/// ones would let a cut-off replica answer for longer than anybody expects.
const TTL: std::ops::RangeInclusive<u64> = 100..=60_000;

/// The replica's side of one feed, over all its connections.
pub(crate) struct Driver {
    memory: Arc<RwLock<Memory>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// From `Welcome`; none before it.
    issuer: Option<IssuerFacts>,
    /// The parts of a snapshot that is not complete.
    parts: Option<(Position, Vec<Change>)>,
    /// What is in memory is not to be gone on from.
    start_again: bool,
    /// This connection has granted a lease, so each renewal is answered at once.
    is_granting: bool,
    heard: MonoTime,
    /// When the first renewal was sent that nothing was heard since.
    unanswered: Option<MonoTime>,
    reported: MonoTime,
    pruned: MonoTime,
}

/// What the client has to do.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send this.
    Send(ReplicaFrame),
    /// The authority is there, and its leases last `ttl`: questions can be put.
    Connected { ttl: Duration },
    /// Hand this to whoever asked.
    Answer { request: u64, body: Body },
    /// The replica may answer from memory.
    Leased,
}

impl Driver {
    pub(crate) fn new(memory: Arc<RwLock<Memory>>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let now = clock.mono();
        Self {
            memory,
            clock,
            entropy,
            issuer: None,
            parts: None,
            start_again: false,
            is_granting: false,
            heard: now,
            unanswered: None,
            reported: now,
            pruned: now,
        }
    }

    /// The first frame of a connection. Id, view and lease are kept over it (PROTOCOL, "Reconnect = resume").
    pub(crate) fn hello(&mut self) -> ReplicaFrame {
        self.heard = self.clock.mono();
        (self.issuer, self.parts, self.is_granting, self.unanswered) = (None, None, false, None);
        let mut memory = self.memory.write();
        if self.start_again {
            memory.replica_mut().rejoin();
        }
        let replica = memory.replica();
        let resume = replica.next_heartbeat(self.heard).map(|_| replica.view().applied());
        ReplicaFrame::Hello { version: FEED_VERSION, id: replica.id(), resume }
    }

    /// What follows on a frame.
    pub(crate) fn heard(&mut self, frame: ParentFrame) -> Result<Vec<Action>, FeedError> {
        let now = self.clock.mono();
        (self.heard, self.unanswered) = (now, None);
        match (frame, &self.issuer) {
            (ParentFrame::Welcome { version, ttl_ms, issuer, leeway_secs }, None) => {
                self.welcomed(version, ttl_ms, IssuerFacts { issuer, leeway: leeway_secs })?;
                Ok(vec![Action::Connected { ttl: Duration::from_millis(ttl_ms) }])
            }
            (ParentFrame::Bye { code }, _) => Err(FeedError::Bye { code }),
            (_, None) => Err(FeedError::Unexpected { frame: "something before Welcome" }),
            (ParentFrame::Welcome { .. }, Some(_)) => Err(FeedError::Unexpected { frame: "a second Welcome" }),
            (ParentFrame::Keys { replica_keys }, _) => self.keys(&replica_keys).map(|()| Vec::new()),
            (ParentFrame::Snapshot { position, changes, replica_keys, more }, Some(_)) => {
                self.part(position, changes)?;
                if more { Ok(Vec::new()) } else { self.adopt(replica_keys) }
            }
            (ParentFrame::Changes { entries, .. }, _) => self.apply(now, &entries),
            (ParentFrame::Grant { nonce, ttl_ms, head }, _) => self.granted(now, nonce, ttl_ms, head),
            (ParentFrame::Answer { request, body }, _) => Ok(vec![Action::Answer { request, body }]),
            _ => Err(FeedError::Unexpected { frame: "a frame of an unknown kind" }),
        }
    }

    /// What is due by now.
    pub(crate) fn tick(&mut self) -> Result<Vec<ReplicaFrame>, FeedError> {
        let (now, wall) = (self.clock.mono(), self.clock.wall());
        let mut memory = self.memory.write();
        if self.is_silent(now, memory.replica().config().ttl) {
            let millis = u64::try_from(now.since(self.heard).as_millis()).unwrap_or(u64::MAX);
            return Err(FeedError::Silent { millis });
        }
        if now.since(self.pruned) >= PRUNE {
            self.pruned = now;
            memory.replica_mut().prune(wall);
        }
        let mut frames = Vec::new();
        if memory.replica().next_heartbeat(now).is_some_and(|due| due <= now) {
            frames.extend(renewal(&mut memory, now, &*self.entropy));
        }
        drop(memory);
        self.sending(now, !frames.is_empty());
        if self.issuer.is_some() && now.since(self.reported) >= REPORT {
            self.reported = now;
            frames.extend(self.report());
        }
        Ok(frames)
    }

    /// Whether the authority may be asked: it has said who it is.
    pub(crate) const fn is_welcomed(&self) -> bool {
        self.issuer.is_some()
    }

    /// What the authority has to know before it is asked anything: frames keep their order, and it would otherwise
    /// call a login idle that was used here a moment ago.
    pub(crate) fn before_asking(&self) -> Vec<ReplicaFrame> {
        self.report()
    }

    /// The frame was handed over: what it reports is not reported again.
    pub(crate) fn sent(&self, frame: &ReplicaFrame) {
        let ReplicaFrame::Seen { app, uses } = frame else { return };
        let memory = self.memory.read();
        for Use { sid, at, generation } in uses {
            memory.touches().settle(app, sid, Touch { at: *at, generation: *generation });
        }
    }

    /// How long until something is due; zero if something is.
    pub(crate) fn pause(&self) -> Duration {
        let now = self.clock.mono();
        let pruning = self.pruned.plus(PRUNE);
        let heartbeat = self.memory.read().replica().next_heartbeat(now);
        heartbeat.map_or(pruning, |due| due.min(pruning)).since(now)
    }

    /// Stops answering for good; the word for it, to be sent after that (rule 5).
    pub(crate) fn leave(&mut self) -> ReplicaFrame {
        ReplicaFrame::Leave { id: self.memory.write().replica_mut().leave() }
    }

    /// The connection ended like this: whether what is in memory can be gone on from.
    pub(crate) fn ended(&mut self, error: &FeedError) {
        self.start_again |= error.wants_snapshot();
    }

    fn welcomed(&mut self, version: u32, ttl_ms: u64, issuer: IssuerFacts) -> Result<(), FeedError> {
        if version != FEED_VERSION {
            return Err(FeedError::Version { found: version, known: FEED_VERSION });
        }
        if !TTL.contains(&ttl_ms) {
            return Err(FeedError::Unexpected { frame: "a lease of impossible length" });
        }
        if issuer.leeway > LEEWAY {
            return Err(FeedError::Unexpected { frame: "a leeway of impossible length" });
        }
        let mut memory = self.memory.write();
        if self.follows(&memory) && *memory.issuer() != issuer {
            memory.replica_mut().rejoin();
            return Err(FeedError::Changed);
        }
        memory.replica_mut().set_ttl(Duration::from_millis(ttl_ms));
        drop(memory);
        self.issuer = Some(issuer);
        Ok(())
    }

    /// The keys come with every snapshot; a replica that goes on without one has to have the same.
    fn keys(&self, keys: &[ReplicaKey]) -> Result<(), FeedError> {
        let memory = self.memory.read();
        let is_same = |(one, other): (&ReplicaKey, &ReplicaKey)| one.id == other.id && one.export() == other.export();
        let own = memory.replica_keys();
        let are_same = own.iter().count() == keys.len() && own.iter().zip(keys).all(is_same);
        if self.follows(&memory) && !are_same { Err(FeedError::Changed) } else { Ok(()) }
    }

    fn part(&mut self, position: Position, changes: Vec<Change>) -> Result<(), FeedError> {
        let (complete_to, parts) = self.parts.get_or_insert_with(|| (position, Vec::new()));
        if *complete_to != position {
            return Err(FeedError::Unexpected { frame: "parts of two snapshots" });
        }
        parts.extend(changes);
        Ok(())
    }

    /// The snapshot is complete: from here on this is another incarnation (rule 4).
    fn adopt(&mut self, keys: Vec<ReplicaKey>) -> Result<Vec<Action>, FeedError> {
        let (Some(issuer), Some((position, changes))) = (self.issuer.clone(), self.parts.take()) else {
            return Err(FeedError::Unexpected { frame: "Snapshot" });
        };
        let now = self.clock.mono();
        let mut memory = self.memory.write();
        let issuer = Some((issuer, ReplicaKeys::new(keys)));
        memory.adopt(Snapshot { position, changes: &changes, issuer }, &*self.entropy)?;
        self.start_again = false;
        tracing::info!(%position, id = %memory.replica().id(), "following the authority from a snapshot");
        let frame = renewal(&mut memory, now, &*self.entropy);
        drop(memory);
        self.sending(now, frame.is_some());
        Ok(frame.map(Action::Send).into_iter().collect())
    }

    fn apply(&mut self, now: MonoTime, entries: &[Change]) -> Result<Vec<Action>, FeedError> {
        let mut memory = self.memory.write();
        let before = memory.replica().view().applied();
        match memory.apply(entries) {
            // It stops: the word of that goes out next, and what it would have known nobody needs.
            Err(SyncError::Left) => return Ok(Vec::new()),
            applied => applied?,
        }
        if memory.replica().view().applied() == before {
            return Ok(Vec::new());
        }
        let frame = renewal(&mut memory, now, &*self.entropy);
        drop(memory);
        self.sending(now, frame.is_some());
        Ok(frame.map(Action::Send).into_iter().collect())
    }

    /// Whether the connection is to be given up. A half-open one looks like a quiet one; found out half a lease after a
    /// renewal that nothing answers, there is time for the next connection before the lease is over. Counted from the
    /// renewal: who was silent before it is judged by what comes after.
    fn is_silent(&self, now: MonoTime, ttl: Duration) -> bool {
        match self.unanswered {
            Some(since) if self.is_granting => now.since(since) > ttl / 2,
            // Between an answer and the next renewal there is nothing to wait for.
            None if self.is_granting => false,
            _ => now.since(self.heard) > GREETING.max(ttl),
        }
    }

    fn granted(&mut self, now: MonoTime, nonce: Nonce, ttl_ms: u64, head: Position) -> Result<Vec<Action>, FeedError> {
        let mut memory = self.memory.write();
        let ttl = Duration::from_millis(ttl_ms);
        // Nobody would wait for that long: who starts or barriers there reckons with what it announced.
        if ttl > memory.replica().config().ttl {
            return Err(FeedError::Unexpected { frame: "a longer lease than it announced" });
        }
        self.is_granting = true;
        memory.replica_mut().granted(now, nonce, ttl, head);
        Ok(if memory.replica().lease(now).is_held() { vec![Action::Leased] } else { Vec::new() })
    }

    fn sending(&mut self, now: MonoTime, a_renewal: bool) {
        if a_renewal {
            self.unanswered.get_or_insert(now);
        }
    }

    fn report(&self) -> Vec<ReplicaFrame> {
        let mut frames = Vec::new();
        for (app, touches) in self.memory.read().touches().all() {
            let used = |(sid, touch): (_, Touch)| Use { sid, at: touch.at, generation: touch.generation };
            let uses: Vec<_> = touches.into_iter().map(used).collect();
            frames.extend(uses.chunks(USES).map(|uses| ReplicaFrame::Seen { app: app.clone(), uses: uses.to_vec() }));
        }
        frames
    }

    fn follows(&self, memory: &Memory) -> bool {
        memory.replica().next_heartbeat(self.heard).is_some()
    }
}

fn renewal(memory: &mut Memory, now: MonoTime, entropy: &dyn Entropy) -> Option<ReplicaFrame> {
    let request = memory.replica_mut().renew(now, entropy)?;
    Some(ReplicaFrame::Renew { id: request.id, nonce: request.nonce, applied: request.applied })
}

#[cfg(test)]
mod tests;
