//! What a replica knows: every change that still counts, applied in order.

mod claim_facts;
mod cut_off;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use misario_jose::UnixTime;

use self::cut_off::CutOff;
use self::table::{Key, Table};
use super::{Change, ChangeKind, Position, Target};
use crate::app::App;
use crate::id::AppId;

pub use claim_facts::{ClaimFacts, TargetKind, Verdict, covers};

/// Revocations, apps and keys as of one position of the log. Exact: nothing is refused that was not revoked.
///
/// A view alone allows nothing: whoever answers from it holds a lease on it ([`super::Replica`]).
#[derive(Default)]
pub struct View {
    applied: Position,
    tokens: Table,
    logins: Table,
    users: Table,
    stale: Table,
    apps_revoked: BTreeMap<AppId, CutOff>,
    clients_revoked: BTreeMap<String, CutOff>,
    keys_revoked: BTreeMap<String, CutOff>,
    everything: Option<CutOff>,
    apps: BTreeMap<AppId, Arc<App>>,
    jwks: Arc<str>,
}

/// What became of a change that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The view shows it.
    Done,
    /// The view showed it already: frames are repeated and overlap.
    Before,
}

/// A change does not follow on what the view knows. Only a snapshot helps (PROTOCOL rule 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// Entries are missing.
    #[error("the change at {found} does not follow on {applied}: entries are missing")]
    Gap {
        /// What the view has applied.
        applied: Position,
        /// Where the change stands.
        found: Position,
    },
    /// It is of another epoch: what came after `applied` in the view's epoch cannot be known.
    #[error("the change at {found} is of another epoch than {applied}")]
    OtherEpoch {
        /// What the view has applied.
        applied: Position,
        /// Where the change stands.
        found: Position,
    },
    /// The replica waits for a snapshot: it has none yet, or lost the thread.
    #[error("changes cannot be applied before a snapshot")]
    NeedsSnapshot,
    /// The replica has left; there is nothing to keep it in step for.
    #[error("the replica has left")]
    Left,
    /// A snapshot holds an entry that it says it is too old for.
    #[error("a snapshot as of {position} holds a change at {found}")]
    Snapshot {
        /// The snapshot's position.
        position: Position,
        /// Where the change stands.
        found: Position,
    },
}

impl SyncError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        (
            "changes_gap",
            "Entries of the change log were missed; the replica drops its lease and starts from a snapshot.",
        ),
        (
            "changes_other_epoch",
            "A change is of an earlier epoch than the replica has applied; it drops its lease and starts from a snapshot.",
        ),
        (
            "changes_needs_snapshot",
            "A change arrived before the snapshot it follows on; the replica stays without a lease.",
        ),
        ("changes_left", "The replica has left, this process is shutting down."),
        (
            "changes_snapshot_invalid",
            "A snapshot of the change log contradicts itself; the replica stays without a lease.",
        ),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "changes_gap",
            Self::OtherEpoch { .. } => "changes_other_epoch",
            Self::NeedsSnapshot => "changes_needs_snapshot",
            Self::Left => "changes_left",
            Self::Snapshot { .. } => "changes_snapshot_invalid",
        }
    }
}

impl View {
    /// The view that a snapshot complete to `position` gives.
    pub fn from_snapshot(position: Position, changes: &[Change]) -> Result<Self, SyncError> {
        // In order, so that of two states of an app the later one stays.
        let mut changes: Vec<_> = changes.iter().collect();
        changes.sort_by_key(|change| change.position);
        let mut view = Self::default();
        for change in changes {
            if change.position > position {
                return Err(SyncError::Snapshot { position, found: change.position });
            }
            view.merge(change);
        }
        view.applied = position;
        Ok(view)
    }

    /// Makes the view show the next change of the log.
    pub fn apply(&mut self, change: &Change) -> Result<Applied, SyncError> {
        let (applied, found) = (self.applied, change.position);
        if found.epoch < applied.epoch {
            return Err(SyncError::OtherEpoch { applied, found });
        }
        if found <= applied {
            return Ok(Applied::Before);
        }
        if !found.follows(applied) {
            return Err(SyncError::Gap { applied, found });
        }
        self.merge(change);
        self.applied = found;
        Ok(Applied::Done)
    }

