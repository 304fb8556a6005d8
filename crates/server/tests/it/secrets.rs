//! No credential is written down: not in a log at any level, not in the store, not in an answer that is not its own.

use std::io::Write;
use std::sync::{Arc, Mutex};

use misario_core::app::{Mode, Transport};
use misario_jose::b64u;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Call, Held, Host, PASSWORD, TRANSPORTS};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A day in the life of a server, refusals and attacks included.
pub(crate) async fn a_day(host: &Host) {
    host.user("alice").await;
    for app in ["web", "spa", "service"] {
        for transport in TRANSPORTS {
            let sent = json!({ "app": app, "username": "alice", "password": PASSWORD, "transport": transport });
            let answer = Call::post("/v1/login").json(&sent).send(host).await.expect(200);
            let mut held = Held::of(app, transport, &answer);
            held.me(host).await.expect(200);
            held.call(host, Call::post("/v1/reauth").json(&json!({ "password": PASSWORD }))).await.expect(200);
            let first = held.clone();
            held.renew(host).await.expect(200);
            held.csrf(host).await;
            for mode in [Mode::Hybrid, Mode::Jwt, Mode::Session] {
                host.switch(app, mode).await;
                held.renew(host).await.expect(200);
            }
            held.renew(host).await.expect(200);
            host.pass(60).await;
            first.clone().renew(host).await;
            first.shows(Call::get("/v1/me")).bearer("mst_made-up").send(host).await;
            held.logout(host).await;
        }
    }
    let sent = json!({ "app": "web", "username": "alice\nINFO forged line", "password": "hunter2-hunter2-hunter2" });
    Call::post("/v1/login").json(&sent).header("user-agent", "forged line").send(host).await.expect(401);
    host.admin("POST", "/admin/v1/clients/ops/rotate", json!({})).await.expect(200);
    host.admin("POST", "/admin/v1/users", json!({ "username": "bob" })).await.expect(201);
    host.admin("POST", "/admin/v1/tokens", json!({ "app": "service", "subject": "job" })).await.expect(200);
}

/// What of a credential must not be found: itself, its secret part, and its octets in other spellings.
pub(crate) fn traces(secret: &str) -> Vec<String> {
    let mut traces = vec![secret.to_owned(), secret[secret.len() - secret.len().min(20)..].to_owned()];
    if let Some(octets) = secret.get(4..).and_then(b64u::decode).filter(|octets| octets.len() >= 16) {
        let tail = &octets[octets.len() - 16..];
        let hex = tail.iter().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"));
        traces.extend([hex.to_uppercase(), hex]);
        traces.push(format!("{tail:?}").trim_matches(['[', ']']).to_owned());
        traces.push(base64_simd::STANDARD.encode_to_string(octets));
    }
    traces
}

fn assert_clean(place: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        for trace in traces(secret) {
            assert!(!text.contains(&trace), "{place} holds {trace} of {secret}");
        }
    }
}

/// L02, L03.
#[tokio::test]
async fn the_log_holds_no_credential_at_any_level() {
    let buffer = Buffer::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(buffer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let host = Host::start().await;
    a_day(&host).await;
    let log = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("signed in") && log.contains("refresh_reused"), "the log is there: {log}");
    let mut alarms = log.lines().filter(|line| line.contains("refresh token reused")).peekable();
    assert!(alarms.peek().is_some() && alarms.all(|line| line.contains("code=\"refresh_reused\"")), "{log}");
    let mut secrets: Vec<_> = host.secrets.lock().unwrap().iter().cloned().collect();
    assert!(secrets.len() > 60, "{}", secrets.len());
    secrets.extend([PASSWORD.to_owned(), "hunter2-hunter2-hunter2".to_owned(), host.ops.clone()]);
    assert_clean("the log", &log, &secrets);
    assert!(log.lines().all(|line| !line.contains("forged line") && !line.contains('\u{1b}')));
}

/// S16.
#[tokio::test]
async fn the_store_holds_no_credential_and_nothing_in_it_is_one() {
    let host = Host::start().await;
    a_day(&host).await;
    let mut alive = Vec::new();
    for app in ["web", "spa", "service"] {
        for transport in [Transport::Cookie, Transport::Bearer] {
            alive.push(host.login(app, transport, "s1").await);
        }
    }
    let dump = host.store.dump().await;
    let mut secrets: Vec<_> = host.secrets.lock().unwrap().iter().cloned().collect();
    secrets.extend([PASSWORD.to_owned(), host.ops.clone()]);
    assert_clean("the store", &dump, &secrets);
    let mut leaves = Vec::new();
    collect(&serde_json::from_str(&dump).unwrap(), &mut leaves);
    assert!(leaves.len() > 30, "{}", leaves.len());
    for leaf in leaves.iter().filter(|leaf| leaf.bytes().all(|octet| (b'!'..=b'~').contains(&octet) && octet != b';')) {
        for prefix in ["", "mst_", "mrt_", "mcs_"] {
            let text = format!("{prefix}{leaf}");
            for app in ["web", "spa", "service"] {
                let status = Call::get("/v1/me").app(app).bearer(&text).send(&host).await.status;
                assert!(status >= 400, "{text} as a bearer token of {app}");
            }
            let call = Call::post("/v1/refresh").app("spa").json(&json!({ "refresh_token": text }));
            assert_eq!(call.send(&host).await.status, 401, "{text} as a refresh token");
            assert_eq!(Call::get("/admin/v1/apps").basic("ops", &text).send(&host).await.status, 401, "{text}");
        }
    }
    for mut held in alive {
        held.me(&host).await.expect(200);
    }
}

fn collect(value: &Value, leaves: &mut Vec<String>) {
    match value {
        // Records hold JSON in text.
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => collect(&inner, leaves),
            _ if text.len() >= 16 => leaves.push(text.clone()),
            _ => {}
        },
        Value::Array(all) => all.iter().for_each(|one| collect(one, leaves)),
        Value::Object(all) => all.values().for_each(|one| collect(one, leaves)),
        _ => {}
    }
}

/// What administrators are shown is no secret either.
#[tokio::test]
async fn administration_shows_no_secret() {
    let host = Host::start().await;
    a_day(&host).await;
    let secrets: Vec<_> = host.secrets.lock().unwrap().iter().cloned().collect();
    for path in ["users", "clients", "sessions", "apps", "keys", "config", "replicas"] {
        let shown = host.admin("GET", &format!("/admin/v1/{path}"), Value::Null).await.expect(200).text();
        assert_clean(path, &shown, &secrets);
        for word in ["argon2", "digest", "sealed", "seed"] {
            assert!(!shown.contains(word), "{path} shows {word}: {shown}");
        }
    }
}
