//! `[app.NAME]`.

use std::time::Duration;

use misario_core::app::{App, BUILT_IN, CookieNames, Mode, Origin as WebOrigin, Transport};
use misario_core::id::AppId;

use super::error::ConfigError;
use super::reader::Reader;
use super::value::Origin;

/// The app of `[app.NAME]`; `None` when something about it was wrong, which is then among the problems.
pub(super) fn read(reader: &mut Reader, name: &str, at: &Origin) -> Option<App> {
    let key = |last: &str| format!("app.{name}.{last}");
    let id = id(reader, name, at);
    let why = "the mode decides what a sign-in hands out: session, jwt or hybrid";
    let mode: Option<Mode> = reader.required(&key("mode"), at, why);
    let why = "the transports decide where credentials count: cookie, bearer, split";
    let transports: Option<Vec<Transport>> = reader.required_list(&key("transports"), at, why);
    let origins: Option<Vec<WebOrigin>> = reader.list(&key("origins"));
    let trusted_origins = reader.list(&key("trusted_origins"));
    let lists = transports.zip(origins).zip(trusted_origins);
    // An app that cannot be made is read to its end all the same, so that every mistake in it is told.
    let whole = id.zip(mode).zip(lists);
    let mut app = match &whole {
        Some(((id, mode), ((transports, origins), _))) => App::new(id.clone(), *mode, transports, origins.clone()),
        None => App::new(AppId::new("unreadable").ok()?, Mode::Session, &[], Vec::new()),
    };
    settings(reader, &key, &mut app);
    let (_, (_, trusted_origins)) = whole?;
    app.trusted_origins = trusted_origins;
    show(reader, &app);
    let place = reader.place(&key("mode")).unwrap_or_else(|| at.clone());
    app.validated().map_err(|error| reader.problem(ConfigError::App { at: place, error })).ok()
}

/// What has a default.
fn settings(reader: &mut Reader, key: &dyn Fn(&str) -> String, app: &mut App) {
    reader.text(&key("audience"), &mut app.audience);
    let lifetimes = &mut app.lifetimes;
    for (last, seconds) in [
        ("access_ttl", &mut lifetimes.access),
        ("idle", &mut lifetimes.idle),
        ("absolute", &mut lifetimes.absolute),
        ("renew_window", &mut lifetimes.renew_window),
        ("reuse_interval", &mut lifetimes.reuse_interval),
    ] {
        reader.seconds(&key(last), seconds);
    }
    if let Some(name) = reader.written_text(&key("cookie")) {
        // Everywhere but on plain-HTTP loopback the name gets the prefix that keeps neighbouring domains from setting it.
        let bare = !app.secure_cookies() || name.starts_with("__Host-");
        let access = if bare { name } else { format!("__Host-{name}") };
        app.cookies = CookieNames { refresh: format!("{access}-refresh"), access };
    }
    reader.parsed(&key("signing_alg"), &mut app.signing_alg);
    app.max_logins = reader.count(&key("max_logins"));
}

fn id(reader: &mut Reader, name: &str, at: &Origin) -> Option<AppId> {
    let invalid =
        |why: String| ConfigError::Invalid { at: at.clone(), key: "app".to_owned(), value: format!("{name:?}"), why };
    if name == BUILT_IN {
        reader.problem(invalid("this app is built in: it is the administration; give yours another name".into()));
        return None;
    }
    AppId::new(name).map_err(|error| reader.problem(invalid(error.to_string()))).ok()
}

/// What was not written is shown with its default.
fn show(reader: &mut Reader, app: &App) {
    for (last, value) in with_default(app) {
        reader.shown(&format!("app.{}.{last}", app.id), &value);
    }
}

/// An app's settings as `misario.toml` would name and write them, whether they come from it or not.
pub(crate) fn written(app: &App) -> Vec<(&'static str, String)> {
    let origins = |origins: &[WebOrigin]| origins.iter().map(WebOrigin::as_str).collect::<Vec<_>>().join(", ");
    let mut settings = vec![
        ("mode", app.mode.name().to_owned()),
        ("transports", app.transports.iter().map(|transport| transport.name()).collect::<Vec<_>>().join(", ")),
        ("origins", origins(&app.origins)),
        ("trusted_origins", origins(&app.trusted_origins)),
    ];
    settings.extend(with_default(app));
    settings
}

fn with_default(app: &App) -> Vec<(&'static str, String)> {
    let seconds = |seconds| super::duration::text(Duration::from_secs(seconds));
    let lifetimes = &app.lifetimes;
    vec![
        ("access_ttl", seconds(lifetimes.access)),
        ("idle", seconds(lifetimes.idle)),
        ("absolute", seconds(lifetimes.absolute)),
        ("renew_window", seconds(lifetimes.renew_window)),
        ("reuse_interval", seconds(lifetimes.reuse_interval)),
        ("audience", app.audience.clone()),
        ("cookie", app.cookies.access.clone()),
        ("signing_alg", app.signing_alg.name().to_owned()),
        ("max_logins", app.max_logins.map_or_else(|| "unlimited".to_owned(), |max| max.to_string())),
    ]
}
