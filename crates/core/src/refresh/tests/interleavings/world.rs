//! Three clients of one login, an authority, and a store that swaps by revision.
//!
//! A request is three steps: the authority loads, it decides and swaps, the client gets the response. Between any two
//! of them anything else may happen: another client's step, time that passes, a response that is lost, an authority
//! that dies with everything it has not answered.

use super::super::*;

/// What the world is made of: the real rule and a real store, or a mutant of either.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) decide: fn(&TokenFamily, Generation, RefreshPolicy, UnixTime) -> Rotation,
    pub(super) retried: fn(&TokenFamily, Generation, RefreshPolicy, UnixTime) -> Option<TokenFamily>,
    pub(super) store: Store,
    pub(super) jar: Jar,
    /// The requests that each client makes.
    pub(super) requests: u8,
    pub(super) seen: Seen,
    pub(super) faults: Faults,
    /// Whether access tokens are used where the authority sees it.
    pub(super) uses: bool,
    /// The seconds that pass, one after the other, each at any time.
    pub(super) clock: &'static [u64],
}

/// What a swap does from a revision that is not the stored one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Store {
    /// It changes nothing and says so.
    Compares,
    /// It writes.
    Overwrites,
}

/// When the authority looks up what it remembers of tokens in use.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Seen {
    BeforeTheLoad,
    AfterTheLoad,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Faults {
    None,
    LossAndCrash,
}

/// Where clients keep what they got. The newest answer counts, not the last to arrive.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Jar {
    /// Each has a copy.
    Own,
    /// All have one, as a browser's tabs have.
    Shared,
}

#[derive(Clone, PartialEq)]
struct Record {
    family: TokenFamily,
    revision: u32,
    revoked: bool,
}

/// What happened, kept apart from what the family makes of it.
#[derive(Clone, PartialEq)]
struct Truth {
    /// Since when the interval of each generation runs, from the first on; the head is the one after. It starts when
    /// the generation is rotated away, and when the response to that proves lost.
    since: Vec<u64>,
    /// The head was seen in use, and that was written down.
    used: bool,
}

/// What was true when a request was loaded.
#[derive(Clone, Copy, PartialEq)]
struct AtLoad {
    head: u32,
    used: bool,
    /// Since when the interval of the shown token runs, if it was rotated away.
    since: Option<u64>,
}

#[derive(Clone, PartialEq)]
enum Phase {
    Idle,
    Sent { shown: u32 },
    Loaded { shown: u32, seen: u32, record: Record, truth: AtLoad },
    Answered { generation: u32 },
}

#[derive(Clone, PartialEq)]
struct Client {
    requests: u8,
    held: u32,
    phase: Phase,
}

#[derive(Clone, PartialEq)]
pub(super) struct World {
    clients: [Client; 3],
    now: u64,
    ticks: usize,
    login: Record,
    /// The newest generation whose access token was accepted, which the authority remembers and has not written down.
    seen: u32,
    truth: Truth,
}

/// What can happen next; a number names a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Time passes.
    Tick,
    /// Whoever has the head uses the access token that came with it.
    Use,
    /// The authority dies after a swap and before the response, and starts again.
    Crash,
    /// A client sends a request with what it holds.
    Send(usize),
    /// The authority loads the login.
    Load(usize),
    /// The authority decides and swaps.
    Decide(usize),
    /// The response arrives.
    Deliver(usize),
    /// The response is lost.
    Lose(usize),
}

/// What a step did, as far as a property speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Effect {
    Nothing,
    Rotated,
    Retried,
    /// Another request was faster; the authority loads again.
    Conflicted,
    /// The login was revoked before the swap.
    Fenced,
    Revoked,
    Lost,
    Died,
}

impl Truth {
    fn head(&self) -> u32 {
        u32::try_from(self.since.len()).unwrap() + 1
    }

    fn since(&self, shown: u32) -> Option<u64> {
        self.since.get((shown as usize).checked_sub(1)?).copied()
    }
}

