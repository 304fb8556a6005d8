//! What is done in passing: last-seen times are written down, ended records and dead log entries removed. Nothing
//! depends on it: whether a thing counts is decided when it is read.

use std::sync::Arc;
use std::time::Duration;

use misario_core::authn::Touch;
use misario_core::id::SessionId;
use misario_core::store::Swapped;

use super::Instance;
use crate::error::Error;

/// How often last-seen times are written down.
const TOUCH_EVERY: Duration = Duration::from_secs(5);
/// How many rounds of that make one round of removal.
const SWEEP_EVERY: u32 = 12;
/// Records removed in one go, so that a sweep never keeps the store's writer long.
const BATCH: u32 = 500;
/// Ended records are kept for a while, in seconds: "your session ended" is a better answer than "unknown".
const KEEP_ENDED: u64 = 60 * 60;

impl Instance {
    /// Runs until the instance is gone.
    pub(super) async fn sweep_forever(instance: std::sync::Weak<Self>) {
        let mut round = 0_u32;
        loop {
            tokio::time::sleep(TOUCH_EVERY).await;
            let Some(instance) = instance.upgrade() else { return };
            instance.write_touches().await;
            round = round.wrapping_add(1);
            if round.is_multiple_of(SWEEP_EVERY)
                && let Err(error) = instance.sweep().await
            {
                tracing::warn!(code = error.code(), "sweep stopped");
            }
        }
    }

    /// Writes down who was seen. What cannot be written stays noted for the next round.
    pub(crate) async fn write_touches(self: &Arc<Self>) {
        let touches = self.memory.read().touches();
        for (sid, touch) in touches {
            match self.write_touch(sid, touch).await {
                Ok(()) => self.memory.read().settle(&sid, touch),
                Err(error) => return tracing::debug!(code = error.code(), "last-seen times wait"),
            }
        }
    }

    async fn write_touch(&self, sid: SessionId, touch: Touch) -> Result<(), Error> {
        loop {
            let Some(loaded) = self.live.load(&sid).await? else { return Ok(()) };
            let mut session = loaded.session.clone();
            if session.wants_touch(touch.at) {
                session.last_seen = session.last_seen.max(touch.at);
            }
            let seen = touch.generation.and_then(|generation| session.family.as_ref()?.seen(generation));
            session.family = seen.or(session.family);
            if session == loaded.session {
                return Ok(());
            }
            match self.live.swap(&session, loaded.revision).await? {
                Swapped::Conflict => {}
                _ => return Ok(()),
            }
        }
    }

    async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.wall();
        while self.live.sweep_sessions(now.saturating_sub(KEEP_ENDED), BATCH).await? == BATCH {}
        while self.live.prune(now, BATCH).await? == BATCH {}
        Ok(())
    }
}
