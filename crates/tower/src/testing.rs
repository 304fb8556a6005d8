//! Shared by this crate's tests: a memory with a lease, credentials for it, and an authority that answers as told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{Method, Request};
use misario_core::app::{App, Mode, Transport};
use misario_core::authn::{Answer, AskedFor, Facts, IssuerFacts, Kind, Memory, Snapshot, UnavailableFault};
use misario_core::changes::{Change, ChangeKind, Epoch, LeaseConfig, MonoTime, Position, Replica};
use misario_core::claims::{ACCESS_TYP, AccessClaims};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::secret::{LoginSeed, ReplicaKeys, SecretText, SessionToken, TokenKey, TokenKeys};
use misario_jose::{Algorithm, Entropy, KeySet, SigningKey, UnixTime, b64u};
use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;

use crate::authority::{Authority, BoxFuture, Question, RenewError, RenewQuestion, Renewed};
use crate::clock::Clock;
use crate::guard::{Guard, GuardParts};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const OWN: &str = "https://web.example.com";

/// Octets that are all different, and the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).to_be_bytes();
            chunk.copy_from_slice(&next[8 - chunk.len()..]);
        }
    }
}

/// Clocks that stand still until they are told otherwise.
#[derive(Debug)]
pub(crate) struct StillClock {
    wall: AtomicU64,
    mono: AtomicU64,
}

