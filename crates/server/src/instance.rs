//! The authority: whoever decides on logins. One struct, one file per thing it does.
//!
//! Order, everywhere: the log position is read before whatever is decided upon (PROTOCOL rule 22); records are written
//! before the change that announces them (rule 20); the change is the revocation, and removing records is clean-up.

mod accounts;
mod apps;
mod bridge;
mod clients;
mod intents;
mod issue;
mod keys;
mod node;
mod records;
mod renew;
mod revoke;
mod sessions;
mod sign_in;
mod signing;
mod start;
mod sweep;
mod users;
mod verdict;

use std::sync::Arc;

use misario_core::app::App;
use misario_core::authn::{Memory, Moment};
use misario_core::changes::{FenceKey, Position};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::secret::TokenKeys;
use misario_core::store::{LiveStore, RecordStore};
use misario_jose::{Entropy, UnixTime};
use misario_tower::{Clock, Guard};
use parking_lot::RwLock;

pub use accounts::IssueByHand;
pub use apps::{AppRecord, NewApp, PatchApp};
pub use clients::NewClient;
pub use issue::{Handed, LoginBody};
pub use keys::KeyView;
pub(crate) use node::millis;
pub use node::{FollowerFault, Published, ReplicaView, Wait};
pub use renew::Shown;
pub use sessions::SessionView;
pub use sign_in::{AppSignIn, PasswordSignIn};
pub use start::StartError;
pub use users::{NewUser, UserView};

use crate::config::ServerConfig;
use crate::error::{Error, InputFault};
use crate::passwords::Passwords;
use crate::throttle::Throttle;

/// The widest error of a wall clock that is reckoned with, in seconds.
const CLOCK_ERROR: u64 = 300;

/// One running authority.
pub struct Instance {
    pub(crate) config: ServerConfig,
    records: Arc<dyn RecordStore>,
    live: Arc<dyn LiveStore>,
    pub(crate) keys: TokenKeys,
    signing: RwLock<signing::SigningKeys>,
    memory: Arc<RwLock<Memory>>,
    pub(crate) node: node::Node,
    passwords: Passwords,
    throttle: Throttle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    guard: std::sync::OnceLock<Guard>,
    /// The longest access lifetime that any app ever had, in seconds.
    longest_access: std::sync::atomic::AtomicU64,
    /// The longest renewal window that any app ever had, in seconds.
    longest_window: std::sync::atomic::AtomicU64,
    under_way: intents::UnderWay,
    /// What goes on without being asked, until the stop.
    loops: parking_lot::Mutex<Vec<tokio::task::JoinHandle<()>>>,
    /// Held from the reading of what is stored to the append that says it, so that the log's last word is the store's.
    changing_keys: tokio::sync::Mutex<()>,
    /// As for keys.
    changing_apps: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl Instance {
    /// The clocks, now.
    pub(crate) fn moment(&self) -> Moment {
        Moment { wall: self.clock.wall(), mono: self.clock.mono() }
    }

    /// What this node has applied of the log.
    pub(crate) fn position(&self) -> Position {
        self.memory.read().replica().view().applied()
    }

    /// What this authority answers checks from.
    pub(crate) fn memory(&self) -> &Arc<RwLock<Memory>> {
        &self.memory
    }

    /// The app of that name.
    pub(crate) fn app(&self, id: &AppId) -> Result<Arc<App>, Error> {
        self.memory.read().apps().get(id).cloned().ok_or(Error::Input(InputFault::NotFound { what: "app" }))
    }

    /// The position to issue at, read before anything is decided, and the cut-offs that concern the login.
    async fn fences(&self, app: &AppId, subject: &Subject, sid: Option<SessionId>) -> Result<Cut, Error> {
        let mut keys = vec![FenceKey::Everything, FenceKey::App(app.clone()), FenceKey::User(subject.clone())];
        keys.extend(sid.map(FenceKey::Login));
        let fences = self.live.fences(&keys).await?;
        let before = fences.fences.iter().flatten().map(|fence| fence.before).max();
        Ok(Cut { as_of: fences.as_of, before })
    }

    /// How long an entry that revokes access tokens has to be kept: until the longest-lived token that was issued
    /// before it has ended, for whoever's clock runs late (rule 16).
    fn kept_until(&self, now: UnixTime) -> UnixTime {
        // An app whose lifetime was lowered has older, longer-lived tokens out; no app may ever give more than a day.
        now.saturating_add(self.longest_access() + self.config.leeway + CLOCK_ERROR)
    }
}

/// What is cut off, and the position that was read with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) as_of: Position,
    before: Option<Position>,
}

impl Cut {
    /// Whether something issued at `position` is fenced off.
    pub(crate) fn refuses(self, position: Position) -> bool {
        self.before.is_some_and(|before| position < before)
    }
}
