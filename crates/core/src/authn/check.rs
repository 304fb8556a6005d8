//! The check, as a machine that asks for what it lacks.

use std::sync::Arc;

use misario_jose::UnixTime;

use super::cache::CacheKey;
use super::credential::{AccessCredential, Presented, Via};
use super::csrf::{self, CsrfFault};
use super::facts::Facts;
use super::memory::Memory;
use super::permit::Permit;
use super::rejection::{CredentialFault, ForbiddenFault, Rejection, UnavailableFault};
use super::requirement::{Requirement, RouteWord};
use super::resolve::{AppHint, resolve_app};
use super::touches::Touch;
use super::{Headers, single};
use crate::app::App;
use crate::changes::{LoadTicket, MonoTime, Position, Verdict};
use crate::secret::{CsrfBinding, CsrfToken, SessionToken};

/// The clocks of a check, read after its request arrived and before the memory was looked at (rule 18).
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The wall clock: for times in credentials.
    pub wall: UnixTime,
    /// The monotonic clock: for the lease.
    pub mono: MonoTime,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// The answer.
    Done(Result<Permit, Rejection>),
    /// The memory cannot tell: ask the authority, and go on with [`Check::resume`].
    Ask(Ask),
}

/// A question to the authority.
#[derive(Debug)]
pub struct Ask {
    /// Why.
    pub asked_for: AskedFor,
    /// Who has the credential.
    pub holder: Holder,
    /// The position and incarnation of the memory when the question was put.
    pub ticket: LoadTicket,
}

/// Why the authority is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedFor {
    /// The session behind a session token, or the key behind a JWT, is not in memory.
    Load,
    /// The route wants the authority's word, or the memory holds no lease.
    Verdict,
}

/// Who has the credential that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Whoever sent the request, so this is a use of it.
    Caller,
    /// So far only the host, which renewed a cookie in passing: the response that brings it may be lost, and the refresh
    /// with what came before it is then no reuse.
    Host,
}

/// The authority's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// A log position that it is at least as new as.
    pub as_of: Position,
    /// What the credential tells, or why it does not count.
    pub outcome: Result<Arc<Facts>, Rejection>,
}

/// Which credential is being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    /// The one that came beside it, to see whether they conflict.
    Second,
}

/// The check of one request. Its credentials do not print.
pub struct Check<'r> {
    requirement: &'r Requirement,
    app: Arc<App>,
    request: Request<'r>,
    presented: Presented<'r>,
    via: Via,
    stage: Stage,
    first: Option<Arc<Facts>>,
    renewed: bool,
}

