//! What a thief of the store's files has: no credential that was ever handed out or ever will be, and nothing that
//! opens anything when it is shown as one.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::common::authority::{Authority, database, embedded};
use crate::common::http::{Jar, Request};
use crate::common::site::{PASSWORD, Site, Tokens};

/// Credentials of every kind, alive and spent.
struct Handed {
    all: Vec<String>,
    /// The head of a family, whose successors are not derived yet.
    refresh: String,
    /// A session that lives.
    session: String,
}

async fn hand_out(site: &Site) -> Handed {
    let mut all = vec![PASSWORD.to_owned(), site.secret.clone()];
    all.push(site.client("web-backend", "web", &["feed"]).await);
    let rotate = site.post("/admin/v1/clients/web-backend/rotate", &json!({}));
    all.push(site.http.send(rotate).await.expect(200).text("secret"));
    site.user("alice", &["hr"]).await;
    let mut refresh = String::new();
    let mut session = String::new();
    for (app, transport) in [("web", "bearer"), ("web", "bearer"), ("api", "bearer"), ("spa", "bearer")] {
        let tokens = Tokens::of(&site.http.send(site.sign_in(app, "alice", transport)).await.expect(200));
        assert_eq!(site.me(app, &tokens.access).await.status, 200);
        all.push(tokens.access.clone());
        if let Some(token) = tokens.refresh {
            refresh = token;
        } else if app == "web" {
            session = tokens.access;
        }
    }
    for _ in 0..5 {
        all.push(refresh.clone());
        let tokens = Tokens::of(&site.http.send(site.refresh("spa", &refresh)).await.expect(200));
        all.push(tokens.access);
        refresh = tokens.refresh.unwrap();
    }
    all.push(refresh.clone());
    all.extend(in_a_browser(site).await);
    // Ended, revoked and made by an app: records come and go.
    for number in 0..20 {
        let tokens = site.issued("web", &format!("usr_{number}")).await;
        all.push(tokens.access.clone());
        match number % 3 {
            0 => site.revoked(&json!({ "login": tokens.sid })).await,
            1 => drop(site.http.send(Request::post(&site.at("/v1/logout?app=web")).bearer(&tokens.access)).await),
            _ => {}
        }
    }
    Handed { all, refresh, session }
}

/// Cookies and CSRF tokens, those of a visitor too; and the session token before and after a step-up.
async fn in_a_browser(site: &Site) -> Vec<String> {
    let mut jar = Jar::default();
    let csrf = site.at("/v1/csrf?app=web");
    let visitor = site.http.send(Request::get(&csrf)).await.expect(200);
    jar.keep(&visitor);
    let mut seen = vec![visitor.text("csrf_token")];
    seen.extend(jar.value("__Host-misario-web-visitor").map(str::to_owned));
    jar.keep(&site.http.send(site.sign_in("web", "alice", "cookie")).await.expect(200));
    seen.extend(jar.value("__Host-misario-web").map(str::to_owned));
    seen.push(site.http.send(Request::get(&csrf).cookies(&jar)).await.expect(200).text("csrf_token"));
    let reauth = Request::post(&site.at("/v1/reauth?app=web")).cookies(&jar).json(&json!({ "password": PASSWORD }));
    jar.keep(&site.http.send(reauth).await.expect(200));
    seen.extend(jar.value("__Host-misario-web").map(str::to_owned));
    assert_eq!(seen.len(), 5);
    seen
}

