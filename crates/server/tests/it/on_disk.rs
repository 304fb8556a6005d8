//! The same authority on one SQLite file: races, a restart, and what is in the file.

use std::path::Path;
use std::sync::Arc;

use misario_core::app::{Mode, Transport};
use misario_core::changes::Epoch;
use misario_store_sqlite::{Options, SqliteStore};
use serde_json::json;

use crate::secrets::{a_day, traces};
use crate::support::{Call, Held, Host, Probe};
use crate::{renewal, sessions, switching};

/// A server on the store in that folder, and the store itself, to close it.
async fn on_disk(folder: &Path, clock: Option<misario_testkit::clock::FakeClock>) -> (Host, Arc<SqliteStore>) {
    let clock = clock.unwrap_or_default();
    let options = Options { epoch: Epoch::beginning(clock.now()), ..Options::default() };
    let store = Arc::new(SqliteStore::open(&folder.join("misario.db"), options).unwrap());
    let host = Host::with(|setup| {
        setup.store = Probe::around(store.clone());
        setup.app("web").max_logins = Some(5);
        setup.clock = clock;
    });
    (host.await, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_end_as_they_do_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = on_disk(folder.path(), None).await;
    let host = Arc::new(host);
    switching::race_exchanges(host.clone()).await;
    renewal::race_refreshes(host.clone()).await;
    sessions::race_sign_ins(host).await;
}

async fn logins(host: &Host, subject: &str) -> Vec<Held> {
    let mut all = Vec::new();
    for app in ["web", "spa", "service"] {
        for transport in [Transport::Cookie, Transport::Bearer] {
            all.push(host.login(app, transport, subject).await);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_logins_revocations_keys_and_an_administrators_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (host, store) = on_disk(folder.path(), None).await;
    let (mut live, gone) = (logins(&host, "s1").await, logins(&host, "s2").await);
    let first_refresh = live[3].refresh_text();
    live[3].renew(&host).await.expect(200);
    host.switch("web", Mode::Hybrid).await;
    host.revoke(json!({ "user": "s2" })).await;
    let keys = host.server.instance().jwks();
    host.server.shutdown().await;
    store.close().await.unwrap();

    let (host, _store) = on_disk(folder.path(), Some(host.clock.clone())).await;
    assert_eq!(host.server.instance().jwks(), keys);
    let app = host.admin("GET", "/admin/v1/apps/web", json!({})).await.expect(200).json();
    assert_eq!(app["app"]["mode"], "hybrid", "the configuration says session, and says nothing else than before");
    for held in &gone {
        assert_eq!(held.clone().me(&host).await.status, 401, "{} {}", held.app, held.transport);
        assert_eq!(held.clone().renew(&host).await.status, 401, "{} {}", held.app, held.transport);
    }
    let again = Call::post("/v1/refresh").app("spa").json(&json!({ "refresh_token": first_refresh }));
    let again = again.send(&host).await.expect(200).json()["refresh_token"].clone();
    assert_eq!(again.as_str().map(str::to_owned), live[3].refresh_text(), "a lost response, over a restart");
    for held in &mut live {
        held.me(&host).await.expect(200);
        held.renew(&host).await.expect(200);
        held.me(&host).await.expect(200);
    }
    for mut held in logins(&host, "s2").await {
        held.me(&host).await.expect(200);
    }
}

/// S16: raw, hexadecimal and base64, in every file of the folder, while the server runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_hold_no_credential() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _store) = on_disk(folder.path(), None).await;
    a_day(&host).await;
    let alive = logins(&host, "s1").await;
    let mut secrets: Vec<_> = host.secrets.lock().unwrap().iter().cloned().collect();
    secrets.push(host.ops.clone());
    let mut looked_at = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        looked_at += content.len();
        // One character per octet: searching text is fast.
        let as_text = |octets: &[u8]| octets.iter().map(|octet| char::from(*octet)).collect::<String>();
        let content = as_text(&content);
        let holds = |needle: &[u8]| content.contains(&as_text(needle));
        for secret in alive.iter().map(Held::access_text).chain(secrets.iter().cloned()) {
            for trace in traces(&secret) {
                assert!(!holds(trace.as_bytes()), "{trace}");
            }
            let octets = secret.get(4..).and_then(misario_jose::b64u::decode).filter(|octets| octets.len() > 60);
            assert!(octets.is_none_or(|octets| !holds(&octets[octets.len() - 40..])), "the octets of {secret}");
        }
    }
    assert!(looked_at > 50_000, "{looked_at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_is_an_unavailable_one_and_no_sign_out() {
    let folder = tempfile::tempdir().unwrap();
    let (host, store) = on_disk(folder.path(), None).await;
    let all = logins(&host, "s1").await;
    assert_eq!(Call::get("/readyz").send(&host).await.status, 200);
    store.close().await.unwrap();
    assert_eq!(Call::get("/readyz").send(&host).await.status, 503, "whoever sends requests here sends them elsewhere");
    for held in &all {
        let me = held.clone().me(&host).await;
        assert_eq!(me.status, if held.app == "web" { 503 } else { 200 }, "{} {}", held.app, held.transport);
        let refresh = held.clone().renew(&host).await;
        assert_eq!((refresh.status, refresh.cookies()), (503, vec![]));
    }
}

/// The remedy after a restore, as the operator's documentation gives it, reaches what was issued after the backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_after_a_restore_reaches_what_was_issued_after_the_backup() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("misario.db");
    let (host, store) = on_disk(folder.path(), None).await;
    host.server.shutdown().await;
    store.close().await.unwrap();
    let backup = std::fs::read(&database).unwrap();

    let (host, store) = on_disk(folder.path(), Some(host.clock.clone())).await;
    host.pass(1).await;
    for number in 0..50 {
        host.revoke(json!({ "login": format!("{number:032x}") })).await;
    }
    let mut alice = host.login("service", Transport::Bearer, "s1").await;
    let mut bob = host.login("service", Transport::Cookie, "s2").await;
    host.server.shutdown().await;
    store.close().await.unwrap();
    std::fs::write(&database, backup).unwrap();
    // As long as no file is opened more than once a second, the restored one is opened in a later epoch.
    host.clock.advance(std::time::Duration::from_secs(2));

    let (host, _store) = on_disk(folder.path(), Some(host.clock.clone())).await;
    host.pass(1).await;
    alice.me(&host).await.expect(200);
    host.revoke(json!({ "user": "s1" })).await;
    assert_eq!(alice.me(&host).await.told(), (401, "invalid_token".to_owned()));
    assert_eq!(alice.renew(&host).await.told(), (401, "invalid_grant".to_owned()));
    bob.me(&host).await.expect(200);
    host.revoke(json!("everything")).await;
    assert_eq!(bob.me(&host).await.status, 401);
    assert_eq!(bob.renew(&host).await.status, 401);
}

/// Whoever starts again in the same process, or hands the folder to another one, waits for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_free_as_soon_as_its_server_has_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut clock = None;
    for _ in 0..20 {
        let (host, store) = on_disk(folder.path(), clock.take()).await;
        host.server.shutdown().await;
        clock = Some(host.clock.clone());
        drop((host, store));
    }
}
