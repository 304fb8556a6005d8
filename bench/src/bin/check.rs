//! The whole check of a request: app, credential, lease, cached facts, role, for a JWT and for a session token.
//!
//! Every token has been checked once before, so these are hits, and each must be answered without asking anybody. The
//! peer verifies the token's signature at every request, since it remembers nothing; it knows no revocation.

use std::{hint::black_box, sync::Arc, time::Duration, time::SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use jsonwebtoken::{DecodingKey, Validation};
use misario_bench::{Contestant, Group, Machine, Options, Report};
use misario_core::{
    app::{App, Mode, Transport},
    authn::{
        Answer, AppHint, Check, Facts, Headers, IssuerFacts, Kind, Memory, Moment, Request, Requirement, Snapshot,
        Step, role,
    },
    changes::{Change, ChangeKind, Epoch, LeaseConfig, MonoTime, Position, Replica},
    claims::{ACCESS_TYP, AccessClaims},
    id::{AppId, SessionId, Subject},
    refresh::Generation,
    secret::{LoginSeed, SessionToken, TokenKey, TokenKeys},
};
use misario_jose::{Algorithm, SigningKey, UnixTime};

const ISSUER: &str = "https://auth.example.com";
const ORIGIN: &str = "https://web.example.com";

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let mut report = Report::new(&options);
    let crowd = if options.smoke { 20 } else { 20_000 };
    let algorithm = Algorithm::Es256;
    let mut world = World::new(algorithm)?;
    let one_jwt = world.jwts(1)?;
    let one_session = world.sessions(1)?;
    // One memory for all of them: what is hot stays hot beside a crowd that is not asked for.
    let mut jwts = Turn::new(one_jwt.clone());
    let mut sessions = Turn::new(one_session);
    hot(&world, &one_jwt[0], [&mut jwts, &mut sessions], (&options, &mut report))?;

    let (mut jwts, mut sessions) = (Turn::new(world.jwts(crowd)?), Turn::new(world.sessions(crowd)?));
    let contestants = vec![
        Contestant::new("misario, JWT", || world.hit(jwts.next())),
        Contestant::new("misario, session", || world.hit(sessions.next())),
    ];
    Group::new("20,000 alive", contestants).measure(&options, &mut report);
    report.finish(&options)
}

/// The same credential again and again, beside a peer that verifies it each time.
fn hot(
    world: &World,
    jwt: &Bearer,
    [jwts, sessions]: [&mut Turn; 2],
    (options, report): (&Options, &mut Report),
) -> Result<()> {
    let token = jwt.0.strip_prefix("Bearer ").context("a bearer header")?;
    let jwk = world.key.verifying_key().to_jwk().context("a public key")?;
    let key = DecodingKey::from_jwk(&serde_json::from_str(&jwk.to_json())?)?;
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[ORIGIN]);
    let contestants = vec![
        Contestant::new("misario, JWT", || world.hit(jwts.next())),
        Contestant::new("misario, session", || world.hit(sessions.next())),
        Contestant::new("jsonwebtoken, ES256", || {
            let jwt = jsonwebtoken::decode::<AccessClaims>(black_box(token), &key, &validation).expect("a good token");
            assert!(jwt.claims.roles.iter().any(|role| role == "hr"));
        }),
    ];
    Group::new("check, hot", contestants).measure(options, report);
    Ok(())
}

/// An `Authorization` header.
#[derive(Clone)]
struct Bearer(String);

impl Headers for Bearer {
    fn each<'h>(&'h self, name: &'static str, each: &mut dyn FnMut(&'h [u8])) {
        if name == "authorization" {
            each(self.0.as_bytes());
        }
    }
}

/// Hands out credentials one after the other, over and over, far apart in memory.
struct Turn {
    all: Vec<Bearer>,
    at: usize,
}

impl Turn {
    fn new(all: Vec<Bearer>) -> Self {
        Self { all, at: 0 }
    }

    fn next(&mut self) -> &Bearer {
        // A step without a common divisor with the length visits all, and no two neighbours in a row.
        self.at = (self.at + 7_919) % self.all.len();
        &self.all[self.at]
    }
}

/// A verifier under a lease, and the issuer of what it verifies.
struct World {
    key: SigningKey,
    token_keys: TokenKeys,
    memory: Memory,
    requirement: Requirement,
    now: Moment,
    made: u64,
}

impl World {
    fn new(algorithm: Algorithm) -> Result<Self> {
        // The peer reads the clock itself, so its token has to be alive today.
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let now = Moment { wall: UnixTime::from_secs(wall), mono: MonoTime::from_millis(1_000) };
        let key = SigningKey::generate(algorithm, &Machine);
        let token_keys = TokenKeys::new(TokenKey::new(1, &[1; 32]), Vec::new());
        let mut replica = Replica::new(LeaseConfig::new(Duration::from_secs(2)), &Machine);
        replica.set_ttl(Duration::from_secs(2));
        let issuer = IssuerFacts { issuer: ISSUER.to_owned(), leeway: 0 };
        let mut memory = Memory::new(replica, issuer, token_keys.replica().clone(), &Machine);
        let changes = [change(1, keys_changed(&key)?, now.wall), change(2, app_changed()?, now.wall)];
        let snapshot = Snapshot { position: position(2), changes: &changes, issuer: None };
        memory.adopt(snapshot, &Machine)?;
        let replica = memory.replica_mut();
        let asked = replica.renew(now.mono, &Machine).context("a replica with a view renews")?;
        replica.granted(now.mono, asked.nonce, Duration::from_secs(2), position(2));
        Ok(Self { key, token_keys, memory, requirement: role("hr"), now, made: 0 })
    }