impl AtLoad {
    /// The table at the head of [`crate::refresh`], applied to what happened.
    fn rule(self, shown: u32, now: u64) -> Rotation {
        let Self { head, used: _, since } = self;
        if shown == 0 || shown > head {
            return Rotation::Reject;
        }
        let Some(since) = since else { return Rotation::Rotate { next: Generation(head + 1) } };
        if self.lost_response(shown) || now - since < POLICY.reuse_interval {
            return Rotation::Retry { head: Generation(head) };
        }
        Rotation::Reused { head: Generation(head) }
    }

    fn lost_response(self, shown: u32) -> bool {
        shown + 1 == self.head && !self.used
    }

    /// Whether an answer at `now` starts the interval of `shown` again.
    fn starts_again(self, shown: u32, now: u64) -> bool {
        self.lost_response(shown) && self.since.is_some_and(|since| now - since >= POLICY.reuse_interval)
    }
}

impl World {
    pub(super) fn new(rules: &Rules) -> Self {
        let record = Record { family: TokenFamily::first(), revision: 1, revoked: false };
        let client = Client { requests: rules.requests, held: 1, phase: Phase::Idle };
        Self {
            clients: [client.clone(), client.clone(), client],
            now: 0,
            ticks: 0,
            login: record,
            seen: 0,
            truth: Truth { since: Vec::new(), used: false },
        }
    }

    /// Everything that can happen next. Clients of a revoked login send nothing more.
    pub(super) fn steps(&self, rules: &Rules) -> Vec<Step> {
        let mut steps = Vec::with_capacity(8);
        let quiet = self.clients.iter().all(|client| client.phase == Phase::Idle);
        if self.ticks < rules.clock.len() && (quiet || rules.jar == Jar::Own) {
            steps.push(Step::Tick);
        }
        if rules.uses && self.clients.iter().any(|client| client.held == self.truth.head()) && !self.head_used() {
            steps.push(Step::Use);
        }
        for (n, client) in self.clients.iter().enumerate() {
            match client.phase {
                Phase::Idle if client.requests == 0 || self.login.revoked => {}
                // With a copy of one's own nothing can happen to what was sent: sent and loaded are one step.
                Phase::Idle if rules.jar == Jar::Own => steps.push(Step::Load(n)),
                Phase::Idle => steps.push(Step::Send(n)),
                Phase::Sent { .. } => steps.push(Step::Load(n)),
                Phase::Loaded { .. } => steps.push(Step::Decide(n)),
                Phase::Answered { .. } => {
                    steps.push(Step::Deliver(n));
                    steps.extend((rules.faults == Faults::LossAndCrash).then_some(Step::Lose(n)));
                }
            }
        }
        if rules.faults == Faults::LossAndCrash
            && self.clients.iter().any(|client| matches!(client.phase, Phase::Answered { .. }))
        {
            steps.push(Step::Crash);
        }
        steps
    }

    /// Lets `step` happen; an error is a property that it breaks.
    pub(super) fn happen(&mut self, step: Step, rules: &Rules) -> Result<Effect, String> {
        match step {
            Step::Tick => {
                self.now += rules.clock[self.ticks];
                self.ticks += 1;
            }
            Step::Use => self.seen = self.truth.head(),
            Step::Crash => {
                for client in &mut self.clients {
                    if matches!(client.phase, Phase::Loaded { .. } | Phase::Answered { .. }) {
                        client.phase = Phase::Idle;
                    }
                }
                self.seen = 0;
                return Ok(Effect::Died);
            }
            Step::Send(n) => self.send(n),
            Step::Load(n) => self.load(n),
            Step::Decide(n) => return self.decide(n, rules),
            Step::Deliver(n) => self.deliver(n, rules.jar),
            Step::Lose(n) => {
                self.clients[n].phase = Phase::Idle;
                return Ok(Effect::Lost);
            }
        }
        Ok(Effect::Nothing)
    }

