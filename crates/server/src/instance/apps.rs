//! Apps and the switch of mode.
//!
//! The store is the truth. File and code give initial values: at start, one of their values is applied only where it
//! differs from what the same source said when it was last applied, so an administrator's change is not undone by a
//! restart, and an edit of the file is not ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use misario_core::app::{App, CookieNames, Mode, Origin, Transport};
use misario_core::changes::{ChangeKind, NewChange};
use misario_core::id::AppId;
use misario_core::store::RecordKind;
use misario_jose::{Algorithm, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::records::Keyed;
use super::{CLOCK_ERROR, Instance, Published, Wait};
use crate::config::{AppSetting, SettingSource};
use crate::error::{Error, InputFault, InternalFault};

/// No login lives longer: 400 days, the longest that browsers keep a cookie, which app settings cannot exceed.
pub(super) const LONGEST_LOGIN: u64 = 400 * 24 * 60 * 60;

/// Entries with an app or a key set are never pruned: whoever joins starts from them.
pub(super) const FOR_EVER: UnixTime = UnixTime::from_secs(1 << 52);

/// An app as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppRecord {
    /// The app as it is.
    pub app: App,
    /// Who changed it last.
    pub source: SettingSource,
    /// What file and code said when they were last applied.
    #[serde(default)]
    applied: BTreeMap<String, App>,
    /// The longest access lifetime it ever had, in seconds.
    #[serde(default)]
    longest_access: u64,
    /// The longest renewal window it ever had, in seconds.
    #[serde(default)]
    longest_window: u64,
    /// What its audience was called before, and until when a token that names it can be alive or be renewed.
    #[serde(default)]
    former_audiences: BTreeMap<String, UnixTime>,
}

/// An app to create. What is absent gets the secure default of the mode.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    /// Its name.
    pub id: AppId,
    /// What it hands out.
    pub mode: Mode,
    /// Its transports.
    pub transports: Vec<Transport>,
    /// Its origins.
    #[serde(default)]
    pub origins: Vec<Origin>,
    /// Everything else, as for a change.
    #[serde(flatten)]
    pub rest: PatchRest,
}

/// A change of an app.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchApp {
    /// What it hands out from here on.
    pub mode: Option<Mode>,
    /// Its transports.
    pub transports: Option<Vec<Transport>>,
    /// Its origins.
    pub origins: Option<Vec<Origin>>,
    /// See [`PatchRest`].
    pub trusted_origins: Option<Vec<Origin>>,
    /// Seconds.
    pub access_ttl: Option<u64>,
    /// Seconds.
    pub idle: Option<u64>,
    /// Seconds.
    pub absolute: Option<u64>,
    /// Seconds.
    pub renew_window: Option<u64>,
    /// Seconds.
    pub reuse_interval: Option<u64>,
    /// What tokens are signed with.
    pub signing_alg: Option<Algorithm>,
    /// How many logins of one user may be alive; `null`: any number.
    #[serde(default, deserialize_with = "said")]
    pub max_logins: Option<Option<u32>>,
}

/// A value that may be said to be none, told from one that is not said.
fn said<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The settings that creating and changing have in common.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PatchRest {
    /// Origins that may send unsafe requests with a CSRF token.
    pub trusted_origins: Option<Vec<Origin>>,
    /// The audience of its tokens.
    pub audience: Option<String>,
    /// Seconds.
    pub access_ttl: Option<u64>,
    /// Seconds.
    pub idle: Option<u64>,
    /// Seconds.
    pub absolute: Option<u64>,
    /// What tokens are signed with.
    pub signing_alg: Option<Algorithm>,
}