impl StillClock {
    pub(crate) fn new() -> Self {
        Self { wall: NOW.into(), mono: 1_000_000.into() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.wall.fetch_add(by.as_secs(), Ordering::Relaxed);
        self.mono.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for StillClock {
    fn wall(&self) -> UnixTime {
        UnixTime::from_secs(self.wall.load(Ordering::Relaxed))
    }

    fn mono(&self) -> MonoTime {
        MonoTime::from_millis(self.mono.load(Ordering::Relaxed))
    }
}

/// An authority that answers as told, and notes what it was asked.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) answers: Mutex<HashMap<String, Answer>>,
    pub(crate) renewal: Mutex<Option<Result<Renewed, RenewError>>>,
    pub(crate) asked: Mutex<Vec<(String, AskedFor)>>,
    pub(crate) renewals: Mutex<Vec<(Option<String>, Option<String>)>>,
    held: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Told {
    /// The next answer waits until the other end of `until` is used or dropped.
    pub(crate) fn hold(&self, until: oneshot::Receiver<()>) {
        *self.held.lock() = Some(until);
    }
}

impl Authority for Told {
    fn ask<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<Answer, UnavailableFault>> {
        self.asked.lock().push((question.credential.to_owned(), question.asked_for));
        let answer = self.answers.lock().get(question.credential).cloned();
        let held = self.held.lock().take();
        Box::pin(async move {
            if let Some(held) = held {
                let _ = held.await;
            }
            answer.ok_or(UnavailableFault::Authority)
        })
    }

    fn renew<'a>(&'a self, question: RenewQuestion<'a>) -> BoxFuture<'a, Result<Renewed, RenewError>> {
        let shown = (question.access.map(str::to_owned), question.refresh.map(str::to_owned));
        self.renewals.lock().push(shown);
        let renewal = self.renewal.lock().clone();
        Box::pin(async move { renewal.unwrap_or(Err(RenewError::Unavailable(UnavailableFault::Authority))) })
    }
}

/// A guard of one app, `web` unless said otherwise, with everything around it.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) told: Arc<Told>,
    pub(crate) guard: Guard,
    pub(crate) keys: TokenKeys,
    signing: SigningKey,
    next: Mutex<Position>,
}

impl Bench {
    pub(crate) fn new(mode: Mode) -> Self {
        Self::of("web", mode)
    }

    /// The same for the app of that name.
    pub(crate) fn of(name: &str, mode: Mode) -> Self {
        let transports = [Transport::Cookie, Transport::Bearer, Transport::Split];
        let app = App::new(app_id(name), mode, &transports, vec![OWN.parse().unwrap()]);
        let entropy = Arc::new(Counting::default());
        let signing = SigningKey::generate(Algorithm::Es256, &*entropy);
        let keys = TokenKeys::new(TokenKey::new(1, &[7; 32]), Vec::new());
        let clock = Arc::new(StillClock::new());
        let told = Arc::new(Told::default());
        let memory = Arc::new(RwLock::new(memory(&app, &signing, keys.replica(), &entropy)));
        let guard = Guard::new(GuardParts {
            memory,
            authority: Arc::clone(&told) as _,
            clock: Arc::clone(&clock) as _,
            entropy,
        });
        let bench = Self { app, clock, told, guard, keys, signing, next: Mutex::new(at(3)) };
        bench.lease();
        bench
    }

    /// Gives the memory a lease of two seconds from now.
    pub(crate) fn lease(&self) {
        let now = self.clock.mono();
        let mut memory = self.guard.memory().write();
        let applied = memory.replica().view().applied();
        let request = memory.replica_mut().renew(now, &Counting::default()).unwrap();
        memory.replica_mut().granted(now, request.nonce, Duration::from_secs(2), applied);
    }

    pub(crate) fn apply(&self, kind: ChangeKind) {
        let mut next = self.next.lock();
        self.guard.memory().write().apply(&[change(*next, kind)]).unwrap();
        *next = next.next();
    }

    pub(crate) fn switch(&self, mode: Mode) {
        self.apply(ChangeKind::AppChanged { app: Box::new(App { mode, ..self.app.clone() }) });
    }

    /// An access token of a cookie login, made at `NOW` for 900 s.
    pub(crate) fn jwt(&self, change: impl FnOnce(&mut AccessClaims)) -> String {
        let mut claims = claims(&self.app);
        change(&mut claims);
        self.signing.sign_jwt(ACCESS_TYP, &claims).unwrap()
    }

    /// The log's first two entries, which make the app and its key known.
    pub(crate) fn first_changes(&self) -> Vec<Change> {
        first_changes(&self.app, &self.signing).to_vec()
    }

    /// A session token of the login `sid`.
    pub(crate) fn session_token(&self, sid: SessionId) -> String {
        let seed = LoginSeed::generate(&self.keys, &Counting::default());
        let token = SessionToken::derive(&self.keys, &seed, sid, 1).unwrap();
        token.to_text(self.keys.replica()).unwrap().expose().to_owned()
    }

    /// What the authority says of a session token from here on.
    pub(crate) fn knows(&self, token: &str, facts: Facts) {
        let answer = Answer { as_of: at(2), outcome: Ok(Arc::new(facts)) };
        self.told.answers.lock().insert(token.to_owned(), answer);
    }

    pub(crate) fn renews(&self, access: &str) {
        let line = format!("{}={access}; Path=/", self.app.cookies.access);
        let renewed = Renewed { access: SecretText::new(access.to_owned()), set_cookies: vec![line] };
        *self.told.renewal.lock() = Some(Ok(renewed));
    }

    /// What a session of the login `sid` tells.
    pub(crate) fn session(&self, sid: SessionId) -> Facts {
        let claims = AccessClaims { sid: Some(sid), ..claims(&self.app) };
        let facts = Facts::of_claims(claims, self.app.id.clone(), None);
        Facts { kind: Kind::Session, idle: 1_800, deadline: UnixTime::from_secs(NOW + 1_800), jti: None, ..facts }
    }
}

/// A text of the form that client secrets have: key id, content, tag.
pub(crate) fn client_secret(number: u8) -> SecretText {
    SecretText::new(format!("mcs_{}", b64u::encode(&[number; 4 + 32 + 16])))
}

pub(crate) fn app_id(name: &str) -> AppId {
    AppId::new(name).unwrap()
}

pub(crate) fn sid(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub(crate) fn at(sequence: u64) -> Position {
    Position::new(Epoch(1), sequence)
}

pub(crate) fn change(position: Position, kind: ChangeKind) -> Change {
    Change { position, at: UnixTime::from_secs(NOW), until: UnixTime::from_secs(NOW + 86_400), kind }
}

fn claims(app: &App) -> AccessClaims {
    AccessClaims {
        iss: "https://auth.example.com".to_owned(),
        aud: app.audience.clone(),
        sub: Subject::new("alice").unwrap(),
        client_id: app.id.to_string(),
        iat: UnixTime::from_secs(NOW),
        exp: UnixTime::from_secs(NOW + 900),
        jti: "token".to_owned(),
        pos: at(2),
        cv: 1,
        sid: Some(sid(1)),
        auth_time: Some(UnixTime::from_secs(NOW)),
        amr: Vec::new(),
        roles: vec!["hr".to_owned()],
        permissions: Vec::new(),
        scope: None,
        org: None,
        login_exp: Some(UnixTime::from_secs(NOW + 43_200)),
        trn: Some(Transport::Cookie),
        rg: None,
    }
}

fn memory(app: &App, signing: &SigningKey, keys: &ReplicaKeys, entropy: &Counting) -> Memory {
    let issuer = IssuerFacts { issuer: "https://auth.example.com".to_owned(), leeway: 0 };
    let changes = first_changes(app, signing);
    let replica = Replica::new(LeaseConfig::new(Duration::from_secs(2)), entropy);
    let mut memory = Memory::new(replica, issuer, keys.clone(), entropy);
    let snapshot = Snapshot { position: at(2), changes: &changes, issuer: None };
    memory.adopt(snapshot, entropy).unwrap();
    memory
}

fn first_changes(app: &App, signing: &SigningKey) -> [Change; 2] {
    let mut public = KeySet::new();
    public.insert(signing.verifying_key()).unwrap();
    let jwks = public.to_jwk_set().to_json();
    [
        change(at(1), ChangeKind::AppChanged { app: Box::new(app.clone()) }),
        change(at(2), ChangeKind::KeysChanged { jwks }),
    ]
}

/// A request with these headers.
pub(crate) fn parts(method: Method, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

pub(crate) fn with_cookie(access: &str) -> Parts {
    parts(Method::GET, &[(COOKIE.as_str(), &format!("__Host-misario-web={access}"))])
}

pub(crate) fn with_bearer(access: &str) -> Parts {
    parts(Method::GET, &[(AUTHORIZATION.as_str(), &format!("Bearer {access}"))])
}
