//! Sessions and their indexes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use misario_jose::UnixTime;

use super::Revisions;
use crate::id::{AppId, SessionId, Subject};
use crate::session::Session;
use crate::store::{Cursor, Inserted, Revision, SessionFilter, Swapped};

/// A session as it is kept; shared, so that nobody copies it under the lock.
type Kept = (Arc<Session>, Revision);

#[derive(Debug, Default)]
pub(super) struct Sessions {
    kept: BTreeMap<SessionId, Kept>,
    of_subjects: BTreeSet<(Subject, SessionId)>,
    of_apps: BTreeSet<(AppId, SessionId)>,
    ends: BTreeSet<(UnixTime, SessionId)>,
}

impl Sessions {
    pub(super) fn insert(&mut self, session: &Session, revisions: &mut Revisions) -> Inserted {
        let Entry::Vacant(place) = self.kept.entry(session.sid) else {
            return Inserted::Exists;
        };
        let revision = revisions.next();
        place.insert((Arc::new(session.clone()), revision));
        self.index(session);
        Inserted::Done(revision)
    }

    pub(super) fn load(&self, sid: &SessionId) -> Option<Kept> {
        self.kept.get(sid).cloned()
    }

    pub(super) fn swap(&mut self, session: &Session, expected: Revision, revisions: &mut Revisions) -> Swapped {
        let Some(kept) = self.kept.get_mut(&session.sid) else {
            return Swapped::Gone;
        };
        if kept.1 != expected {
            return Swapped::Conflict;
        }
        let revision = revisions.next();
        let (old, _) = std::mem::replace(kept, (Arc::new(session.clone()), revision));
        self.unindex(&old);
        self.index(session);
        Swapped::Done(revision)
    }

    pub(super) fn remove(&mut self, sid: &SessionId) -> bool {
        let removed = self.kept.remove(sid);
        if let Some((session, _)) = &removed {
            self.unindex(session);
        }
        removed.is_some()
    }

    /// The sessions of a page, and one more if there is one.
    pub(super) fn list(&self, filter: &SessionFilter, after: Option<Cursor>, limit: usize) -> Vec<Kept> {
        let kept = |sid: &SessionId| self.kept.get(sid).cloned();
        match filter {
            SessionFilter::All => {
                let from = after.map_or(Bound::Unbounded, |Cursor(sid)| Bound::Excluded(sid));
                self.kept.range((from, Bound::Unbounded)).map(|(_, kept)| kept.clone()).take(limit).collect()
            }
            SessionFilter::Of(subject) => {
                under(&self.of_subjects, subject, after).filter_map(kept).take(limit).collect()
            }
            SessionFilter::OfIn(subject, app) => under(&self.of_subjects, subject, after)
                .filter_map(kept)
                .filter(|(session, _)| session.app == *app)
                .take(limit)
                .collect(),
            SessionFilter::In(app) => under(&self.of_apps, app, after).filter_map(kept).take(limit).collect(),
        }
    }

    /// The idle deadline is never later than the end of the login, so one index serves both.
    pub(super) fn sweep(&mut self, ended_before: UnixTime, limit: usize) -> usize {
        let ended = self.ends.iter().take_while(|(end, _)| *end < ended_before);
        let ended: Vec<SessionId> = ended.take(limit).map(|(_, sid)| *sid).collect();
        ended.iter().filter(|sid| self.remove(sid)).count()
    }

    fn index(&mut self, session: &Session) {
        self.of_subjects.insert((session.subject.clone(), session.sid));
        self.of_apps.insert((session.app.clone(), session.sid));
        self.ends.insert((session.idle_deadline(), session.sid));
    }

    fn unindex(&mut self, session: &Session) {
        self.of_subjects.remove(&(session.subject.clone(), session.sid));
        self.of_apps.remove(&(session.app.clone(), session.sid));
        self.ends.remove(&(session.idle_deadline(), session.sid));
    }
}

/// The handles that an index has under `name`, after the cursor.
fn under<'i, N: Ord + Clone>(
    index: &'i BTreeSet<(N, SessionId)>,
    name: &N,
    after: Option<Cursor>,
) -> impl Iterator<Item = &'i SessionId> {
    let from = match after {
        Some(Cursor(sid)) => Bound::Excluded((name.clone(), sid)),
        None => Bound::Included((name.clone(), SessionId::from_bytes([0; 16]))),
    };
    let to = Bound::Included((name.clone(), SessionId::from_bytes([0xff; 16])));
    // A range that begins after its end panics; "after the last possible handle" is such a range.
    let empty = after.is_some_and(|Cursor(sid)| sid == SessionId::from_bytes([0xff; 16]));
    let range = (!empty).then(|| index.range((from, to)));
    range.into_iter().flatten().map(|(_, sid)| sid)
}