    fn send(&mut self, n: usize) {
        let client = &mut self.clients[n];
        client.requests -= 1;
        client.phase = Phase::Sent { shown: client.held };
    }

    fn load(&mut self, n: usize) {
        if self.clients[n].phase == Phase::Idle {
            self.send(n);
        }
        let Phase::Sent { shown } = self.clients[n].phase else { unreachable!("only what was sent is loaded") };
        let truth = self.at_load(shown);
        self.clients[n].phase = if self.login.revoked {
            Phase::Idle
        } else {
            Phase::Loaded { shown, seen: self.seen, record: self.login.clone(), truth }
        };
    }

    fn head_used(&self) -> bool {
        self.truth.used || self.seen == self.truth.head()
    }

    fn at_load(&self, shown: u32) -> AtLoad {
        AtLoad { head: self.truth.head(), used: self.head_used(), since: self.truth.since(shown) }
    }

    fn deliver(&mut self, n: usize, jar: Jar) {
        let Phase::Answered { generation } = self.clients[n].phase else { unreachable!("only answers are delivered") };
        self.clients[n].phase = Phase::Idle;
        for (other, client) in self.clients.iter_mut().enumerate() {
            if other == n || jar == Jar::Shared {
                client.held = client.held.max(generation);
            }
        }
    }

    fn decide(&mut self, n: usize, rules: &Rules) -> Result<Effect, String> {
        let Phase::Loaded { shown, seen, record, truth } = self.clients[n].phase.clone() else {
            unreachable!("only what was loaded is decided on")
        };
        let now = at(self.now);
        let loaded = &record.family;
        let seen = if rules.seen == Seen::BeforeTheLoad { seen } else { self.seen };
        let family = loaded.seen(Generation(seen)).unwrap_or_else(|| loaded.clone());
        let rotation = (rules.decide)(&family, Generation(shown), POLICY, now);
        let by_rule = truth.rule(shown, self.now);
        if rotation != by_rule {
            return Err(format!("{rotation:?} where the rule says {by_rule:?}: {shown} of {family:?}"));
        }
        let (next, answer, effect) = match rotation {
            Rotation::Rotate { next } => (family.rotated(next, POLICY, now), next.0, Effect::Rotated),
            Rotation::Retry { head } => {
                let retried = (rules.retried)(&family, Generation(shown), POLICY, now);
                (retried.unwrap_or(family), head.0, Effect::Retried)
            }
            Rotation::Reject => return Err(format!("an honest client's {shown} was rejected")),
            Rotation::Reused { .. } => {
                self.login.revoked = true;
                self.clients[n].phase = Phase::Idle;
                return Ok(Effect::Revoked);
            }
        };
        let written = next == *loaded || self.swap(&record, next, rules.store)?;
        if written && effect == Effect::Retried && truth.starts_again(shown, self.now) {
            self.truth.since[shown as usize - 1] = self.now;
        }
        let (phase, effect) = match (written, self.login.revoked) {
            (true, _) => (Phase::Answered { generation: answer }, effect),
            (false, true) => (Phase::Idle, Effect::Fenced),
            (false, false) => (Phase::Sent { shown }, Effect::Conflicted),
        };
        self.clients[n].phase = phase;
        Ok(effect)
    }

    /// Writes `next` over what was loaded; whether it did.
    fn swap(&mut self, loaded: &Record, next: TokenFamily, store: Store) -> Result<bool, String> {
        if self.login.revoked || store == Store::Compares && loaded.revision != self.login.revision {
            return Ok(false);
        }
        let (old, new, known) = (self.login.family.head.0, next.head.0, self.truth.head());
        if new < old {
            return Err(format!("the head went back from {old} to {new}"));
        }
        if new > loaded.family.head.0 {
            if new != known + 1 {
                return Err(format!("two heads: {new} was made twice"));
            }
            self.truth.since.push(self.now);
            self.truth.used = false;
        }
        // Written down, it need not be remembered.
        if next.head_used {
            self.truth.used = true;
            self.seen = 0;
        }
        self.login = Record { family: next, revision: self.login.revision + 1, revoked: false };
        Ok(true)
    }