    /// Whatever the change says is added; nothing that an earlier one said is taken back.
    fn merge(&mut self, change: &Change) {
        match &change.kind {
            ChangeKind::Revoked { target, .. } => self.revoke(target, CutOff::of(change)),
            ChangeKind::SubjectChanged { subject, .. } => {
                self.stale.insert(Key::text(subject.as_str()), CutOff::of(change));
            }
            // Concerns cached copies only; see [`covers`].
            ChangeKind::SessionChanged { .. } => {}
            ChangeKind::KeysChanged { jwks } => {
                self.jwks = jwks.as_str().into();
            }
            ChangeKind::AppChanged { app } => {
                self.apps.insert(app.id.clone(), Arc::new((**app).clone()));
            }
        }
    }

    fn revoke(&mut self, target: &Target, cut_off: CutOff) {
        match target {
            Target::Token(jti) => self.tokens.insert(Key::text(jti), cut_off),
            Target::Login(sid) => self.logins.insert(Key::random(*sid.as_bytes()), cut_off),
            Target::User(subject) => self.users.insert(Key::text(subject.as_str()), cut_off),
            Target::App(app) => merge_into(&mut self.apps_revoked, app, cut_off),
            Target::Client(client) => merge_into(&mut self.clients_revoked, client.as_str(), cut_off),
            Target::Key(kid) => merge_into(&mut self.keys_revoked, kid.as_str(), cut_off),
            Target::Everything => self.everything.get_or_insert(cut_off).merge(cut_off),
        }
    }

    /// What the changes say of a credential.
    pub fn judge(&self, facts: &ClaimFacts<'_>) -> Verdict {
        let whenever = [
            (TargetKind::Token, facts.jti.and_then(|jti| self.tokens.get(|| Key::text(jti)))),
            (TargetKind::Login, facts.sid.and_then(|sid| self.logins.get(|| Key::random(*sid.as_bytes())))),
            (TargetKind::Key, facts.kid.and_then(|kid| self.keys_revoked.get(kid).copied())),
        ];
        let by_subject = |table: &Table| facts.subject.and_then(|who| table.get(|| Key::text(who.as_str())));
        let before = [
            (TargetKind::User, by_subject(&self.users)),
            (TargetKind::App, facts.app.and_then(|app| self.apps_revoked.get(app).copied())),
            (TargetKind::Client, facts.client.and_then(|client| self.clients_revoked.get(client).copied())),
            (TargetKind::Everything, self.everything),
        ]
        .map(|(by, cut_off)| (by, cut_off.filter(|cut_off| cut_off.concerns(facts.issued))));
        let revoked = whenever.into_iter().chain(before).find_map(|(by, cut_off)| Some((by, cut_off?.before)));
        if let Some((by, at)) = revoked {
            return Verdict::Revoked { by, at };
        }
        match by_subject(&self.stale) {
            Some(cut_off) if cut_off.concerns(facts.claims_at) => Verdict::Stale,
            _ => Verdict::Good,
        }
    }

    /// Forgets revocations whose credentials cannot be alive any more (rule 16). To be called every second or so: a
    /// call goes through a part of the view only, all of it in sixteen.
    pub fn prune(&mut self, now: UnixTime) {
        for table in [&mut self.tokens, &mut self.logins, &mut self.users, &mut self.stale] {
            table.sweep(now);
        }
        self.apps_revoked.retain(|_, cut_off| cut_off.is_live(now));
        self.clients_revoked.retain(|_, cut_off| cut_off.is_live(now));
        self.keys_revoked.retain(|_, cut_off| cut_off.is_live(now));
        self.everything.take_if(|cut_off| !cut_off.is_live(now));
    }

    /// The position that the view shows the log up to.
    pub const fn applied(&self) -> Position {
        self.applied
    }

    /// The apps.
    pub const fn apps(&self) -> &BTreeMap<AppId, Arc<App>> {
        &self.apps
    }

    /// The public JWK Set of the issuer, as JSON; empty if no key was published yet.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// How many revocations and changed subjects are live.
    pub fn len(&self) -> usize {
        let few = self.apps_revoked.len() + self.clients_revoked.len() + self.keys_revoked.len();
        let tables = [&self.tokens, &self.logins, &self.users, &self.stale];
        tables.iter().map(|table| table.len()).sum::<usize>() + few + usize::from(self.everything.is_some())
    }

    /// Whether no revocation and no changed subject is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn merge_into<K: Ord, Q: ToOwned<Owned = K> + ?Sized>(map: &mut BTreeMap<K, CutOff>, key: &Q, cut_off: CutOff) {
    map.entry(key.to_owned()).or_insert(cut_off).merge(cut_off);
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("applied", &self.applied).field("live", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
