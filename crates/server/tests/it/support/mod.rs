//! A real server in this process, without a network: three apps, an administrator's client, a clock that stands still.

mod call;
mod held;
mod rules;
mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use misario_core::app::{App, Mode, Transport};
use misario_core::changes::MonoTime;
use misario_core::client::Right;
use misario_core::id::{AppId, ClientId};
use misario_core::secret::{SecretText, TokenKey, TokenKeys};
use misario_core::user::{Grant, Username};
use misario_jose::UnixTime;
use misario_server::instance::{NewClient, NewUser};
use misario_server::{AppSetting, Parts, Platform, Server, ServerConfig, SettingSource, StartError, Stores};
use misario_testkit::clock::FakeClock;
use misario_tower::{Clock, OsEntropy};
use serde_json::json;

pub(crate) use call::{Answer, Call, basic};
pub(crate) use held::{Held, claims};
pub(crate) use stores::{Health, Probe, counted};

/// The issuer of all tests: https, so that cookies are `Secure`.
pub(crate) const ISSUER: &str = "https://auth.example.test";
/// Short, so that a node renews it soon after the clock was moved.
const LEASE: Duration = Duration::from_millis(200);
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const MODES: [Mode; 3] = [Mode::Session, Mode::Jwt, Mode::Hybrid];
pub(crate) const TRANSPORTS: [Transport; 3] = [Transport::Cookie, Transport::Bearer, Transport::Split];

/// The clock of a test, as the server reads it.
struct Hands(FakeClock);

impl Clock for Hands {
    fn wall(&self) -> UnixTime {
        self.0.now()
    }

    fn mono(&self) -> MonoTime {
        self.0.mono()
    }
}

/// What a test's server is made of.
pub(crate) struct Setup {
    pub(crate) config: ServerConfig,
    pub(crate) store: Probe,
    pub(crate) clock: FakeClock,
}

impl Setup {
    /// The settings of an app, to change them before the start.
    pub(crate) fn app(&mut self, id: &str) -> &mut App {
        &mut self.config.apps.iter_mut().find(|setting| setting.app.id.as_str() == id).unwrap().app
    }
}

/// A running server.
pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) clock: FakeClock,
    pub(crate) store: Probe,
    router: Router,
    /// The secret of the client `ops`, which has every right.
    pub(crate) ops: String,
    /// Every credential that an answer ever held.
    pub(crate) secrets: Mutex<BTreeSet<String>>,
}

/// The origin of an app.
pub(crate) fn origin(app: &str) -> String {
    format!("https://{app}.example.test")
}

fn app(id: &str, mode: Mode) -> AppSetting {
    let app = App::new(AppId::new(id).unwrap(), mode, &TRANSPORTS, vec![origin(id).parse().unwrap()]);
    AppSetting { app, source: SettingSource::File }
}

/// A server that starts waits until the leases of an earlier process have run out, so time has to go by.
async fn started<T>(start: impl Future<Output = T>, clock: &FakeClock) -> T {
    let mut start = std::pin::pin!(start);
    loop {
        if let Ok(server) = tokio::time::timeout(Duration::from_millis(1), &mut start).await {
            return server;
        }
        clock.advance(Duration::from_millis(20));
    }
}

impl Host {
    /// With the apps `web` (session), `spa` (hybrid) and `service` (jwt), each in all transports.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Why a server with these settings does not start.
    pub(crate) async fn refused(change: impl FnOnce(&mut Setup)) -> StartError {
        match Self::started(change).await {
            Ok(_) => panic!("it started"),
            Err(error) => error,
        }
    }

    /// The same, with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let (server, clock, store) = Self::started(change).await.unwrap();
        let router = server.router();
        let mut host = Self { server, clock, store, router, ops: String::new(), secrets: Mutex::default() };
        host.ops = host.operator().await;
        host
    }

    async fn started(change: impl FnOnce(&mut Setup)) -> Result<(Server, FakeClock, Probe), StartError> {
        let config = ServerConfig {
            issuer: ISSUER.to_owned(),
            leeway: 0,
            lease: LEASE,
            apps: vec![app("web", Mode::Session), app("spa", Mode::Hybrid), app("service", Mode::Jwt)],
            policies: BTreeMap::new(),
            demo: true,
            bootstrap_secret: None,
            password_threads: 2,
        };
        let mut setup = Setup { config, store: Probe::default(), clock: FakeClock::default() };
        change(&mut setup);
        let Setup { config, store, clock } = setup;
        let platform = Platform { clock: Arc::new(Hands(clock.clone())), entropy: Arc::new(OsEntropy) };
        let parts = Parts {
            config,
            stores: Stores { records: Arc::new(store.clone()), live: Arc::new(store.clone()) },
            keys: TokenKeys::new(TokenKey::new(1, &[7; 32]), Vec::new()),
        };
        let server = started(Server::start_on(parts, platform), &clock).await?;
        Ok((server, clock, store))
    }

    /// The client `ops`; another secret of it where the store has it already.
    async fn operator(&self) -> String {
        let id = ClientId::new("ops").unwrap();
        match self.server.instance().rotate_client(&id, false).await {
            Ok((_, secret)) => secret.expose().to_owned(),
            Err(_) => self.client("ops", None, &Right::ALL).await,
        }
    }

    /// A client; its secret.
    pub(crate) async fn client(&self, id: &str, app: Option<&str>, rights: &[Right]) -> String {
        let new = NewClient {
            id: ClientId::new(id).unwrap(),
            app: app.map(|app| AppId::new(app).unwrap()),
            rights: rights.iter().copied().collect(),
            scopes: Vec::new(),
        };
        self.server.instance().add_client(new).await.unwrap().1.expose().to_owned()
    }

    /// A user with the password [`PASSWORD`] and the role `user` in every app; their subject.
    pub(crate) async fn user(&self, name: &str) -> String {
        let user = Grant { roles: vec!["user".to_owned()], permissions: Vec::new() };
        let grants = ["web", "spa", "service"].map(|app| (AppId::new(app).unwrap(), user.clone())).into();
        let password = Some(SecretText::new(PASSWORD.to_owned()));
        let new = NewUser { username: Username::new(name).unwrap(), password, grants, org: None };
        self.server.instance().add_user(new).await.unwrap().0.subject.to_string()
    }

    /// A login made by the app's own client, so that no password has to be hashed.
    pub(crate) async fn login(&self, app: &str, transport: Transport, subject: &str) -> Held {
        let sent = json!({ "app": app, "subject": subject, "transport": transport, "amr": ["pwd"] });
        let call = Call::post("/v1/sessions").basic("ops", &self.ops).json(&sent);
        Held::of(app, transport, &call.send(self).await.expect(200))
    }

    /// A call of the client `ops` to an administrative route.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: serde_json::Value) -> Answer {
        Call::new(method, path).basic("ops", &self.ops).json(&body).send(self).await
    }

    /// Revokes; returns when it is true everywhere.
    pub(crate) async fn revoke(&self, target: serde_json::Value) {
        self.admin("POST", "/admin/v1/revoke", json!({ "target": target })).await.expect(200);
    }

    /// Switches the app's mode.
    pub(crate) async fn switch(&self, app: &str, mode: Mode) {
        self.admin("PATCH", &format!("/admin/v1/apps/{app}"), json!({ "mode": mode })).await.expect(200);
    }

    /// Seconds go by, and the node holds its lease again.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.until_ready().await;
    }

    /// Waits until the node holds its lease, which it renews by itself.
    pub(crate) async fn until_ready(&self) {
        let ready = async {
            while Call::get("/readyz").send(self).await.status != 200 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready).await.unwrap();
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }
}
