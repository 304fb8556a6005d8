//! What a verifier answers from: the view of the change log, ready to use.
//!
//! A host keeps one behind a read-write lock. A check reads its clock, takes the lock for reading, and finds lease,
//! view and caches of one moment (PROTOCOL rules 17 and 18); changes are applied under the lock for writing.

use std::collections::BTreeMap;
use std::sync::Arc;

use misario_jose::{Algorithm, Entropy, JwkSet, JwtError, KeySet, Scratch, UnixTime, Verifier};

use super::cache::{CacheKey, FactsCache};
use super::facts::Facts;
use super::rejection::CredentialFault;
use super::touches::Touches;
use crate::app::{App, LONGEST_ACCESS};
use crate::changes::{
    Applied, Change, ChangeKind, ClaimFacts, LoadTicket, Position, Replica, SyncError, Verdict, covers,
};
use crate::claims::{ACCESS_TYP, AccessClaims};
use crate::id::AppId;
use crate::secret::ReplicaKeys;

/// What a verifier knows of its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerFacts {
    /// The claim `iss`.
    pub issuer: String,
    /// The leeway for times in tokens, in seconds.
    pub leeway: u64,
}

/// The octets that cached credentials may take.
pub const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What a verifier answers from.
pub struct Memory {
    replica: Replica,
    issuer: IssuerFacts,
    public: KeySet,
    secret: Option<KeySet>,
    verifiers: BTreeMap<AppId, Verifiers>,
    replica_keys: ReplicaKeys,
    cache: FactsCache,
    touches: Touches,
}

/// One verifier per family of keys: no set ever holds both, so no public key is ever tried as an HMAC secret.
struct Verifiers {
    public: Verifier,
    secret: Verifier,
}

impl Memory {
    /// A memory that knows nothing yet and vouches for nothing.
    pub fn new(replica: Replica, issuer: IssuerFacts, replica_keys: ReplicaKeys, entropy: &dyn Entropy) -> Self {
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        Self {
            replica,
            issuer,
            public: KeySet::new(),
            secret: None,
            verifiers: BTreeMap::new(),
            replica_keys,
            cache: FactsCache::new(&secret, CACHE_BYTES),
            touches: Touches::default(),
        }
    }

    /// The replica machine: lease, view, heartbeat.
    pub const fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The replica machine, for renewals. Changes go through [`Memory::apply`], which keeps the caches in step.
    pub const fn replica_mut(&mut self) -> &mut Replica {
        &mut self.replica
    }

    /// The issuer.
    pub const fn issuer(&self) -> &IssuerFacts {
        &self.issuer
    }

    /// The keys that recognise our secret texts.
    pub const fn replica_keys(&self) -> &ReplicaKeys {
        &self.replica_keys
    }

    /// The apps.
    pub const fn apps(&self) -> &BTreeMap<AppId, Arc<App>> {
        self.replica.view().apps()
    }

    /// The symmetric keys of the issuer, which only the authority has; without them HS256 tokens are asked about.
    pub fn set_secret_keys(&mut self, keys: KeySet) {
        self.secret = Some(keys);
        self.cache.clear();
    }