/// The request that is checked.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// Its method.
    pub method: &'r str,
    /// Its headers.
    pub headers: &'r dyn Headers,
    /// What else tells the app.
    pub hint: AppHint<'r>,
    /// A CSRF token from a form field, where the host has read the form.
    pub form_token: Option<&'r str>,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check")
            .field("app", &self.app.id)
            .field("presented", &self.presented)
            .field("via", &self.via)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl<'r> Check<'r> {
    /// Begins the check: which app, which credential.
    pub fn begin(memory: &Memory, requirement: &'r Requirement, request: Request<'r>) -> Result<Self, Rejection> {
        let hint = AppHint { own: requirement.app.as_ref().or(request.hint.own), ..request.hint };
        let app = Arc::clone(resolve_app(memory.apps(), hint, request.headers)?);
        let presented = Presented::read(&app, request.headers)?;
        let (_, via) = presented.first()?;
        Ok(Self { requirement, app, request, presented, via, stage: Stage::First, first: None, renewed: false })
    }

    /// The app of the request.
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What the request shows.
    pub const fn presented(&self) -> &Presented<'r> {
        &self.presented
    }

    /// How the credential came.
    pub const fn via(&self) -> Via {
        self.via
    }

    /// Looks at the credential whose access text took the place of the one shown: a cookie renewed in passing.
    pub const fn with_renewed(mut self, access: &'r str) -> Self {
        self.presented.cookie = Some(access);
        self.renewed = true;
        self
    }

    /// The credential that is being looked at.
    pub fn credential(&self) -> Option<AccessCredential<'r>> {
        match self.stage {
            Stage::First => self.presented.first().ok().map(|(credential, _)| credential),
            Stage::Second => self.presented.second(),
        }
    }

    fn holder(&self) -> Holder {
        if self.renewed && self.stage == Stage::First { Holder::Host } else { Holder::Caller }
    }

    /// The answer, or what is lacking for it.
    pub fn step(&mut self, memory: &Memory, now: Moment) -> Step {
        let Some(credential) = self.credential() else {
            return Step::Done(Err(CredentialFault::Missing.into()));
        };
        match self.look(memory, now, credential) {
            Ok(Look::Found(facts)) => self.found(memory, now, facts),
            Ok(Look::Ask(asked_for)) => {
                Step::Ask(Ask { asked_for, holder: self.holder(), ticket: memory.replica().begin_load() })
            }
            Err(rejection) => self.refused(memory, now, rejection),
        }
    }

    /// Goes on with the authority's answer.
    pub fn resume(
        &mut self,
        memory: &Memory,
        now: Moment,
        ask: &Ask,
        answer: Result<Answer, UnavailableFault>,
    ) -> Step {
        let outcome = match answer {
            Ok(answer) => answer.outcome.map(|facts| (answer.as_of, facts)),
            Err(UnavailableFault::Authority)
                if ask.asked_for == AskedFor::Verdict && self.requirement.word == RouteWord::Leased =>
            {
                Err(UnavailableFault::LeaseExpired.into())
            }
            Err(fault) => Err(fault.into()),
        };
        match outcome {
            Ok((as_of, facts)) => {
                // What only the host has is not kept: the browser's own first use must come by here.
                if ask.asked_for == AskedFor::Load
                    && ask.holder == Holder::Caller
                    && let Some(key) = self.key(memory)
                {
                    memory.remember_load(key, &ask.ticket, as_of, &facts);
                }
                self.found(memory, now, facts)
            }
            Err(rejection) => self.refused(memory, now, rejection),
        }
    }

    fn key(&self, memory: &Memory) -> Option<CacheKey> {
        self.credential().map(|credential| memory.cache_key(&self.app.id, credential.text()))
    }

    fn look(&self, memory: &Memory, now: Moment, credential: AccessCredential<'_>) -> Result<Look, Rejection> {
        // Garbage is refused here, before anybody is asked anything.
        if let AccessCredential::Session(text) = credential {
            SessionToken::parse(memory.replica_keys(), text).map_err(|error| CredentialFault::Secret { error })?;
        }
        let leased = memory.replica().lease(now.mono).is_held();
        if !leased || self.requirement.word != RouteWord::Leased {
            if let AccessCredential::Jwt(text) = credential {
                memory.refuse_garbage(&self.app.id, text, now.wall)?;
            }
            return Ok(Look::Ask(AskedFor::Verdict));
        }
        let key = memory.cache_key(&self.app.id, credential.text());
        if let Some(facts) = memory.recall(&key, now.wall) {
            return Ok(Look::Found(facts));
        }
        let AccessCredential::Jwt(text) = credential else { return Ok(Look::Ask(AskedFor::Load)) };
        // Its key is with the authority alone: what that says is kept, as for a session.
        let Some(facts) = memory.verify_jwt(&self.app.id, text, now.wall)? else {
            return Ok(Look::Ask(AskedFor::Load));
        };
        match memory.judge(&facts) {
            Verdict::Good => {}
            Verdict::Revoked { .. } => return Err(CredentialFault::Revoked.into()),
            Verdict::Stale => return Err(CredentialFault::Stale.into()),
        }
        let facts = Arc::new(facts);
        if self.holder() == Holder::Host {
            // See `resume`.
            return Ok(Look::Found(facts));
        }
        memory.remember(key, Arc::clone(&facts));
        if let (Some(sid), Some(generation)) = (facts.sid, facts.generation) {
            memory.touches().note(&self.app.id, sid, Touch { at: now.wall, generation: Some(generation) });
        }
        Ok(Look::Found(facts))
    }

    fn found(&mut self, memory: &Memory, now: Moment, facts: Arc<Facts>) -> Step {
        if facts.app != self.app.id {
            return self.refused(memory, now, CredentialFault::OtherApp.into());
        }
        match (self.stage, &self.first) {
            (Stage::First, _) if self.presented.second().is_some() => {
                self.first = Some(facts);
                self.stage = Stage::Second;
                self.step(memory, now)
            }
            (Stage::Second, Some(first)) => {
                let same_login = first.sid == facts.sid && first.subject == facts.subject;
                let first = Arc::clone(first);
                if same_login {
                    return Step::Done(self.permit(memory, now, first));
                }
                Step::Done(Err(super::rejection::RequestFault::CredentialsConflict.into()))
            }
            _ => Step::Done(self.permit(memory, now, facts)),
        }
    }

    fn refused(&mut self, memory: &Memory, now: Moment, rejection: Rejection) -> Step {
        match self.first.take() {
            // It may live, and be another's.
            Some(_) if matches!(rejection, Rejection::Unavailable(_)) => Step::Done(Err(rejection)),
            // A dead credential beside a live one is not there.
            Some(first) => Step::Done(self.permit(memory, now, first)),
            None => Step::Done(Err(rejection)),
        }
    }

    fn permit(&self, memory: &Memory, now: Moment, facts: Arc<Facts>) -> Result<Permit, Rejection> {
        self.requirement.check(&facts, now.wall)?;
        if self.via == Via::Cookie && !csrf::is_safe(self.request.method) {
            self.prove_origin(memory, &facts)?;
        }
        if let (Some(sid), true) = (facts.sid, facts.wants_touch(now.wall)) {
            memory.touches().note(&facts.app, sid, Touch { at: now.wall, generation: None });
        }
        Ok(Permit::new(facts, self.via))
    }

    fn prove_origin(&self, memory: &Memory, facts: &Facts) -> Result<(), Rejection> {
        let header = single(self.request.headers, "x-csrf-token")?;
        let shown = header.or(self.request.form_token);
        let token = shown.map(|text| {
            facts
                .sid
                .as_ref()
                .is_some_and(|sid| CsrfToken::check(memory.replica_keys(), CsrfBinding::Login(sid), text).is_ok())
        });
        let proof = csrf::verify(&self.app, self.request.headers, self.requirement.csrf, token)?;
        proof.map_err(|fault: CsrfFault| ForbiddenFault::Csrf { fault }.into())
    }
}

/// What memory says of a credential.
enum Look {
    Found(Arc<Facts>),
    Ask(AskedFor),
}
