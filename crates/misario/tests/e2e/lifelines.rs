//! The line between an app and its authority: cut, silent, slow; either end stopped, killed, started again.
//!
//! Within its lease an app answers; after it, it says that it cannot tell, and never that a login is over. Whatever
//! happens, a revocation returns within a lease, and what it revoked is not accepted after that.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::common::app::App;
use crate::common::authority::{Authority, LEASE};
use crate::common::child::{Child, Part};
use crate::common::eventually;
use crate::common::http::{Http, Request};
use crate::common::proxy::{Line, Proxy};
use crate::common::site::Site;

/// How long a revocation may take that has to wait for a lease to run out.
const WITHIN: Duration = Duration::from_secs(3);
/// How long an app may take to come back, pauses between its attempts included.
const BACK: Duration = Duration::from_secs(10);

async fn revoked_in_time(site: &Site, sid: &str) {
    let target = json!({ "login": sid });
    tokio::time::timeout(WITHIN, site.revoked(&target)).await.expect("a revocation returns when the lease has run out");
}

/// The app `web` behind the proxy.
async fn web(site: &Site, line: &Proxy) -> App {
    let secret = site.client("web-backend", "web", &["feed"]).await;
    App::connect(&line.url, ("web-backend", &secret), "web").await.unwrap()
}

