//! Looking at logins.

use std::collections::{BTreeMap, HashMap};

use misario_core::app::{App, Mode, Transport};
use misario_core::changes::{Fence, FenceKey};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::session::{Device, Session, SessionState};
use misario_core::store::{Cursor, SessionFilter, fencing};
use misario_jose::UnixTime;
use serde::Serialize;

use super::{Instance, Wait};
use crate::error::{Error, InputFault};

/// A login as people see it.
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// Its handle.
    pub sid: SessionId,
    /// What was logged in to.
    pub app: AppId,
    /// Who.
    pub subject: Subject,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Where its credentials travel.
    pub transport: Transport,
    /// When it began.
    pub created: UnixTime,
    /// When it was last used, exact to a tenth of its idle time.
    pub last_seen: UnixTime,
    /// Its absolute end.
    pub login_expires_at: UnixTime,
    /// What it was made from.
    pub device: Device,
}

impl SessionView {
    fn of(session: &Session, current: Option<SessionId>) -> Self {
        Self {
            sid: session.sid,
            app: session.app.clone(),
            subject: session.subject.clone(),
            current: current == Some(session.sid),
            transport: session.transport,
            created: session.created,
            last_seen: session.last_seen,
            login_expires_at: session.login_exp,
            device: session.device.clone(),
        }
    }
}

impl Instance {
    /// The live logins of a user in an app.
    pub async fn own_sessions(
        &self,
        app: &App,
        subject: &Subject,
        current: Option<SessionId>,
    ) -> Result<Vec<SessionView>, Error> {
        if app.mode == Mode::Jwt {
            return Err(InputFault::NotAvailableInMode.into());
        }
        let all = self.all_sessions(SessionFilter::OfIn(subject.clone(), app.id.clone())).await?;
        let now = self.clock.wall();
        let live = all.iter().filter(|session| session.state(now) == SessionState::Live);
        Ok(live.map(|session| SessionView::of(session, current)).collect())
    }

    /// Ends one of the user's own logins. A handle that is somebody else's is as unknown as one that never was.
    pub async fn end_own_session(&self, subject: &Subject, sid: SessionId) -> Result<(), Error> {
        let loaded = self.live.load(&sid).await?.filter(|loaded| loaded.session.subject == *subject);
        let loaded = loaded.ok_or(InputFault::NotFound { what: "session" })?;
        self.end_login(sid, loaded.session.login_exp, Wait::Yes).await.map(drop)
    }

    /// A page of live logins.
    pub async fn list_sessions(
        &self,
        filter: SessionFilter,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<(Vec<SessionView>, Option<SessionId>), Error> {
        let (sessions, next) = self.page_of_sessions(filter, after.map(Cursor), limit.clamp(1, 1_000)).await?;
        let now = self.clock.wall();
        let live = sessions.iter().filter(|session| session.state(now) == SessionState::Live);
        let views = live.map(|session| SessionView::of(session, None)).collect();
        Ok((views, next.map(|Cursor(sid)| sid)))
    }

    /// All logins that the filter names and nothing has revoked, those that ended by their own times included.
    pub(super) async fn all_sessions(&self, filter: SessionFilter) -> Result<Vec<Session>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (sessions, next) = self.page_of_sessions(filter.clone(), after, 500).await?;
            all.extend(sessions);
            after = next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// A page of logins that nothing has revoked, each last seen when it was last used, written down or not.
    async fn page_of_sessions(
        &self,
        filter: SessionFilter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<(Vec<Session>, Option<Cursor>), Error> {
        // Read before the records: a use that is written down in between is forgotten here, and in the record.
        let touched = self.memory.read().touches().all();
        let page = self.live.list(filter, after, limit).await?;
        let seen = |(mut session, _): (Session, _)| {
            if let Some(touch) = touched.get(&session.app).and_then(|of_app| of_app.get(&session.sid)) {
                session.last_seen = session.last_seen.max(touch.at);
            }
            session
        };
        let sessions = self.unfenced(page.sessions.into_iter().map(seen).collect()).await?;
        Ok((sessions, page.next))
    }

    /// Those that no fence refuses: their records may be there until somebody comes to remove them.
    async fn unfenced(&self, mut sessions: Vec<Session>) -> Result<Vec<Session>, Error> {
        let keys: BTreeMap<String, FenceKey> =
            sessions.iter().flat_map(fencing::ending).map(|key| (key.to_string(), key)).collect();
        let keys: Vec<FenceKey> = keys.into_values().collect();
        let fences = self.live.fences(&keys).await?.fences;
        let standing: HashMap<FenceKey, Fence> =
            keys.into_iter().zip(fences).filter_map(|(key, fence)| Some((key, fence?))).collect();
        let refuses = |key, session: &Session| {
            standing.get(&key).is_some_and(|fence| fencing::refuses(fence.before, session.issued))
        };
        sessions.retain(|session| !fencing::ending(session).into_iter().any(|key| refuses(key, session)));
        Ok(sessions)
    }
}