/// Every way in which a credential could be written down: its text, what is secret in it, and encodings of both.
fn traces(credential: &str) -> Vec<Vec<u8>> {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
    let secret = if let Some((prefix @ ("mst" | "mrt" | "mcs" | "mct"), encoded)) = credential.split_once('_') {
        // Key id, content, tag; the secret part of the content stands last.
        let octets = decoded(encoded);
        let length = if prefix == "mct" { 16 } else { 32 };
        octets[octets.len() - 16 - length..octets.len() - 16].to_vec()
    } else if let Some((_, signature)) = credential.rsplit_once('.') {
        decoded(signature)
    } else {
        credential.as_bytes().to_vec()
    };
    let mut traces = Vec::new();
    for octets in [credential.as_bytes(), &secret] {
        let texts = [
            base16(octets).to_uppercase(),
            base16(octets),
            STANDARD_NO_PAD.encode_to_string(octets),
            STANDARD.encode_to_string(octets),
            URL_SAFE_NO_PAD.encode_to_string(octets),
        ];
        traces.push(octets.to_vec());
        traces.extend(texts.into_iter().map(String::into_bytes));
    }
    traces
}

fn base16(octets: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// All files of the store but the key file, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named =
        entries.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()));
    named.filter(|(name, _)| name != "app.key").collect()
}

fn holds(octets: &[u8], trace: &[u8]) -> bool {
    octets.windows(trace.len()).any(|window| window == trace)
}

/// Where something of a credential stands in the files.
fn hits(files: &[(String, Vec<u8>)], credentials: &[String]) -> Vec<String> {
    let traces: Vec<_> = credentials.iter().flat_map(|credential| traces(credential)).collect();
    let mut hits = Vec::new();
    for (name, octets) in files {
        // The first four octets lead to the few places where a whole trace is looked for.
        let starts: BTreeSet<&[u8]> = traces.iter().filter_map(|trace| trace.get(..4)).collect();
        for place in 0..octets.len().saturating_sub(4) {
            if starts.contains(&octets[place..place + 4]) {
                let found = traces.iter().filter(|trace| octets[place..].starts_with(trace));
                hits.extend(found.map(|trace| format!("{name}: {}", String::from_utf8_lossy(trace))));
            }
        }
    }
    hits
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_hold_no_credential_past_or_to_come() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let mut handed = hand_out(&authority.site).await;
    let running = files(folder.path());
    let names: BTreeSet<_> = running.iter().map(|(name, _)| name.as_str()).collect();
    assert!(["app.db", "app.db-shm", "app.db-wal", "app.db.lock"].iter().all(|name| names.contains(name)), "{names:?}");
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    authority.stop().await;
    let closed = files(folder.path());

    let authority = Authority::start(folder.path()).await;
    for _ in 0..3 {
        let renewed =
            Tokens::of(&authority.site.http.send(authority.site.refresh("spa", &handed.refresh)).await.expect(200));
        handed.refresh = renewed.refresh.unwrap();
        handed.all.extend([renewed.access, handed.refresh.clone()]);
    }
    let root = fs::read_to_string(folder.path().join("app.key")).unwrap();
    handed.all.push(root.lines().last().unwrap().split_once(' ').unwrap().1.to_owned());
    assert_eq!(hits(&running, &handed.all), Vec::<String>::new());
    assert_eq!(hits(&closed, &handed.all), Vec::<String>::new());
    // What is no secret is found, so the search finds.
    assert!(
        running.iter().any(|(_, octets)| holds(octets, b"alice")) && closed.iter().any(|(_, o)| holds(o, b"alice"))
    );
    assert!(!hits(&[("x".to_owned(), handed.all[3].clone().into_bytes())], &handed.all).is_empty());
}

/// Every value in the database, and every string inside those that are JSON.
fn values(database: &Path) -> BTreeSet<Vec<u8>> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut values = BTreeSet::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(octets) => {
                        values.insert(octets.to_vec());
                        if let Ok(value) = serde_json::from_slice(octets) {
                            strings(&value, &mut values);
                        }
                    }
                    ValueRef::Blob(octets) => drop(values.insert(octets.to_vec())),
                    _ => {}
                }
            }
        }
    }
    values
}

fn strings(value: &Value, into: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone().into_bytes());
            // A digest is written with the number of its key.
            into.extend(text.split_once('.').map(|(_, digest)| digest.as_bytes().to_vec()));
        }
        Value::Array(all) => all.iter().for_each(|value| strings(value, into)),
        Value::Object(all) => all.values().for_each(|value| strings(value, into)),
        _ => {}
    }
}

