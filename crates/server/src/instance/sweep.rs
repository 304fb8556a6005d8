//! What is done in passing: last-seen times are written down, ended records and dead log entries removed. Nothing
//! depends on it: whether a thing counts is decided when it is read.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use misario_core::authn::Touch;
use misario_core::id::{AppId, SessionId};
use misario_core::session::Session;
use misario_core::store::{StoreError, Swapped};

use super::{CLOCK_ERROR, Instance};
use crate::error::Error;

/// How often last-seen times are written down.
const TOUCH_EVERY: Duration = Duration::from_secs(5);
/// Seconds without another use after which the last one is written down, however small the step is.
const QUIET: u64 = 10;
/// How many rounds of that make one round of removal.
const SWEEP_EVERY: u32 = 12;
/// Records removed in one go, so that a sweep never keeps the store's writer long.
const BATCH: u32 = 500;
/// How many last-seen times are written at once.
const AT_ONCE: usize = 16;
/// Ended records are kept at least this long, in seconds: "your session ended" is a better answer than "unknown".
const KEEP_ENDED: u64 = 60 * 60;

impl Instance {
    /// Runs until the instance is gone.
    pub(super) async fn sweep_forever(instance: std::sync::Weak<Self>) {
        let mut round = 0_u32;
        loop {
            tokio::time::sleep(TOUCH_EVERY).await;
            let Some(instance) = instance.upgrade() else { return };
            instance.write_due_touches().await;
            // Whatever this lets go is over for every credential that it concerned.
            instance.memory.write().replica_mut().prune(instance.clock.wall());
            if let Err(error) = instance.bury_nodes().await {
                tracing::debug!(code = error.code(), "the registry cannot be read");
            }
            if let Err(error) = instance.finish_intents().await {
                tracing::debug!(code = error.code(), "what was begun waits");
            }
            round = round.wrapping_add(1);
            if round.is_multiple_of(SWEEP_EVERY)
                && let Err(error) = instance.sweep().await
            {
                tracing::warn!(code = error.code(), "sweep stopped");
            }
        }
    }

    /// Writes down who was seen, to the second: nobody will look at what is noted here any more.
    pub(crate) async fn write_touches(self: &Arc<Self>) {
        self.write_those(|_, _| true).await;
    }

    /// Writes down who was seen a tenth of their idle time after they last were, and whoever has gone quiet since: what
    /// is written last is exact, so no login ends before its idle time is over.
    async fn write_due_touches(self: &Arc<Self>) {
        let now = self.clock.wall();
        self.write_those(|session, touch| session.wants_touch(touch.at) || now.secs_since(touch.at) >= QUIET).await;
    }

    /// What cannot be written, or is not due, stays noted for the next round.
    async fn write_those(self: &Arc<Self>, is_due: impl Fn(&Session, Touch) -> bool) {
        let mut touches = Vec::new();
        for (app, of_app) in self.memory.read().touches().all() {
            touches.extend(of_app.into_iter().map(|(sid, touch)| (app.clone(), sid, touch)));
        }
        let is_due = &is_due;
        let writes =
            futures_util::stream::iter(touches).map(Ok).try_for_each_concurrent(AT_ONCE, async |(app, sid, touch)| {
                match self.write_touch(&app, sid, touch, is_due).await {
                    Ok(true) => self.memory.read().touches().settle(&app, &sid, touch),
                    Ok(false) => {}
                    // The record's own fault: the others are written all the same.
                    Err(Error::Store(error @ (StoreError::Corrupt { .. } | StoreError::TooLarge { .. }))) => {
                        tracing::warn!(code = error.code(), %sid, "a last-seen time cannot be written");
                    }
                    Err(error) => return Err(error),
                }
                Ok(())
            });
        if let Err(error) = writes.await {
            tracing::debug!(code = error.code(), "last-seen times wait");
        }
    }

    /// Whether the touch is done with.
    async fn write_touch(
        &self,
        app: &AppId,
        sid: SessionId,
        touch: Touch,
        is_due: impl Fn(&Session, Touch) -> bool,
    ) -> Result<bool, Error> {
        loop {
            let Some(loaded) = self.live.load(&sid).await? else { return Ok(true) };
            if loaded.session.app != *app {
                return Ok(true);
            }
            let mut session = loaded.session.clone();
            let is_due = is_due(&session, touch) || touch.at <= session.last_seen;
            if is_due {
                session.last_seen = session.last_seen.max(touch.at);
            }
            let seen = touch.generation.and_then(|generation| session.family.as_ref()?.seen(generation));
            session.family = seen.or(session.family);
            if session == loaded.session {
                return Ok(is_due);
            }
            match self.live.swap(&session, loaded.revision).await? {
                Swapped::Conflict => {}
                Swapped::Done(_) => return Ok(is_due),
                Swapped::Gone | Swapped::Fenced => return Ok(true),
            }
        }
    }

    pub(super) async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.wall();
        // A login that ended for idleness must not come back through an old access token that finds no record.
        let renewable = self.longest_access() + self.longest_window() + self.config.leeway + CLOCK_ERROR;
        let ended_before = now.saturating_sub(renewable.max(KEEP_ENDED));
        while self.live.sweep_sessions(ended_before, BATCH).await? == BATCH {}
        while self.live.prune(now, BATCH).await? == BATCH {}
        self.forget_former_audiences().await
    }
}
