//! An authority as its operator and its apps' backends reach it: over HTTP, as the client `ops`.

use serde_json::{Value, json};

use super::http::{Http, Reply, Request};

/// The password of every user of these tests.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// An authority with a client that may do everything.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) http: Http,
    pub(crate) url: String,
    pub(crate) secret: String,
}

/// What a sign-in or a refresh brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) sid: String,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

impl Tokens {
    pub(crate) fn of(reply: &Reply) -> Self {
        let refresh = reply.json()["refresh_token"].as_str().map(str::to_owned);
        Self { sid: reply.text("sid"), access: reply.text("access_token"), refresh }
    }
}

impl Site {
    pub(crate) fn new(url: &str, secret: &str) -> Self {
        Self { http: Http::new(), url: url.to_owned(), secret: secret.to_owned() }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request of the operator.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Request {
        Request::post(&self.at(path)).client("ops", &self.secret).json(body)
    }

    /// Makes a user who may do `roles` in the apps.
    pub(crate) async fn user(&self, name: &str, roles: &[&str]) {
        let grant = json!({ "roles": roles, "permissions": [] });
        let grants = json!({ "web": grant, "api": grant, "spa": grant });
        let body = json!({ "username": name, "password": PASSWORD, "grants": grants });
        self.http.send(self.post("/admin/v1/users", &body)).await.expect(201);
    }

    /// Sets the user's roles in an app.
    pub(crate) async fn roles(&self, name: &str, app: &str, roles: &[&str]) {
        let body = json!({ "roles": roles, "permissions": [] });
        let url = self.at(&format!("/admin/v1/users/{name}/grants/{app}"));
        let request = Request::new(http::Method::PUT, &url).client("ops", &self.secret).json(&body);
        self.http.send(request).await.expect(200);
    }

    /// Changes an app.
    pub(crate) async fn patch(&self, app: &str, patch: &Value) {
        let url = self.at(&format!("/admin/v1/apps/{app}"));
        let request = Request::new(http::Method::PATCH, &url).client("ops", &self.secret).json(patch);
        self.http.send(request).await.expect(200);
    }

    /// Makes a client, and tells its secret.
    pub(crate) async fn client(&self, id: &str, app: &str, rights: &[&str]) -> String {
        let body = json!({ "id": id, "app": app, "rights": rights });
        self.http.send(self.post("/admin/v1/clients", &body)).await.expect(201).text("secret")
    }

    pub(crate) fn sign_in(&self, app: &str, name: &str, transport: &str) -> Request {
        let body = json!({ "app": app, "username": name, "password": PASSWORD, "transport": transport });
        Request::post(&self.at("/v1/login")).json(&body)
    }

    /// A login that an app made for a user whom it knows itself.
    pub(crate) fn issue(&self, app: &str, subject: &str) -> Request {
        self.post("/v1/sessions", &json!({ "app": app, "subject": subject, "roles": ["hr"], "transport": "bearer" }))
    }

    pub(crate) async fn issued(&self, app: &str, subject: &str) -> Tokens {
        Tokens::of(&self.http.send(self.issue(app, subject)).await.expect(200))
    }

    pub(crate) fn refresh(&self, app: &str, token: &str) -> Request {
        Request::post(&self.at("/v1/refresh")).json(&json!({ "app": app, "refresh_token": token }))
    }

    pub(crate) fn revoke(&self, target: &Value) -> Request {
        self.post("/admin/v1/revoke", &json!({ "target": target }))
    }

    /// Revokes, and returns when that is true everywhere.
    pub(crate) async fn revoked(&self, target: &Value) {
        self.http.send(self.revoke(target)).await.expect(200);
    }

    /// How the authority itself answers the credential.
    pub(crate) async fn me(&self, app: &str, token: &str) -> Reply {
        self.http.send(Request::get(&self.at(&format!("/v1/me?app={app}"))).bearer(token)).await
    }
}