/// The authority's own first lease has to be over, or every revocation waits for it and shows nothing of the app.
async fn settled(site: &Site) {
    let tokens = site.issued("web", "usr_settled").await;
    site.revoked(&json!({ "login": tokens.sid })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_cut_off_answers_for_its_lease_and_then_cannot_tell() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let line = Proxy::to(&site.url).await;
    let web = web(site, &line).await;
    settled(site).await;
    for fault in [Line::Cut, Line::Silent] {
        let tokens = site.issued("web", "usr_x").await;
        web.who(&tokens.access).await.expect(200);
        line.set(fault);
        web.who(&tokens.access).await.expect(200);
        let mut answered = 0;
        eventually("the lease runs out", LEASE * 2, async || {
            let reply = web.who(&tokens.access).await;
            assert!(reply.has(200) || reply.has(503), "{reply:?}");
            answered += u32::from(reply.has(200));
            reply.has(503)
        })
        .await;
        assert!(answered > 10, "{answered} answers within the lease");
        let refused = web.who(&tokens.access).await.expect(503);
        assert!(refused.headers.contains_key("retry-after") && !refused.headers.contains_key("set-cookie"));
        // A token that this memory has never seen is not taken for a bad one.
        let unseen = site.issued("web", "usr_y").await;
        web.who(&unseen.access).await.expect(503);
        line.set(Line::Open);
        eventually("the app is back", BACK, async || web.who(&tokens.access).await.has(200)).await;
        web.who(&unseen.access).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_does_not_wait_longer_than_the_lease_of_who_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let line = Proxy::to(&site.url).await;
    let web = web(site, &line).await;
    settled(site).await;
    // Held up for as long as a lease lasts: grants arrive, and are worth nothing by then.
    for fault in [Line::Cut, Line::Silent, Line::Slow(LEASE)] {
        let (tokens, bystander) = (site.issued("web", "usr_x").await, site.issued("web", "usr_y").await);
        web.who(&tokens.access).await.expect(200);
        web.who(&bystander.access).await.expect(200);
        line.set(fault);
        revoked_in_time(site, &tokens.sid).await;
        // Where the line is slow, each of them asks the authority, and gives up before it is answered.
        for _ in 0..3 {
            let reply = web.who(&tokens.access).await;
            assert!(reply.has(401) || reply.has(503), "{fault:?}: {reply:?}");
        }
        let reply = web.who(&bystander.access).await;
        assert!(reply.has(200) || reply.has(503), "{fault:?}: {reply:?}");
        line.set(Line::Open);
        eventually("the app is back", BACK, async || {
            assert!(!web.who(&tokens.access).await.has(200), "{fault:?}");
            web.who(&bystander.access).await.has(200)
        })
        .await;
        web.who(&tokens.access).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_leaves_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let line = Proxy::to(&site.url).await;
    let web = web(site, &line).await;
    settled(site).await;
    let tokens = site.issued("web", "usr_x").await;
    web.leave().await;
    let report = site.http.send(site.revoke(&json!({ "login": tokens.sid }))).await.expect(200).json();
    assert_eq!(report["fenced"], json!(0), "{report}");
    assert!(report["waited_ms"].as_f64().unwrap() < 1_000.0, "{report}");
}

/// The leases that a killed authority granted are out when the next one starts, and nothing tells it so (rule 14).
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_right_after_a_restart_holds_for_leases_from_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut site) = Child::authority(folder.path()).await;
    let line = Proxy::to(&site.url).await;
    let web = web(&site, &line).await;
    for _ in 0..3 {
        let (tokens, bystander) = (site.issued("web", "usr_x").await, site.issued("web", "usr_y").await);
        web.who(&tokens.access).await.expect(200);
        web.who(&bystander.access).await.expect(200);
        // The app stays cut off over the restart, with the lease of the process before.
        line.set(Line::Cut);
        child.kill().await;
        (child, site) = Child::authority(folder.path()).await;
        line.point_to(&site.url);
        revoked_in_time(&site, &tokens.sid).await;
        for _ in 0..20 {
            assert!(!web.who(&tokens.access).await.has(200));
        }
        line.set(Line::Open);
        eventually("the app follows the new process", BACK, async || {
            assert!(!web.who(&tokens.access).await.has(200));
            web.who(&bystander.access).await.has(200)
        })
        .await;
        web.who(&tokens.access).await.expect(401);
        // And it is a follower like any other: a revocation is acknowledged, not waited out.
        site.revoked(&json!({ "login": bystander.sid })).await;
        web.who(&bystander.access).await.expect(401);
    }
    child.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_recovers_by_itself_when_the_authority_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (child, site) = Child::authority(folder.path()).await;
    let line = Proxy::to(&site.url).await;
    let web = web(&site, &line).await;
    let tokens = site.issued("web", "usr_x").await;
    web.who(&tokens.access).await.expect(200);
    child.kill().await;
    eventually("the lease runs out", LEASE * 2, async || web.who(&tokens.access).await.has(503)).await;
    // What is the authority's own cannot be done without it, and says so.
    let refused = web.http.send(Request::get(&web.at("/v1/me")).bearer(&tokens.access)).await.expect(503);
    assert!(refused.headers.contains_key("retry-after"));
    let (child, site) = Child::authority(folder.path()).await;
    line.point_to(&site.url);
    eventually("the app is back", BACK, async || web.who(&tokens.access).await.has(200)).await;
    child.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_of_a_process_that_was_stopped_is_no_yes() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let secret = site.client("web-backend", "web", &["feed"]).await;
    let child = Child::start(&Part::App { url: site.url.clone(), secret }).await;
    let (url, http) = (format!("{}/who", child.said("url")), Http::new());
    settled(site).await;
    for round in 0..3 {
        let tokens = site.issued("web", &format!("usr_{round}")).await;
        http.send(Request::get(&url).bearer(&tokens.access)).await.expect(200);
        child.stop();
        // Asked while it sleeps, and answered first when it wakes.
        let asked = tokio::spawn({
            let (http, request) = (http.clone(), Request::get(&url).bearer(&tokens.access));
            async move { http.send(request).await }
        });
        revoked_in_time(site, &tokens.sid).await;
        child.signal(Signal::CONT);
        let first = http.send(Request::get(&url).bearer(&tokens.access)).await;
        assert!(first.has(401) || first.has(503), "{first:?}");
        let waiting = asked.await.unwrap();
        assert!(waiting.has(401) || waiting.has(503), "{waiting:?}");
        let bystander = site.issued("web", "usr_other").await;
        eventually("the app is back", BACK, async || {
            http.send(Request::get(&url).bearer(&bystander.access)).await.has(200)
        })
        .await;
        http.send(Request::get(&url).bearer(&tokens.access)).await.expect(401);
    }
    child.kill().await;
}
