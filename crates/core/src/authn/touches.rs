//! Which logins were used since they were last written down or reported.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use misario_jose::UnixTime;

use crate::id::{AppId, SessionId};
use crate::refresh::Generation;

/// How many logins of one app are noted between two reports; more are dropped, which costs accuracy of "last seen", and
/// lets the parent of a refresh token that is in use pass for a lost response until the next report.
const MAX_PER_APP: usize = 100_000;

/// A login was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// When.
    pub at: UnixTime,
    /// The refresh token generation that its access token came with.
    pub generation: Option<Generation>,
}

/// The logins that were used, by the app they were used in.
///
/// A login belongs to one app, and whoever speaks for an app says nothing about another's logins: what a process reports
/// is filed under the app that it may report for, and looked up under the app that the login's record names.
#[derive(Debug, Default)]
pub struct Touches(Mutex<HashMap<AppId, HashMap<SessionId, Touch>>>);

impl Touches {
    /// Notes that a login of the app was used.
    pub fn note(&self, app: &AppId, sid: SessionId, touch: Touch) {
        let mut touches = self.lock();
        if !touches.contains_key(app) {
            touches.insert(app.clone(), HashMap::new());
        }
        let Some(of_app) = touches.get_mut(app) else { return };
        if let Some(known) = of_app.get_mut(&sid) {
            known.at = known.at.max(touch.at);
            known.generation = known.generation.max(touch.generation);
        } else if of_app.len() < MAX_PER_APP {
            of_app.insert(sid, touch);
        }
    }

    /// The use of a login of the app that is noted and not settled.
    pub fn of(&self, app: &AppId, sid: &SessionId) -> Option<Touch> {
        self.lock().get(app)?.get(sid).copied()
    }

    /// What is noted and not settled.
    pub fn all(&self) -> HashMap<AppId, HashMap<SessionId, Touch>> {
        self.lock()
            .iter()
            .filter(|(_, of_app)| !of_app.is_empty())
            .map(|(app, all)| (app.clone(), all.clone()))
            .collect()
    }

    /// The touch was written down or reported: it is forgotten, unless there was another one since.
    pub fn settle(&self, app: &AppId, sid: &SessionId, touch: Touch) {
        let mut touches = self.lock();
        let Some(of_app) = touches.get_mut(app) else { return };
        if of_app.get(sid) == Some(&touch) {
            of_app.remove(sid);
        }
    }

    /// A panic elsewhere cannot leave a note half written.
    fn lock(&self) -> MutexGuard<'_, HashMap<AppId, HashMap<SessionId, Touch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> AppId {
        AppId::new(name).unwrap()
    }

    fn sid(number: u32) -> SessionId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    fn touch(at: u64, generation: Option<u32>) -> Touch {
        Touch { at: UnixTime::from_secs(at), generation: generation.map(Generation) }
    }

    #[test]
    fn the_latest_use_and_the_newest_generation_are_kept() {
        let touches = Touches::default();
        let web = app("web");
        for (at, generation) in [(5, Some(2)), (7, None), (6, Some(1))] {
            touches.note(&web, sid(1), touch(at, generation));
        }
        assert_eq!(touches.of(&web, &sid(1)), Some(touch(7, Some(2))));
    }

    #[test]
    fn a_use_in_another_app_is_no_use_of_the_login() {
        let touches = Touches::default();
        touches.note(&app("spa"), sid(1), touch(5, Some(2)));
        assert_eq!(touches.of(&app("web"), &sid(1)), None);
        touches.settle(&app("web"), &sid(1), touch(5, Some(2)));
        assert_eq!(touches.of(&app("spa"), &sid(1)), Some(touch(5, Some(2))));
    }

    #[test]
    fn what_was_used_again_since_the_report_stays_noted() {
        let touches = Touches::default();
        let web = app("web");
        touches.note(&web, sid(1), touch(5, None));
        touches.note(&web, sid(1), touch(6, None));
        touches.settle(&web, &sid(1), touch(5, None));
        assert_eq!(touches.all()[&web][&sid(1)], touch(6, None));
        touches.settle(&web, &sid(1), touch(6, None));
        assert!(touches.all().is_empty());
    }

    #[test]
    fn a_flood_in_one_app_keeps_no_other_from_being_noted() {
        let touches = Touches::default();
        for number in 0..=u32::try_from(MAX_PER_APP).unwrap() {
            touches.note(&app("spa"), sid(number), touch(5, None));
        }
        assert_eq!(touches.all()[&app("spa")].len(), MAX_PER_APP);
        touches.note(&app("web"), sid(1), touch(5, None));
        assert_eq!(touches.of(&app("web"), &sid(1)), Some(touch(5, None)));
    }
}
