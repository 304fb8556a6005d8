//! A verifier that joined, holds a lease, and knows two apps and one key; and what clients may show it.

use std::sync::Arc;
use std::time::Duration;

use misario_core::app::{App, Mode, Transport};
use misario_core::authn::{
    Answer, AppHint, Ask, AskedFor, Check, Facts, Headers, IssuerFacts, Kind, Memory, Moment, Permit, Rejection,
    Request, Requirement, Snapshot, Step,
};
use misario_core::changes::{Change, ChangeKind, Epoch, LeaseConfig, MonoTime, Position, Replica, Target};
use misario_core::claims::{ACCESS_TYP, AccessClaims};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::refresh::Generation;
use misario_core::secret::{LoginSeed, SessionToken, TokenKey, TokenKeys};
use misario_jose::{Algorithm, KeyId, SigningKey, UnixTime};
use misario_testkit::entropy::SeededEntropy;

const TTL: Duration = Duration::from_secs(2);
const ISSUER: &str = "https://auth.example.com";

/// What the verifier had applied when it joined; the tokens of [`claims`] were issued here.
pub(crate) const JOINED: u64 = 10;

pub(crate) fn at(sequence: u64) -> Position {
    Position::new(Epoch(1), sequence)
}

pub(crate) fn sid(n: u8) -> SessionId {
    SessionId::from_bytes([n; 16])
}

pub(crate) fn app_id(name: &str) -> AppId {
    AppId::new(name).unwrap()
}

pub(crate) fn subject(name: &str) -> Subject {
    Subject::new(name).unwrap()
}

/// `later` seconds after the verifier joined, on the wall clock; the monotonic one stands still, so the lease lasts.
pub(crate) fn after(later: u64) -> Moment {
    Moment { wall: UnixTime::from_secs(1_800_000_000 + later), mono: MonoTime::from_millis(1_000) }
}

pub(crate) const fn without_lease(now: Moment) -> Moment {
    Moment { mono: MonoTime::from_millis(60_000), ..now }
}

/// An access token of alice's login 1 in `web`, for 900 seconds from the beginning.
pub(crate) fn claims() -> AccessClaims {
    let now = after(0).wall;
    AccessClaims {
        iss: ISSUER.to_owned(),
        aud: "app:web".to_owned(),
        sub: subject("alice"),
        client_id: "web".to_owned(),
        iat: now,
        exp: now.saturating_add(900),
        jti: "j-1".to_owned(),
        pos: at(JOINED),
        cv: 1,
        sid: Some(sid(1)),
        auth_time: Some(now),
        amr: vec!["pwd".to_owned()],
        roles: vec!["hr".to_owned()],
        permissions: vec!["pay".to_owned()],
        scope: Some("read write".to_owned()),
        org: None,
        login_exp: Some(now.saturating_add(36_000)),
        trn: Some(Transport::Bearer),
        rg: Some(Generation(7)),
    }
}

/// The headers of a request.
pub(crate) struct Shown(Vec<(&'static str, String)>);

impl Headers for Shown {
    fn each<'h>(&'h self, name: &'static str, each: &mut dyn FnMut(&'h [u8])) {
        self.0.iter().filter(|(own, _)| *own == name).for_each(|(_, value)| each(value.as_bytes()));
    }
}

pub(crate) fn bearer(token: &str) -> Shown {
    Shown(Vec::new()).and("authorization", &format!("Bearer {token}"))
}

pub(crate) fn cookie(token: &str) -> Shown {
    Shown(Vec::new()).and("cookie", &format!("__Host-misario-web={token}"))
}

impl Shown {
    pub(crate) fn and(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, value.to_owned()));
        self
    }

    /// The tokens among them that are long enough to be told from other text.
    fn credentials(&self) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(|(name, _)| ["authorization", "cookie"].contains(name));
        values.filter_map(|(_, value)| value.rsplit([' ', '=']).next()).filter(|token| token.len() > 16)
    }

    pub(crate) fn and_cookie(self, token: &str) -> Self {
        self.and("cookie", &format!("__Host-misario-web={token}"))
    }
}