    /// What must be so in every state.
    pub(super) fn check(&self, rules: &Rules) -> Result<(), String> {
        let head = self.truth.head();
        if self.login.family.head.0 != head {
            return Err(format!("the head is {:?}, and {head} was handed out last", self.login.family.head));
        }
        for later in [0, 1, POLICY.reuse_interval - 1, POLICY.reuse_interval, 365 * 86_400] {
            let now = self.now + later;
            let family = self.login.family.seen(Generation(self.seen));
            let family = family.as_ref().unwrap_or(&self.login.family);
            for shown in 0..=head + 1 {
                let decided = (rules.decide)(family, Generation(shown), POLICY, at(now));
                let by_rule = self.at_load(shown).rule(shown, now);
                if decided != by_rule {
                    return Err(format!("{decided:?} where the rule says {by_rule:?}: {shown} after {later} s"));
                }
            }
        }
        Ok(())
    }

    /// What tells this world from others, whichever client is which. Revisions are compared with the stored one only.
    pub(super) fn key(&self) -> Vec<u8> {
        let Self { clients, now: _, ticks, login, seen, truth } = self;
        let Truth { since, used } = truth;
        let mut key = Vec::with_capacity(160);
        key.extend([octet(*ticks), octet(*seen), u8::from(*used), u8::from(login.revoked)]);
        key.extend(since.iter().map(|at| octet(*at)));
        write_family(&mut key, &login.family);
        let mut clients = clients.each_ref().map(|client| client.key(login.revision));
        clients.sort_unstable();
        key.extend(clients.concat());
        key
    }

    /// Whether every client that got no answer and holds the parent of an unused head gets the head, a year later.
    pub(super) fn recover(&self, rules: &Rules) -> Result<u64, String> {
        let head = self.truth.head();
        let mut recovered = 0;
        for (n, client) in self.clients.iter().enumerate() {
            if self.login.revoked || self.head_used() || client.phase != Phase::Idle || client.held + 1 != head {
                continue;
            }
            let mut later = self.clone();
            later.now += 365 * 86_400;
            later.clients[n].requests = 1;
            for step in [Step::Load(n), Step::Decide(n), Step::Deliver(n)] {
                later.happen(step, rules)?;
            }
            let same_head = later.truth.head() == head && !later.login.revoked;
            if later.clients[n].held != head || !same_head {
                return Err(format!("a lost response is not given again: {} of {:?}", client.held, self.login.family));
            }
            recovered += 1;
        }
        Ok(recovered)
    }
}

impl Client {
    fn key(&self, stored: u32) -> Vec<u8> {
        let Self { requests, held, phase } = self;
        let mut key = Vec::with_capacity(40);
        key.extend([*requests, octet(*held)]);
        match phase {
            Phase::Idle => key.push(0),
            Phase::Sent { shown } => key.extend([1, octet(*shown)]),
            Phase::Loaded { shown, seen, record, truth: AtLoad { head, used, since } } => {
                let Record { family, revision, revoked: _ } = record;
                key.extend([
                    2,
                    octet(*shown),
                    octet(*seen),
                    octet(*head),
                    u8::from(*used),
                    u8::from(*revision == stored),
                    since.map_or(u8::MAX, octet),
                ]);
                write_family(&mut key, family);
            }
            Phase::Answered { generation } => key.extend([3, octet(*generation)]),
        }
        key
    }
}

fn write_family(key: &mut Vec<u8>, family: &TokenFamily) {
    let TokenFamily { head, head_used, recent, floor } = family;
    key.extend([octet(head.0), u8::from(*head_used), octet(floor.0), octet(recent.len())]);
    key.extend(
        recent.iter().flat_map(|Rotated { generation, at: then }| [octet(generation.0), octet(then.secs_since(at(0)))]),
    );
}

fn octet(number: impl TryInto<u8>) -> u8 {
    number.try_into().ok().unwrap()
}
