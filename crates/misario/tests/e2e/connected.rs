//! An app in a process of its own: it answers from memory, forwards what is the authority's, and knows of every change
//! by the time that the change has returned.

use std::time::Duration;

use http::Method;
use http::header::SET_COOKIE;
use serde_json::json;

use crate::common::app::App;
use crate::common::authority::Authority;
use crate::common::eventually;
use crate::common::http::{Jar, Reply, Request};
use crate::common::proxy::{Line, Proxy};
use crate::common::site::{Site, Tokens};

/// An authority with alice, and the apps `web` and `api` connected to it.
struct House {
    authority: Authority,
    web: App,
    api: App,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::start(folder.path()).await;
        let site = &authority.site;
        site.user("alice", &["hr"]).await;
        let web = connected(site, &site.url, "web").await;
        let api = connected(site, &site.url, "api").await;
        Self { authority, web, api, _folder: folder }
    }

    fn site(&self) -> &Site {
        &self.authority.site
    }
}

/// The app, connected by way of `url`.
async fn connected(site: &Site, url: &str, app: &str) -> App {
    let id = format!("{app}-backend");
    let secret = site.client(&id, app, &["feed"]).await;
    App::connect(url, (&id, &secret), app).await.unwrap()
}

/// Signs alice in at the connected app itself.
async fn sign_in(app: &App, transport: &str) -> Reply {
    let body = json!({ "username": "alice", "password": crate::common::site::PASSWORD, "transport": transport });
    app.http.send(Request::post(&app.at("/v1/login")).same_origin().json(&body)).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_answered_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    for (app, first_is_asked) in [("web", true), ("api", false)] {
        let line = Proxy::to(&site.url).await;
        let connected = connected(site, &line.url, app).await;
        let token = site.issued(app, "usr_x").await.access;
        if first_is_asked {
            connected.who(&token).await.expect(200);
        }
        // Nothing reaches the authority any more, so whatever is answered here is answered from memory.
        line.set(Line::Silent);
        for _ in 0..200 {
            connected.who(&token).await.expect(200);
            connected.get("/hr", &token).await.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_and_out_on_the_apps_own_origin() {
    let house = House::open().await;
    let web = &house.web;
    let mut jar = Jar::default();
    let body = json!({ "username": "alice", "password": crate::common::site::PASSWORD, "transport": "cookie" });
    let cross_site = Request::post(&web.at("/v1/login")).header("sec-fetch-site", "cross-site").json(&body);
    web.http.send(cross_site).await.expect(403);

    let reply = sign_in(web, "cookie").await;
    jar.keep(&reply);
    let token = jar.value("__Host-misario-web").unwrap().to_owned();
    let set: Vec<_> = reply.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
    let line = set.iter().find(|line| line.contains(&token)).unwrap();
    assert!(["HttpOnly", "Secure", "SameSite=Lax", "Path=/"].iter().all(|part| line.contains(part)), "{line}");
    assert!(!line.contains("Domain"), "{line}");
    assert!(reply.json()["access_token"].is_null());

    let send =
        async |method: Method, path: &str| web.http.send(Request::new(method, &web.at(path)).cookies(&jar)).await;
    let me = send(Method::GET, "/v1/me").await.expect(200).json();
    let who = send(Method::GET, "/who").await.expect(200).json();
    assert_eq!((&me["subject"], &me["sid"]), (&who["subject"], &who["sid"]));
    send(Method::POST, "/pay").await.expect(200);
    let foreign = Request::post(&web.at("/pay")).header("cookie", &format!("__Host-misario-web={token}"));
    web.http.send(foreign.header("origin", "https://evil.example.net")).await.expect(403);

    let other = Tokens::of(&sign_in(web, "bearer").await);
    let sessions = send(Method::GET, "/v1/sessions").await.expect(200).json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2, "{sessions}");
    let path = format!("/v1/sessions/{}", other.sid);
    send(Method::DELETE, &path).await.expect(403);
    let csrf = send(Method::GET, "/v1/csrf").await.expect(200).text("csrf_token");
    let ending = Request::new(Method::DELETE, &web.at(&path)).cookies(&jar).header("x-csrf-token", &csrf);
    web.http.send(ending).await.expect(204);
    web.who(&other.access).await.expect(401);

    let renewed = send(Method::POST, "/v1/refresh").await.expect(200);
    jar.keep(&renewed);
    let signed_out = web.http.send(Request::post(&web.at("/v1/logout")).cookies(&jar)).await.expect(204);
    let kept = jar.clone();
    jar.keep(&signed_out);
    assert!(jar.is_empty(), "{jar:?}");
    eventually("the cookie is dead", Duration::from_secs(3), async || {
        web.http.send(Request::get(&web.at("/who")).cookies(&kept)).await.has(401)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_page_app_refreshes_by_its_cookie() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    authority.site.user("alice", &["hr"]).await;
    let spa = connected(&authority.site, &authority.site.url, "spa").await;
    let mut jar = Jar::default();
    let reply = sign_in(&spa, "split").await;
    jar.keep(&reply);
    assert!(jar.value("__Host-misario-spa").is_none() && jar.value("__Host-misario-spa-refresh").is_some());
    assert!(reply.json()["refresh_token"].is_null());
    spa.get("/hr", &reply.text("access_token")).await.expect(200);
    let renewed = spa.http.send(Request::post(&spa.at("/v1/refresh")).cookies(&jar)).await.expect(200);
    assert_ne!(renewed.text("access_token"), reply.text("access_token"));
    let old = jar.clone();
    jar.keep(&renewed);
    assert_ne!(old.value("__Host-misario-spa-refresh"), jar.value("__Host-misario-spa-refresh"));
    // The refresh cookie is no access credential.
    spa.http.send(Request::get(&spa.at("/who")).cookies(&jar)).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_token_and_a_jwt_are_the_same_person() {
    let house = House::open().await;
    let web = &house.web;
    let session = Tokens::of(&sign_in(web, "bearer").await);
    assert!(session.access.starts_with("mst_"));
    let by_session = web.who(&session.access).await.expect(200).json();
    house.site().patch("web", &json!({ "mode": "jwt" })).await;
    let body = json!({ "access_token": session.access });
    let renewed = web.http.send(Request::post(&web.at("/v1/refresh")).json(&body)).await.expect(200);
    let jwt = Tokens::of(&renewed);
    assert!(jwt.access.starts_with("eyJ"));
    assert_eq!(web.who(&jwt.access).await.expect(200).json(), by_session);
    assert_eq!(web.who(&session.access).await.expect(200).json(), by_session);
}

/// 200 revocations of each kind of target, sessions and JWTs in turn. What a revocation does not name goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_has_returned_is_true_at_the_app() {
    let house = House::open().await;
    let site = house.site();
    let (mut violations, mut rounds) = (0, 0);
    for round in 0..200 {
        let (name, app) = if round % 2 == 0 { ("web", &house.web) } else { ("api", &house.api) };
        let (subject, other) = (format!("usr_{round}"), format!("usr_{round}_other"));
        let (tokens, bystander) = (site.issued(name, &subject).await, site.issued(name, &other).await);
        app.who(&tokens.access).await.expect(200);
        app.who(&bystander.access).await.expect(200);
        let everything = round % 40 >= 38;
        let target = match round % 4 {
            _ if everything => json!("everything"),
            0 | 1 => json!({ "login": tokens.sid }),
            _ => json!({ "user": subject }),
        };
        site.revoked(&target).await;
        let after = app.who(&tokens.access).await;
        violations += u32::from(!after.has(401));
        app.who(&bystander.access).await.expect(if everything { 401 } else { 200 });
        if round % 4 > 1 {
            // A user who was thrown out comes back at once, in the same second.
            let again = site.issued(name, &subject).await;
            app.who(&again.access).await.expect(200);
        }
        rounds += 1;
    }
    println!("{rounds} revocations, {violations} answers that should not have been");
    assert_eq!((rounds, violations), (200, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_were_taken_away_are_gone_and_the_login_stays() {
    let house = House::open().await;
    for (name, app) in [("web", &house.web), ("api", &house.api)] {
        let mut tokens = Tokens::of(&sign_in(app, "bearer").await);
        app.get("/hr", &tokens.access).await.expect(200);
        house.site().roles("alice", name, &[]).await;
        let refused = app.get("/hr", &tokens.access).await;
        if name == "api" {
            assert_eq!((refused.status.as_u16(), refused.code()), (401, "token_stale".to_owned()));
            let body = json!({ "access_token": tokens.access });
            tokens = Tokens::of(&app.http.send(Request::post(&app.at("/v1/refresh")).json(&body)).await.expect(200));
            app.get("/hr", &tokens.access).await.expect(403);
        } else {
            refused.expect(403);
        }
        assert_eq!(app.who(&tokens.access).await.expect(200).json()["roles"], json!([]));
    }
    // A cookie login does not even notice that its credential was stale.
    house.site().roles("alice", "api", &["hr"]).await;
    let mut jar = Jar::default();
    jar.keep(&sign_in(&house.api, "cookie").await);
    let pay = async |jar: &Jar| house.api.http.send(Request::post(&house.api.at("/pay")).cookies(jar)).await;
    pay(&jar).await.expect(200);
    house.site().roles("alice", "api", &[]).await;
    pay(&jar).await.expect(403);
    house.site().roles("alice", "api", &["hr"]).await;
    let paid = pay(&jar).await.expect(200);
    assert!(paid.headers.contains_key(SET_COOKIE));
}

/// A client that follows the one client rule, by its transport.
struct Customer {
    transport: &'static str,
    jar: Jar,
    access: Option<String>,
    refresh: Option<String>,
    /// A 401 that no rule explains.
    unexpected: u32,
}

impl Customer {
    async fn of(app: &App, transport: &'static str) -> Self {
        let mut customer = Self { transport, jar: Jar::default(), access: None, refresh: None, unexpected: 0 };
        customer.keep(&sign_in(app, transport).await);
        customer
    }

    fn keep(&mut self, reply: &Reply) {
        self.jar.keep(reply);
        let text = |key: &str| reply.json()[key].as_str().map(str::to_owned);
        self.access = text("access_token").or(self.access.take());
        self.refresh = text("refresh_token").or(self.refresh.take());
    }

    fn ask(&self, app: &App) -> Request {
        match &self.access {
            Some(token) if self.transport != "cookie" => Request::get(&app.at("/hr")).bearer(token),
            _ => Request::get(&app.at("/hr")).cookies(&self.jar),
        }
    }

    async fn call(&mut self, app: &App) {
        let mut reply = app.http.send(self.ask(app)).await;
        if reply.has(401) && self.transport != "cookie" {
            assert!(["token_expired", "token_stale"].contains(&reply.code().as_str()), "{reply:?}");
            self.refresh(app).await;
            reply = app.http.send(self.ask(app)).await;
        }
        self.unexpected += u32::from(!reply.has(200));
        self.jar.keep(&reply);
    }

    async fn refresh(&mut self, app: &App) {
        let mut body = json!({});
        if let Some(token) = &self.refresh {
            body["refresh_token"] = token.as_str().into();
        } else if let Some(token) = &self.access {
            body["access_token"] = token.as_str().into();
        }
        let mut request = Request::post(&app.at("/v1/refresh"));
        if !self.jar.is_empty() {
            request = request.cookies(&self.jar);
            if self.jar.value("__Host-misario-web-refresh").is_some() {
                body = json!({});
            }
        }
        let reply = app.http.send(request.json(&body)).await;
        self.unexpected += u32::from(!reply.has(200));
        self.keep(&reply);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_go_on_while_the_mode_is_switched() {
    let house = House::open().await;
    let web = &house.web;
    let mut customers = Vec::new();
    for transport in ["cookie", "bearer", "split", "cookie", "bearer", "split"] {
        customers.push(Customer::of(web, transport).await);
    }
    let session = customers[1].access.clone().unwrap();
    for (step, mode) in ["hybrid", "jwt", "session", "hybrid", "session", "jwt", "hybrid"].into_iter().enumerate() {
        house.site().patch("web", &json!({ "mode": mode })).await;
        // The second three sleep through every other mode.
        for (number, customer) in customers.iter_mut().enumerate() {
            if number < 3 || step % 2 == 0 {
                customer.call(web).await;
                customer.refresh(web).await;
                customer.call(web).await;
            }
        }
    }
    let unexpected: Vec<_> = customers.iter().map(|customer| (customer.transport, customer.unexpected)).collect();
    assert!(unexpected.iter().all(|(_, count)| *count == 0), "{unexpected:?}");
    // A credential of the first mode counts for as long as it lives.
    web.who(&session).await.expect(200);
    assert_ne!(customers[1].access.as_ref(), Some(&session));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_connect_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let feed = site.client("web-backend", "web", &["feed"]).await;
    let issue = site.client("issuer", "web", &["issue"]).await;
    let refused = async |client: (&str, &str), app: &str| {
        App::connect(&site.url, client, app).await.err().map(|error| (error.code(), error.to_string()))
    };
    let (code, text) = refused(("web-backend", &issue), "web").await.unwrap();
    assert_eq!(code, "connect_refused", "{text}");
    assert!(text.contains("401"), "{text}");
    let (code, text) = refused(("issuer", &issue), "web").await.unwrap();
    assert_eq!(code, "connect_refused", "{text}");
    assert!(text.contains("403") && text.contains("feed"), "{text}");
    for (client, app, expected) in [
        (("web-backend", "mcs_garbage"), "web", "connect_secret_invalid"),
        (("nobody", feed.as_str()), "web", "connect_refused"),
        (("web-backend", "two\nlines"), "web", "connect_secret_invalid"),
        (("Web Backend!", feed.as_str()), "web", "name_invalid"),
        (("web-backend", feed.as_str()), "Not An App", "connect_app_invalid"),
        (("web-backend", feed.as_str()), "nowhere", "connect_app_unknown"),
    ] {
        assert_eq!(refused(client, app).await.unwrap().0, expected, "{client:?} {app}");
    }
    // The client of one app is none of another's.
    assert_eq!(refused(("web-backend", &feed), "api").await.map(|(code, _)| code), Some("connect_refused"));
    assert!(refused(("web-backend", &feed), "web").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_disabled_is_cut_off_and_stays_out() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::start(folder.path()).await;
    let site = &authority.site;
    let secret = site.client("web-backend", "web", &["feed"]).await;
    let web = App::connect(&site.url, ("web-backend", &secret), "web").await.unwrap();
    let tokens = site.issued("web", "usr_x").await;
    web.who(&tokens.access).await.expect(200);
    site.http.send(site.post("/admin/v1/clients/web-backend/disable", &json!({}))).await.expect(200);
    eventually("its lease runs out", Duration::from_secs(4), async || web.who(&tokens.access).await.has(503)).await;
    let again = App::connect(&site.url, ("web-backend", &secret), "web").await.err().unwrap();
    assert_eq!(again.code(), "connect_refused");
    web.who(&tokens.access).await.expect(503);
    assert_eq!(site.me("web", &tokens.access).await.status, 200);
}