/// The texts that somebody could make of a stored value to show it as a credential.
fn forgeries(value: &[u8]) -> BTreeSet<String> {
    let mut texts: BTreeSet<String> = std::str::from_utf8(value).into_iter().map(str::to_owned).collect();
    let octets = URL_SAFE_NO_PAD.decode_to_vec(value).unwrap_or_else(|_| value.to_vec());
    // As it is, and where the secret stands in a credential of the first key.
    let framed = [&1_u32.to_be_bytes()[..], &octets, &[0; 16]].concat();
    for octets in [octets, framed] {
        let encoded = URL_SAFE_NO_PAD.encode_to_string(&octets);
        texts.extend(["mst_", "mrt_", "mcs_", ""].map(|prefix| format!("{prefix}{encoded}")));
    }
    texts.retain(|text| !text.is_empty() && text.len() < 4_096 && text.bytes().all(|octet| octet.is_ascii_graphic()));
    texts
}

/// The statuses of everything that a text is shown as.
async fn shown(site: Site, text: String) -> (String, Vec<u16>) {
    let jar = Jar::with("__Host-misario-web", &text);
    let as_client = Request::get(&site.at("/admin/v1/apps")).client("ops", &text);
    let requests = [
        Request::get(&site.at("/v1/me?app=web")).bearer(&text),
        Request::get(&site.at("/v1/me?app=api")).bearer(&text),
        Request::get(&site.at("/v1/me?app=web")).cookies(&jar),
        Request::post(&site.at("/v1/refresh")).json(&json!({ "app": "web", "access_token": text })),
        site.refresh("spa", &text),
        as_client,
    ];
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(site.http.send(request).await.status.as_u16());
    }
    (text, statuses)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_value_shown_as_a_credential_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let handed = hand_out(&authority.site).await;
    authority.stop().await;
    let stored = values(&database(folder.path()));
    assert!(stored.len() > 100, "{} values", stored.len());
    let texts: BTreeSet<_> = stored.iter().flat_map(|value| forgeries(value)).collect();
    let authority = Authority::start(folder.path()).await;
    let mut under_way = JoinSet::new();
    for text in texts {
        under_way.spawn(shown(authority.site.clone(), text));
    }
    let answers = under_way.join_all().await;
    let accepted: Vec<_> =
        answers.iter().filter(|(_, all)| !all.iter().all(|status| [400, 401].contains(status))).collect();
    assert!(accepted.is_empty(), "{accepted:?}");
    // What is one is not.
    let (_, statuses) = shown(authority.site.clone(), handed.session).await;
    assert_eq!((statuses[0], statuses[2], statuses[3]), (200, 200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_another_key_file_lets_nobody_in_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let handed = hand_out(&authority.site).await;
    let secret = authority.site.secret.clone();
    authority.stop().await;
    let (key, before) = (folder.path().join("app.key"), fs::read(database(folder.path())).unwrap());
    let own = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert_eq!(embedded(folder.path()).await.err().unwrap().code(), "master_key_missing");
    assert!(!key.exists(), "a new key file stands where the right one belongs");
    let other = tempfile::tempdir().unwrap();
    Authority::start(other.path()).await.stop().await;
    fs::copy(other.path().join("app.key"), &key).unwrap();
    assert_eq!(embedded(folder.path()).await.err().unwrap().code(), "master_key_of_another");
    assert!(fs::read(database(folder.path())).unwrap() == before, "the database was changed");
    fs::write(&key, &own).unwrap();
    let authority = Authority::start(folder.path()).await;
    assert_eq!(authority.site.me("web", &handed.session).await.status, 200);
    authority.site.http.send(authority.site.refresh("spa", &handed.refresh)).await.expect(200);
    let old = Request::get(&authority.site.at("/admin/v1/apps")).client("ops", &secret);
    authority.site.http.send(old).await.expect(200);
}