impl PatchApp {
    fn apply(&self, app: &mut App) {
        fn set<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut app.mode, self.mode.as_ref());
        if let Some(origins) = &self.origins {
            // Names that were the usual ones stay so: a prefix that browsers refuse on plain HTTP, and demand elsewhere.
            let usual = app.cookies == CookieNames::of(&app.id, !app.secure_cookies());
            app.origins.clone_from(origins);
            if usual {
                app.cookies = CookieNames::of(&app.id, !app.secure_cookies());
            }
        }
        set(&mut app.trusted_origins, self.trusted_origins.as_ref());
        set(&mut app.lifetimes.access, self.access_ttl.as_ref());
        set(&mut app.lifetimes.idle, self.idle.as_ref());
        set(&mut app.lifetimes.absolute, self.absolute.as_ref());
        set(&mut app.lifetimes.renew_window, self.renew_window.as_ref());
        set(&mut app.lifetimes.reuse_interval, self.reuse_interval.as_ref());
        set(&mut app.signing_alg, self.signing_alg.as_ref());
        if let Some(transports) = &self.transports {
            app.transports = transports.iter().copied().collect();
        }
        set(&mut app.max_logins, self.max_logins.as_ref());
    }
}

impl AppRecord {
    /// Keeps what the audience was called until now for as long as a token that names it can matter, and forgets names of
    /// which none can any more: another app may have the name by then.
    fn keep_former(&mut self, audience: String, now: UnixTime, slack: u64) {
        let until = now.saturating_add(self.longest_access + self.longest_window + slack);
        // Names that nobody noted an end of end by this count, too.
        for former in self.app.former_audiences.drain(..) {
            self.former_audiences.entry(former).or_insert(until);
        }
        if self.app.audience != audience {
            self.former_audiences.insert(audience, until);
        }
        self.former_audiences.remove(&self.app.audience);
        self.former_audiences.retain(|_, until| *until > now);
        self.app.former_audiences = self.former_audiences.keys().cloned().collect();
    }
}

impl Instance {
    /// The longest access lifetime that any app ever had, in seconds.
    pub(super) fn longest_access(&self) -> u64 {
        self.longest_access.load(Ordering::Relaxed)
    }

    /// The longest renewal window that any app ever had, in seconds.
    pub(super) fn longest_window(&self) -> u64 {
        self.longest_window.load(Ordering::Relaxed)
    }

    /// All apps, with who set them.
    pub async fn list_apps(&self) -> Result<Vec<AppRecord>, Error> {
        self.load_all(RecordKind::App).await
    }

    /// Creates the app.
    pub async fn add_app(&self, new: NewApp) -> Result<(App, Published), Error> {
        let mut app = App::new(new.id, new.mode, &new.transports, new.origins);
        let rest = new.rest;
        let patch = PatchApp {
            trusted_origins: rest.trusted_origins,
            access_ttl: rest.access_ttl,
            idle: rest.idle,
            absolute: rest.absolute,
            signing_alg: rest.signing_alg,
            ..PatchApp::default()
        };
        patch.apply(&mut app);
        app.audience = rest.audience.unwrap_or(app.audience);
        let app = app.validated().map_err(InputFault::App)?;
        self.ensure_signing_key(app.signing_alg).await?;
        let _one_at_a_time = self.changing_apps.lock().await;
        let app = app.beside(&self.other_apps().await?).map_err(InputFault::App)?;
        self.store_new_app(&app, SettingSource::Admin).await?;
        let published = self.announce_app(&app, Wait::Yes).await?;
        Ok((app, published))
    }

    /// Changes the app, everywhere, while its users are logged in.
    pub async fn change_app(&self, id: &AppId, patch: PatchApp) -> Result<(App, Published), Error> {
        if let Some(algorithm) = patch.signing_alg {
            self.ensure_signing_key(algorithm).await?;
        }
        let _one_at_a_time = self.changing_apps.lock().await;
        let others = self.other_apps().await?;
        let (record, before) = self
            .update_app(id, |record| {
                let before = record.app.mode;
                let mut app = record.app.clone();
                patch.apply(&mut app);
                record.app = app.validated().and_then(|app| app.beside(&others)).map_err(InputFault::App)?;
                record.source = SettingSource::Admin;
                Ok(before)
            })
            .await?;
        let published = self.announce_app(&record.app, Wait::Yes).await?;
        tracing::info!(app = %id, from = before.name(), to = record.app.mode.name(), "app changed");
        Ok((record.app, published))
    }