    /// A check that has to be a yes from memory.
    fn hit(&self, bearer: &Bearer) {
        match self.check(bearer) {
            Ok(Step::Done(Ok(permit))) => {
                black_box(permit);
            }
            other => panic!("not a hit: {other:?}"),
        }
    }

    fn check(&self, bearer: &Bearer) -> Result<Step> {
        let mut check = self.begin(bearer)?;
        Ok(check.step(&self.memory, self.now))
    }

    fn begin<'r>(&'r self, bearer: &'r Bearer) -> Result<Check<'r>> {
        let hint = AppHint { own: None, parameter: None };
        let request = Request { method: "GET", headers: black_box(bearer), hint, form_token: None };
        Check::begin(&self.memory, &self.requirement, request).map_err(|rejection| anyhow!("{rejection:?}"))
    }

    /// So many tokens that the memory has verified.
    fn jwts(&mut self, count: usize) -> Result<Vec<Bearer>> {
        (0..count)
            .map(|_| {
                let claims = self.claims()?;
                let bearer = Bearer(format!("Bearer {}", self.key.sign_jwt(ACCESS_TYP, &claims)?));
                self.hit(&bearer);
                Ok(bearer)
            })
            .collect()
    }

    /// So many session tokens that the memory has loaded.
    fn sessions(&mut self, count: usize) -> Result<Vec<Bearer>> {
        (0..count)
            .map(|_| {
                let claims = self.claims()?;
                let sid = claims.sid.context("a login")?;
                let seed = LoginSeed::generate(&self.token_keys, &Machine);
                let token = SessionToken::derive(&self.token_keys, &seed, sid, 0).context("its key is here")?;
                let text = token.to_text(self.token_keys.replica()).context("its key is here")?;
                let bearer = Bearer(format!("Bearer {}", text.expose()));
                self.load(&bearer, Facts { kind: Kind::Session, idle: 1_800, ..facts(claims)? })?;
                self.hit(&bearer);
                Ok(bearer)
            })
            .collect()
    }

    fn load(&self, bearer: &Bearer, facts: Facts) -> Result<()> {
        let mut check = self.begin(bearer)?;
        let Step::Ask(ask) = check.step(&self.memory, self.now) else {
            bail!("the session is in memory already");
        };
        let answer = Answer { as_of: position(2), outcome: Ok(Arc::new(facts)) };
        match check.resume(&self.memory, self.now, &ask, Ok(answer)) {
            Step::Done(Ok(_)) => Ok(()),
            other => bail!("the loaded session is no yes: {other:?}"),
        }
    }

    fn claims(&mut self) -> Result<AccessClaims> {
        self.made += 1;
        let mut sid = [0x5a; 16];
        sid[..8].copy_from_slice(&self.made.to_be_bytes());
        let wall = self.now.wall;
        Ok(AccessClaims {
            iss: ISSUER.to_owned(),
            aud: ORIGIN.to_owned(),
            sub: Subject::new(&format!("7b0b5c3e-9d0c-4f0e-8a39-{:012}", self.made))?,
            client_id: "web".to_owned(),
            iat: wall,
            exp: wall.saturating_add(3_600),
            jti: format!("{:022}", self.made),
            pos: position(2),
            cv: 1,
            sid: Some(SessionId::from_bytes(sid)),
            auth_time: Some(wall),
            amr: vec!["pwd".to_owned()],
            roles: ["staff", "editor", "hr"].map(str::to_owned).to_vec(),
            permissions: Vec::new(),
            scope: None,
            org: None,
            login_exp: Some(wall.saturating_add(43_200)),
            trn: Some(Transport::Bearer),
            rg: Some(Generation(0)),
        })
    }
}

fn facts(claims: AccessClaims) -> Result<Facts> {
    Ok(Facts::of_claims(claims, AppId::new("web")?, None))
}

fn position(sequence: u64) -> Position {
    Position::new(Epoch(1), sequence)
}

fn change(sequence: u64, kind: ChangeKind, at: UnixTime) -> Change {
    Change { position: position(sequence), at, until: at.saturating_add(86_400), kind }
}

fn keys_changed(key: &SigningKey) -> Result<ChangeKind> {
    let mut keys = misario_jose::KeySet::new();
    keys.insert(key.verifying_key())?;
    Ok(ChangeKind::KeysChanged { jwks: keys.to_jwk_set().to_json() })
}

fn app_changed() -> Result<ChangeKind> {
    let app = App::new(AppId::new("web")?, Mode::Hybrid, &[Transport::Bearer], vec![ORIGIN.parse()?]);
    Ok(ChangeKind::AppChanged { app: Box::new(App { audience: ORIGIN.to_owned(), ..app }) })
}