    /// Applies changes in order. When it returns, view and caches show them (rule 17).
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), SyncError> {
        for change in changes {
            // What was applied already says nothing new, and may say what is not so any more.
            if self.replica.apply(change)? == Applied::Before {
                continue;
            }
            self.cache.evict(|facts| covers(change, &claim_facts(facts)));
            match &change.kind {
                ChangeKind::KeysChanged { .. } => self.read_keys(),
                ChangeKind::AppChanged { app } => self.prepare_app(app),
                _ => {}
            }
        }
        Ok(())
    }

    /// Starts again from a snapshot: lease, pending grants and caches are dropped, the replica takes a new id (rules
    /// 4 and 21).
    pub fn adopt(&mut self, snapshot: Snapshot<'_>, entropy: &dyn Entropy) -> Result<(), SyncError> {
        self.cache.clear();
        self.replica.adopt_snapshot(snapshot.position, snapshot.changes, entropy)?;
        if let Some((issuer, replica_keys)) = snapshot.issuer {
            self.issuer = issuer;
            self.replica_keys = replica_keys;
        }
        self.read_keys();
        self.verifiers.clear();
        let apps: Vec<_> = self.apps().values().map(Arc::clone).collect();
        for app in &apps {
            self.prepare_app(app);
        }
        Ok(())
    }

    fn read_keys(&mut self) {
        // A set that cannot be read verifies nothing; the log holds what this issuer published, so it can.
        self.public = JwkSet::parse_public(self.replica.view().jwks().as_bytes())
            .map_or_else(|_| KeySet::new(), |(keys, _)| keys);
    }

    fn prepare_app(&mut self, app: &App) {
        let build = |algorithms: &[Algorithm]| {
            Verifier::builder()
                .issuer(&self.issuer.issuer)
                .audience(&app.audience)
                .former_audiences(&app.former_audiences)
                .typ(ACCESS_TYP)
                .algorithms(algorithms)
                .leeway(self.issuer.leeway)
                .max_ttl(LONGEST_ACCESS)
                .build()
        };
        let verifiers =
            Verifiers { public: build(&[Algorithm::Es256, Algorithm::EdDsa]), secret: build(&[Algorithm::Hs256]) };
        self.verifiers.insert(app.id.clone(), verifiers);
    }

    /// The name under which a credential is cached.
    pub(super) fn cache_key(&self, app: &AppId, text: &str) -> CacheKey {
        self.cache.key(app.as_str(), text)
    }

    /// The facts of a cached credential that may still be believed at `now`.
    pub(super) fn recall(&self, key: &CacheKey, now: UnixTime) -> Option<Arc<Facts>> {
        let facts = self.cache.find(key)?;
        if now < facts.deadline {
            return Some(facts);
        }
        self.cache.remove(key);
        None
    }

    /// Remembers a JWT that was judged by this very memory.
    pub(super) fn remember(&self, key: CacheKey, facts: Arc<Facts>) {
        self.cache.insert(key, facts);
    }

    /// Remembers what a load found, unless a change that covers it was applied since (rules 20 and 21).
    pub(super) fn remember_load(&self, key: CacheKey, ticket: &LoadTicket, as_of: Position, facts: &Arc<Facts>) {
        let covered = |change: &Change| covers(change, &claim_facts(facts));
        if self.replica.may_cache(ticket, as_of, covered) {
            self.cache.insert(key, Arc::clone(facts));
        }
    }

    /// Signature and claims of an access token for `app`, without lease, revocations and caches. `Ok(None)`: its keys
    /// are not here, only the authority can tell.
    pub fn verify_jwt(&self, app: &AppId, text: &str, now: UnixTime) -> Result<Option<Facts>, CredentialFault> {
        self.verify_within(app, text, now, 0)
    }

    /// Refuses a JWT that nobody could accept, whatever they know that this memory does not: garbage, and what was not
    /// signed by the key that it names.
    pub(super) fn refuse_garbage(&self, app: &AppId, text: &str, now: UnixTime) -> Result<(), CredentialFault> {
        match self.verify_jwt(app, text, now) {
            Err(CredentialFault::Jwt { error }) if is_garbage(&error) => Err(CredentialFault::Jwt { error }),
            _ => Ok(()),
        }
    }

    /// As [`Memory::verify_jwt`], for renewal: a token that ended less than `window` seconds ago still passes.
    pub fn verify_within(
        &self,
        app: &AppId,
        text: &str,
        now: UnixTime,
        window: u64,
    ) -> Result<Option<Facts>, CredentialFault> {
        let jwt = |error| CredentialFault::Jwt { error };
        let algorithm = misario_jose::Jws::parse(text).map_err(jwt)?.algorithm();
        let Some(verifiers) = self.verifiers.get(app) else { return Ok(None) };
        let (verifier, keys) = match (algorithm, &self.secret) {
            (Some(Algorithm::Hs256), Some(keys)) => (&verifiers.secret, keys),
            (Some(Algorithm::Hs256), None) => return Ok(None),
            _ => (&verifiers.public, &self.public),
        };
        let mut scratch = Scratch::new();
        let verified = match window {
            0 => verifier.verify(text, keys, now, &mut scratch),
            window => verifier.verify_ignoring_expiry_until(text, keys, now, window, &mut scratch),
        }
        .map_err(jwt)?;
        let claims: AccessClaims = verified.claims().map_err(|_| CredentialFault::ClaimsMalformed)?;
        // Apps may share an audience; a login belongs to one of them, and its roles count there only.
        if claims.sid.is_some() && claims.client_id != app.as_str() {
            return Err(CredentialFault::OtherApp);
        }
        let kid = verified.kid().map(ToString::to_string);
        Ok(Some(Facts::of_claims(claims, app.clone(), kid.as_deref())))
    }

    /// What the view says of a credential's facts.
    pub fn judge(&self, facts: &Facts) -> Verdict {
        self.replica.view().judge(&claim_facts(facts))
    }

    /// The logins that were used, for the next report.
    pub const fn touches(&self) -> &Touches {
        &self.touches
    }
}

/// What a joining replica starts from.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// The position it is complete to.
    pub position: Position,
    /// All live entries.
    pub changes: &'a [Change],
    /// The issuer and its keys, where they come with it.
    pub issuer: Option<(IssuerFacts, ReplicaKeys)>,
}

/// Whether the fault is in the token alone. A key that is not here, an audience, an issuer and the time may be others
/// for the authority; what a key id names never is.
const fn is_garbage(error: &JwtError) -> bool {
    matches!(
        error,
        JwtError::TooLarge { .. }
            | JwtError::MalformedSegments { .. }
            | JwtError::MalformedCharacter { .. }
            | JwtError::MalformedBase64 { .. }
            | JwtError::MalformedJson { .. }
            | JwtError::MalformedHeader { .. }
            | JwtError::KidInvalid
            | JwtError::CritUnsupported
            | JwtError::UnencodedPayload
            | JwtError::Compressed
            | JwtError::Nested
            | JwtError::EmbeddedKey { .. }
            | JwtError::AlgorithmNone
            | JwtError::AlgorithmUnsupported
            | JwtError::AlgorithmNotAllowed { .. }
            | JwtError::SignatureLength { .. }
            | JwtError::SignatureInvalid
            | JwtError::TypMissing
            | JwtError::TypMismatch
    )
}

fn claim_facts(facts: &Facts) -> ClaimFacts<'_> {
    ClaimFacts {
        jti: facts.jti.as_deref(),
        sid: facts.sid,
        subject: Some(&facts.subject),
        app: Some(&facts.app),
        client: facts.client.as_deref(),
        kid: facts.kid.as_deref(),
        issued: facts.issued,
        claims_at: facts.claims_at,
    }
}