    /// Applies what file or code says of an app at start.
    pub(super) async fn apply_setting(&self, setting: &AppSetting) -> Result<(), Error> {
        let others = self.other_apps().await?;
        let app = setting.app.clone().validated().and_then(|app| app.beside(&others)).map_err(InputFault::App)?;
        let source = source_name(setting.source);
        self.ensure_signing_key(app.signing_alg).await?;
        if self.load::<AppRecord>(RecordKind::App, app.id.as_str()).await?.is_none() {
            self.store_new_app(&app, setting.source).await?;
        } else {
            self.update_app(&app.id, |record| {
                let merged = merge(&record.app, record.applied.get(source), &app)?;
                if merged != record.app {
                    record.source = setting.source;
                }
                record.app = merged.validated().and_then(|app| app.beside(&others)).map_err(InputFault::App)?;
                record.applied.insert(source.to_owned(), app.clone());
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Announces every app of which the log does not say what the store says: after a first start, an edit of the
    /// file, or a crash between a record and its change.
    pub(super) async fn announce_apps(&self) -> Result<(), Error> {
        for record in self.list_apps().await? {
            self.note_lifetimes(&record);
            let known = self.memory.read().apps().get(&record.app.id).cloned();
            if known.as_deref() != Some(&record.app) {
                self.announce_app(&record.app, Wait::No).await?;
            }
        }
        Ok(())
    }

    /// Forgets the former audiences that no token can name any more: one may be another app's by then.
    pub(super) async fn forget_former_audiences(&self) -> Result<(), Error> {
        let now = self.clock.wall();
        for record in self.list_apps().await? {
            if record.former_audiences.values().any(|until| *until <= now) {
                let (record, ()) = self.update_app(&record.app.id, |_| Ok(())).await?;
                self.announce_app(&record.app, Wait::No).await?;
            }
        }
        Ok(())
    }

    /// All apps: an app does not stand in its own way.
    async fn other_apps(&self) -> Result<Vec<App>, Error> {
        Ok(self.list_apps().await?.into_iter().map(|record| record.app).collect())
    }

    async fn store_new_app(&self, app: &App, source: SettingSource) -> Result<(), Error> {
        let applied = match source {
            SettingSource::Admin => BTreeMap::new(),
            from => BTreeMap::from([(source_name(from).to_owned(), app.clone())]),
        };
        let (longest_access, longest_window) = (app.lifetimes.access, app.lifetimes.renew_window);
        let former_audiences = BTreeMap::new();
        let record = AppRecord { app: app.clone(), source, applied, longest_access, longest_window, former_audiences };
        let key = app.id.as_str();
        self.create(Keyed { kind: RecordKind::App, key, alias: None, value: &record }).await?;
        self.note_lifetimes(&record);
        Ok(())
    }

    async fn update_app<R>(
        &self,
        id: &AppId,
        mut change: impl FnMut(&mut AppRecord) -> Result<R, Error>,
    ) -> Result<(AppRecord, R), Error> {
        let changed = self
            .update(
                RecordKind::App,
                id.as_str(),
                |_: &AppRecord| None,
                |record: &mut AppRecord| {
                    let (had, audience) = (record.app.lifetimes, record.app.audience.clone());
                    let result = change(record)?;
                    // Those it had until now, too: what stored it may have kept no such note.
                    record.longest_access = record.longest_access.max(had.access).max(record.app.lifetimes.access);
                    record.longest_window =
                        record.longest_window.max(had.renew_window).max(record.app.lifetimes.renew_window);
                    record.keep_former(audience, self.clock.wall(), self.config.leeway + CLOCK_ERROR);
                    Ok(result)
                },
            )
            .await?;
        self.note_lifetimes(&changed.0);
        Ok(changed)
    }

    async fn announce_app(&self, app: &App, wait: Wait) -> Result<Published, Error> {
        let kind = ChangeKind::AppChanged { app: Box::new(app.clone()) };
        self.publish(NewChange { at: self.clock.wall(), until: FOR_EVER, kind, fence: None }, wait).await
    }

    fn note_lifetimes(&self, record: &AppRecord) {
        let now = record.app.lifetimes;
        self.longest_access.fetch_max(record.longest_access.max(now.access), Ordering::Relaxed);
        self.longest_window.fetch_max(record.longest_window.max(now.renew_window), Ordering::Relaxed);
    }
}

const fn source_name(source: SettingSource) -> &'static str {
    match source {
        SettingSource::File => "file",
        SettingSource::Code => "code",
        SettingSource::Admin => "admin",
    }
}

/// `current`, with those values of `said` that differ from what the same source `said_before`.
fn merge(current: &App, said_before: Option<&App>, said: &App) -> Result<App, Error> {
    let unreadable = || Error::from(InternalFault::Record { what: "app" });
    let value = |app: &App| serde_json::to_value(app).map_err(|_| unreadable());
    let mut merged = value(current)?;
    let before = said_before.map(value).transpose()?.unwrap_or(Value::Null);
    merge_values(&mut merged, &before, &value(said)?);
    serde_json::from_value(merged).map_err(|_| unreadable())
}

fn merge_values(current: &mut Value, before: &Value, said: &Value) {
    match (current, said) {
        (Value::Object(current), Value::Object(said)) => {
            let before_keys = before.as_object().into_iter().flat_map(serde_json::Map::keys);
            // What is not said any more was said as nothing: an optional setting that was taken out.
            for key in said.keys().chain(before_keys).collect::<BTreeSet<_>>() {
                let (before, said) = (before.get(key).unwrap_or(&Value::Null), said.get(key).unwrap_or(&Value::Null));
                merge_values(current.entry(key.as_str()).or_insert(Value::Null), before, said);
            }
        }
        (current, said) if before != said => *current = said.clone(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(idle: u64) -> App {
        let origin = "https://a.example".parse().unwrap();
        let mut app = App::new(AppId::new("web").unwrap(), Mode::Session, &[Transport::Cookie], vec![origin]);
        app.lifetimes.idle = idle;
        app
    }

    #[test]
    fn a_former_audience_is_kept_while_a_token_that_names_it_can_matter() {
        let mut record = AppRecord {
            app: app(100),
            source: SettingSource::Admin,
            applied: BTreeMap::new(),
            longest_access: 900,
            longest_window: 3_600,
            former_audiences: BTreeMap::new(),
        };
        let at = UnixTime::from_secs;
        let mut rename = |to: &str, now: u64| {
            let before = std::mem::replace(&mut record.app.audience, to.to_owned());
            record.keep_former(before, at(now), 300);
            record.app.former_audiences.clone()
        };
        assert_eq!(rename("one", 0), ["app:web"]);
        assert_eq!(rename("two", 100), ["app:web", "one"]);
        assert_eq!(rename("app:web", 200), ["one", "two"], "it has that name again");
        assert_eq!(rename("app:web", 4_899), ["one", "two"]);
        assert_eq!(rename("app:web", 4_900), ["two"]);
        assert_eq!(rename("app:web", 5_000), Vec::<String>::new());
    }

    #[test]
    fn a_former_audience_without_an_end_gets_one() {
        let record =
            serde_json::json!({ "app": app(100), "source": "admin", "longest_access": 900, "longest_window": 3_600 });
        let mut record: AppRecord = serde_json::from_value(record).unwrap();
        record.app.former_audiences = vec!["old".to_owned()];
        let mut kept = |now: u64| {
            record.keep_former("app:web".to_owned(), UnixTime::from_secs(now), 300);
            record.app.former_audiences.clone()
        };
        assert_eq!(kept(100), ["old"]);
        assert_eq!(kept(4_899), ["old"]);
        assert_eq!(kept(4_900), Vec::<String>::new());
    }

    #[test]
    fn a_file_value_counts_only_when_the_file_changed_it() {
        let mut current = app(100);
        current.mode = Mode::Hybrid;
        let merged = merge(&current, Some(&app(100)), &app(100)).unwrap();
        assert_eq!(merged, current, "an unchanged file undoes no administrator's change");
        let merged = merge(&current, Some(&app(100)), &app(200)).unwrap();
        assert_eq!((merged.mode, merged.lifetimes.idle), (Mode::Hybrid, 200), "an edited value counts, alone");
    }
}
