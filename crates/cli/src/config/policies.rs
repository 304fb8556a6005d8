//! `[policy.NAME]`: what a route asks of its caller.

use std::time::Duration;

use misario_core::authn::{Requirement, RouteWord};
use misario_core::id::AppId;

use super::duration;
use super::near;
use super::reader::Reader;

const WORDS: [&str; 6] = ["leased", "leased(or: 60s)", "bounded(10s)", "authoritative", "fresh(5m)", "stateless"];

/// The requirement of `[policy.NAME]`; `None` when something about it was wrong.
pub(super) fn read(reader: &mut Reader, name: &str, apps: &[AppId]) -> Option<Requirement> {
    let key = |last: &str| format!("policy.{name}.{last}");
    let app = match reader.written_text(&key("app")) {
        None => Some(None),
        Some(written) => known_app(reader, &key("app"), &written, apps).map(Some),
    };
    let any_role = reader.list(&key("roles"));
    let permissions = reader.list(&key("permissions"));
    let scopes = reader.list(&key("scopes"));
    let word = word(reader, &key("check"));
    Some(Requirement {
        app: app?,
        any_role: any_role?,
        permissions: permissions?,
        scopes: scopes?,
        word: word?,
        ..Requirement::default()
    })
}

fn known_app(reader: &mut Reader, key: &str, written: &str, apps: &[AppId]) -> Option<AppId> {
    if let Some(app) = apps.iter().find(|app| app.as_str() == written) {
        return Some(app.clone());
    }
    let names: Vec<&str> = apps.iter().map(AppId::as_str).collect();
    let why = match near::closest(written, &names) {
        Some(near) => format!("there is no such app; did you mean {near:?}?"),
        None => format!("there is no such app; there are: {}", names.join(", ")),
    };
    reader.invalid(key, why);
    None
}

fn word(reader: &mut Reader, key: &str) -> Option<RouteWord> {
    let Some(written) = reader.written_text(key) else {
        reader.shown(key, "leased");
        return Some(RouteWord::Leased);
    };
    let (name, argument) = match written.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')')),
        None => (written.trim(), None),
    };
    match (name, argument, written.contains('(')) {
        ("leased", None, false) => return Some(RouteWord::Leased),
        ("authoritative", None, false) => return Some(RouteWord::Authoritative),
        ("fresh", Some(age), _) => {
            let whole = duration::parse(age.trim()).filter(|age| *age >= Duration::from_secs(1));
            if whole.is_none() {
                reader.invalid(key, format!("fresh(…) takes the age of an authentication; {}", duration::FORM));
            }
            return whole.map(|age| RouteWord::Fresh { max_age: age.as_secs() });
        }
        ("leased" | "bounded", Some(_), _) | ("stateless", None, false) => {
            reader.not_available(key, "this version has: leased, authoritative, fresh(5m)");
        }
        _ => {
            let near = near::closest(name, &["leased", "bounded", "authoritative", "fresh", "stateless"]);
            let meant = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
            reader.invalid(key, format!("{meant}the words are: {}", WORDS.join(", ")));
        }
    }
    None
}
