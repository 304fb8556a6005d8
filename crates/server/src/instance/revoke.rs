//! Revoking. The append is the revocation and comes first; removing records is clean-up.

use std::sync::Arc;

use misario_core::changes::{ChangeKind, FenceKey, NewChange, NewFence, Target};
use misario_core::id::{SessionId, Subject};
use misario_core::store::{LiveStore, SessionFilter};
use misario_jose::UnixTime;

use super::{Instance, Published, Wait};
use crate::error::Error;

impl Instance {
    /// Revokes the target. When it returns (unless `wait` says not to wait), no verifier accepts anything of it.
    pub async fn revoke(&self, target: Target, wait: Wait) -> Result<Published, Error> {
        let fence = match &target {
            // It can be neither shown nor renewed any more when its entry is pruned.
            Target::Token(_) => None,
            Target::Key(kid) => return self.revoke_key(kid, wait).await,
            Target::Login(sid) => {
                // Without a record nobody here knows the login's end; no app's logins live longer than this.
                let until = match self.live.load(sid).await? {
                    Some(loaded) => loaded.session.login_exp,
                    None => self.clock.wall().saturating_add(super::apps::LONGEST_LOGIN),
                };
                return self.end_login(*sid, until, wait).await;
            }
            Target::User(subject) => Some(FenceKey::User(subject.clone())),
            Target::App(app) => Some(FenceKey::App(app.clone())),
            Target::Client(client) => Some(FenceKey::Client(client.clone())),
            _ => Some(FenceKey::Everything),
        };
        let published = self.announce_end(target.clone(), fence.map(|key| NewFence { key, until: None }), wait).await?;
        let filter = match target {
            Target::User(subject) => Some(SessionFilter::Of(subject)),
            Target::App(app) => Some(SessionFilter::In(app)),
            Target::Everything => Some(SessionFilter::All),
            _ => None,
        };
        if let Some(filter) = filter {
            // Nobody waits for it: the revocation is true already.
            tokio::spawn(clean_up(Arc::clone(&self.live), filter));
        }
        Ok(published)
    }

    /// Ends one login, whose credentials cannot live beyond `login_exp`.
    pub(crate) async fn end_login(&self, sid: SessionId, login_exp: UnixTime, wait: Wait) -> Result<Published, Error> {
        // Its fence refuses a renewal or a record that comes late, for as long as a token of it could be renewed.
        let fence = NewFence { key: FenceKey::Login(sid), until: Some(login_exp.saturating_add(self.config.leeway)) };
        let published = self.announce_end(Target::Login(sid), Some(fence), wait).await?;
        if let Err(error) = self.live.remove(&sid).await {
            tracing::warn!(code = error.code(), %sid, "an ended login's record is still there; the sweep removes it");
        }
        Ok(published)
    }

    pub(super) async fn announce_end(
        &self,
        target: Target,
        fence: Option<NewFence>,
        wait: Wait,
    ) -> Result<Published, Error> {
        let now = self.clock.wall();
        // Without a fence, this entry alone keeps the tokens from being renewed.
        let renewable = if fence.is_none() { self.longest_window() } else { 0 };
        let until = self.kept_until(now).saturating_add(renewable);
        let kind = ChangeKind::Revoked { target, before: None };
        self.publish(NewChange { at: now, until, kind, fence }, wait).await
    }

    /// Makes everything that was issued with a user's old roles stale.
    pub(super) async fn announce_grant(&self, subject: &Subject, wait: Wait) -> Result<Published, Error> {
        let now = self.clock.wall();
        let change = NewChange {
            at: now,
            until: self.kept_until(now),
            kind: ChangeKind::SubjectChanged { subject: subject.clone(), before: None },
            fence: Some(NewFence { key: FenceKey::Stale(subject.clone()), until: None }),
        };
        self.publish(change, wait).await
    }
}

/// Removes the records that a revocation fenced off. They do not count any more and are listed nowhere; what fails here is
/// swept when its own times are over.
async fn clean_up(live: Arc<dyn LiveStore>, filter: SessionFilter) {
    let mut after = None;
    loop {
        let page = match live.list(filter.clone(), after, 500).await {
            Ok(page) => page,
            Err(error) => return tracing::warn!(code = error.code(), "clean-up after a revocation stopped"),
        };
        for (session, _) in &page.sessions {
            // Logged in again since: not fenced, stays.
            let fenced = matches!(live.load(&session.sid).await, Ok(Some(loaded)) if loaded.is_fenced());
            if fenced {
                let _ = live.remove(&session.sid).await;
            }
        }
        after = page.next;
        if after.is_none() {
            return;
        }
    }
}