pub(crate) struct Bench {
    pub(crate) memory: Memory,
    pub(crate) entropy: SeededEntropy,
    pub(crate) key: SigningKey,
    pub(crate) tokens: TokenKeys,
    head: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_leeway(0)
    }

    /// A verifier that lets clocks differ by so many seconds.
    pub(crate) fn with_leeway(leeway: u64) -> Self {
        let entropy = SeededEntropy::new(7);
        let tokens = TokenKeys::new(TokenKey::new(1, &[1; 32]), vec![]);
        let issuer = IssuerFacts { issuer: ISSUER.to_owned(), leeway };
        let replica = Replica::new(LeaseConfig::new(TTL), &entropy);
        let memory = Memory::new(replica, issuer, tokens.replica().clone(), &entropy);
        let key = SigningKey::generate(Algorithm::Es256, &entropy).with_kid(KeyId::new("k-1").unwrap());
        let mut bench = Self { memory, entropy, key, tokens, head: JOINED };
        bench.join();
        bench
    }

    /// Starts (again) from a snapshot of the apps and the key, and gets a lease.
    pub(crate) fn join(&mut self) {
        let mut keys = misario_jose::KeySet::new();
        keys.insert(self.key.verifying_key()).unwrap();
        let jwks = serde_json::to_string(&keys.to_jwk_set()).unwrap();
        let changes: Vec<_> = ["web", "spa"]
            .map(|name| ChangeKind::AppChanged { app: Box::new(app(name)) })
            .into_iter()
            .chain([ChangeKind::KeysChanged { jwks }])
            .zip(1..)
            .map(|(kind, sequence)| change(sequence, kind))
            .collect();
        let snapshot = Snapshot { position: at(self.head), changes: &changes, issuer: None };
        self.memory.adopt(snapshot, &self.entropy).unwrap();
        let now = MonoTime::from_millis(1_000);
        let request = self.memory.replica_mut().renew(now, &self.entropy).unwrap();
        self.memory.replica_mut().granted(now, request.nonce, TTL, at(self.head));
    }

    /// The newest refresh generation of that login of `web` that was seen in use.
    pub(crate) fn seen_generation(&self, sid: SessionId) -> Option<Generation> {
        self.memory.touches().of(&app_id("web"), &sid).and_then(|touch| touch.generation)
    }

    /// When that login of `web` was last used.
    pub(crate) fn touched_at(&self, sid: SessionId) -> Option<UnixTime> {
        self.memory.touches().of(&app_id("web"), &sid).map(|touch| touch.at)
    }

    /// The next change of the log; its position.
    pub(crate) fn apply(&mut self, kind: ChangeKind) -> Position {
        self.head += 1;
        self.memory.apply(&[change(self.head, kind)]).unwrap();
        at(self.head)
    }

    /// A change that was applied already comes once more.
    pub(crate) fn repeat(&mut self, position: Position, kind: ChangeKind) {
        self.memory.apply(&[change(position.sequence, kind)]).unwrap();
    }

    pub(crate) fn revoke(&mut self, target: Target) -> Position {
        self.apply(ChangeKind::Revoked { target, before: None })
    }

    pub(crate) fn sign(&self, claims: &AccessClaims) -> String {
        self.key.sign_jwt(ACCESS_TYP, claims).unwrap()
    }

    /// A session token of that login.
    pub(crate) fn session_token(&self, sid: SessionId) -> String {
        let seed = LoginSeed::generate(&self.tokens, &SeededEntropy::new(9));
        let token = SessionToken::derive(&self.tokens, &seed, sid, 1).unwrap();
        token.to_text(self.tokens.replica()).unwrap().expose().to_owned()
    }

    /// Checks a GET without requirements.
    pub(crate) fn get(&self, shown: &Shown, now: Moment) -> Answered {
        self.check(&Requirement::default(), "GET", shown, now)
    }

    /// Checks a request up to the answer or the first question.
    pub(crate) fn check(&self, requirement: &Requirement, method: &str, shown: &Shown, now: Moment) -> Answered {
        self.drive(requirement, method, shown, now, |_| None)
    }

    /// Checks a GET, and lets the authority answer `answer` to each question.
    pub(crate) fn get_with(&self, shown: &Shown, now: Moment, answer: &Answer) -> Answered {
        self.drive(&Requirement::default(), "GET", shown, now, |_| Some(answer.clone()))
    }

    /// Checks a request; a question that `authority` has no answer to is what comes out.
    pub(crate) fn drive(
        &self,
        requirement: &Requirement,
        method: &str,
        shown: &Shown,
        now: Moment,
        authority: impl Fn(&Ask) -> Option<Answer>,
    ) -> Answered {
        let hint = AppHint { own: Some(&app_id("web")), parameter: None };
        let request = Request { method, headers: shown, hint, form_token: None };
        let mut check = match Check::begin(&self.memory, requirement, request) {
            Ok(check) => check,
            Err(rejection) => return Answered::No(rejection),
        };
        let printed = format!("{check:?}");
        assert!(!shown.credentials().any(|credential| printed.contains(credential)), "{printed}");
        let mut step = check.step(&self.memory, now);
        loop {
            step = match step {
                Step::Done(Ok(permit)) => return Answered::Yes(permit),
                Step::Done(Err(rejection)) => return Answered::No(rejection),
                Step::Ask(ask) => match authority(&ask) {
                    Some(answer) => check.resume(&self.memory, now, &ask, Ok(answer)),
                    None => return Answered::Asked(ask.asked_for),
                },
            };
        }
    }
}

/// What came of a check.
#[derive(Debug)]
pub(crate) enum Answered {
    Yes(Permit),
    No(Rejection),
    Asked(AskedFor),
}

impl Answered {
    /// `yes`, the question, or the code of the refusal.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Yes(_) => "yes",
            Self::No(rejection) => rejection.code(),
            Self::Asked(AskedFor::Load) => "load",
            Self::Asked(AskedFor::Verdict) => "verdict",
        }
    }
}

/// What the authority says of a session of alice in `web`: idle in 300 seconds.
pub(crate) fn session_facts(sid: SessionId) -> Facts {
    let token = Facts::of_claims(claims(), app_id("web"), None);
    Facts {
        kind: Kind::Session,
        sid: Some(sid),
        transport: Transport::Cookie,
        deadline: after(300).wall,
        idle: 300,
        jti: None,
        generation: None,
        ..token
    }
}

/// The authority's yes to a session, as of a position.
pub(crate) fn yes(sid: SessionId, as_of: Position) -> Answer {
    Answer { as_of, outcome: Ok(Arc::new(session_facts(sid))) }
}

fn app(name: &str) -> App {
    let origin = format!("https://{name}.example.com").parse().unwrap();
    App::new(app_id(name), Mode::Hybrid, &[Transport::Cookie, Transport::Bearer], vec![origin])
}

fn change(sequence: u64, kind: ChangeKind) -> Change {
    Change { position: at(sequence), at: after(0).wall, until: after(100_000).wall, kind }
}
