//! A store that is locked, damaged, read-only or full: a clear word at the start, 503 while it lasts, nothing lost,
//! and never a yes that is none.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use misario::{App as Settings, AppId, MasterKeys, Mode, Transport};
use misario_server::{AppSetting, Parts, Server, ServerConfig, SettingSource, StartError, Stores};
use misario_store_sqlite::{Options, SqliteStore};
use misario_tower::OsEntropy;
use serde_json::json;

use crate::common::app::App;
use crate::common::authority::{Authority, LEASE, database, embedded};
use crate::common::child::{Child, Part};
use crate::common::eventually;
use crate::common::http::{Jar, Request};
use crate::common::site::{Site, Tokens};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_has_one_process_and_the_second_learns_which() {
    let folder = tempfile::tempdir().unwrap();
    let (child, site) = Child::authority(folder.path()).await;
    let token = site.issued("web", "usr_x").await.access;
    let error = embedded(folder.path()).await.err().unwrap();
    assert_eq!(error.code(), "store_locked");
    assert!(error.to_string().contains("pid ") && error.to_string().contains("connect"), "{error}");
    assert_eq!(site.me("web", &token).await.status, 200);
    child.kill().await;
    // The system takes the lock from whoever dies.
    let authority = Authority::start(folder.path()).await;
    assert_eq!(authority.site.me("web", &token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let token = authority.site.issued("web", "usr_x").await.access;
    authority.stop().await;
    let path = database(folder.path());
    let whole = fs::read(&path).unwrap();
    let damaged = |damage: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = whole.clone();
        damage(&mut octets);
        octets
    };
    for (octets, codes) in [
        (damaged(&|octets| octets[..100].fill(0x5a)), ["store_corrupt", "store_foreign"]),
        (damaged(&|octets| octets[100..].fill(0x5a)), ["store_corrupt", "store_corrupt"]),
        (damaged(&|octets| octets.truncate(4_096 + 100)), ["store_corrupt", "store_corrupt"]),
        (b"somebody's notes, and nothing of ours".to_vec(), ["store_corrupt", "store_foreign"]),
    ] {
        fs::write(&path, &octets).unwrap();
        let error = embedded(folder.path()).await.err().unwrap();
        assert!(codes.contains(&error.code()), "{}: {error}", error.code());
        assert!(fs::read(&path).unwrap() == octets, "{}: a damaged file was changed", error.code());
    }
    for side in ["app.db-wal", "app.db-shm"] {
        let _ = fs::remove_file(folder.path().join(side));
    }
    fs::write(&path, &whole).unwrap();
    let authority = Authority::start(folder.path()).await;
    assert_eq!(authority.site.me("web", &token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    Authority::start(folder.path()).await.stop().await;
    let only_read = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    only_read(&database(folder.path()), 0o400);
    let part = Part::Refused { folder: folder.path().to_owned() };
    let child = Child::start_without_privileges(&part, folder.path()).await;
    assert_eq!(child.said("code"), "store_read_only", "{}", child.said("text"));
    child.kill().await;
}

/// The disk ends where the files do: no octet more can be written.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_checks_go_on_and_nothing_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let (child, site) = Child::authority(folder.path()).await;
    site.user("alice", &["hr"]).await;
    let secret = site.client("web-backend", "web", &["feed"]).await;
    let web = App::connect(&site.url, ("web-backend", &secret), "web").await.unwrap();
    let (session, unseen) = (site.issued("web", "usr_x").await, site.issued("web", "usr_y").await);
    let (hybrid, jwt) = (site.issued("spa", "usr_x").await, site.issued("api", "usr_x").await);
    let refresh = hybrid.refresh.clone().unwrap();
    web.who(&session.access).await.expect(200);

    child.limit_files(Some(1));
    for _ in 0..8 {
        // More often than wrong passwords are forgiven: a store that is full is nobody's wrong password.
        let refused = site.http.send(site.sign_in("web", "alice", "bearer")).await.expect(503);
        assert!(refused.headers.contains_key("retry-after"));
    }
    let jar = Jar::with("__Host-misario-web", &session.access);
    for request in [
        site.refresh("spa", &refresh),
        site.issue("web", "usr_z"),
        site.revoke(&json!({ "login": session.sid })),
        site.revoke(&json!({ "user": "usr_x" })),
        site.revoke(&json!("everything")),
        site.post("/admin/v1/users/alice/disable", &json!({})),
        Request::post(&site.at("/v1/logout?app=web")).bearer(&session.access),
        Request::post(&web.at("/v1/logout")).cookies(&jar),
        Request::post(&web.at("/v1/logout-all")).bearer(&session.access),
    ] {
        site.http.send(request).await.expect(503);
    }
    for (app, token) in [("web", &session.access), ("spa", &hybrid.access), ("api", &jwt.access)] {
        assert_eq!(site.me(app, token).await.status, 200, "{app}");
    }
    // Nothing of the lease is on the disk: it goes on for longer than one.
    eventually("the lease was renewed", LEASE * 3, async || {
        web.who(&session.access).await.expect(200);
        site.http.send(Request::get(&site.at("/admin/v1/replicas")).client("ops", &site.secret)).await.expect(200);
        web.who(&unseen.access).await.has(200)
    })
    .await;

    child.limit_files(None);
    let renewed = site.http.send(site.refresh("spa", &refresh)).await.expect(200);
    assert_eq!(renewed.text("sid"), hybrid.sid);
    site.http.send(site.sign_in("web", "alice", "bearer")).await.expect(200);
    site.revoked(&json!({ "login": session.sid })).await;
    web.who(&session.access).await.expect(401);
    web.who(&unseen.access).await.expect(200);
    child.kill().await;
    let (child, site) = Child::authority(folder.path()).await;
    assert_eq!(site.me("web", &unseen.access).await.status, 200);
    assert_eq!(site.me("web", &session.access).await.status, 401);
    child.kill().await;
}

/// A server on the database in `folder` that may become so large.
async fn server(folder: &Path, max_bytes: Option<u64>) -> Result<Server, StartError> {
    let options = Options { max_bytes, ..Options::default() };
    let store = Arc::new(SqliteStore::open(&database(folder), options)?);
    let origins = vec!["https://app.example.com".parse().unwrap()];
    let transports = [Transport::Bearer];
    let app = Settings::new(AppId::new("web").unwrap(), Mode::Session, &transports, origins);
    let config = ServerConfig {
        issuer: "https://app.example.com".to_owned(),
        leeway: 5,
        lease: Duration::from_millis(500),
        apps: vec![AppSetting { app, source: SettingSource::Code }],
        policies: BTreeMap::new(),
        demo: false,
        bootstrap_secret: None,
        password_threads: 1,
    };
    let keys = MasterKeys::load_or_create(&folder.join("app.key"), &OsEntropy).unwrap();
    Server::start(Parts { config, stores: Stores { records: store.clone(), live: store }, keys }).await
}

async fn serve(folder: &Path, max_bytes: Option<u64>) -> Authority {
    Authority::serve(server(folder, max_bytes).await.unwrap(), folder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fills_up_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(server(folder.path(), Some(8 * 1024)).await.err().unwrap().code(), "store_full");
    serve(folder.path(), None).await.stop().await;
    let size = fs::metadata(database(folder.path())).unwrap().len();
    let authority = serve(folder.path(), Some(size + 64 * 1024)).await;
    let (made, refused) = fill(&authority.site).await;
    assert!(made.len() > 10, "{} sessions in 64 KiB", made.len());
    assert_eq!(refused, 503);
    for tokens in &made {
        assert_eq!(authority.site.me("web", &tokens.access).await.status, 200);
    }
    authority.stop().await;

    let authority = serve(folder.path(), None).await;
    for tokens in &made {
        assert_eq!(authority.site.me("web", &tokens.access).await.status, 200);
    }
    authority.site.issued("web", "usr_more").await;
    authority.site.revoked(&json!({ "login": made[0].sid })).await;
    assert_eq!(authority.site.me("web", &made[0].access).await.status, 401);
}

/// Makes sessions until one is refused.
async fn fill(site: &Site) -> (Vec<Tokens>, u16) {
    let mut made = Vec::new();
    loop {
        let reply = site.http.send(site.issue("web", &format!("usr_{}", made.len()))).await;
        if !reply.has(200) {
            return (made, reply.status.as_u16());
        }
        made.push(Tokens::of(&reply));
    }
}
