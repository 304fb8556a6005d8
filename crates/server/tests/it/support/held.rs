//! A client of the one rule that holds in every mode: show what you hold, keep what comes back.

use std::collections::BTreeMap;

use misario_core::app::Transport;
use serde_json::{Value, json};

use super::{Answer, Call, Host};

/// What a client holds of a login. It does not know the app's mode.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) app: String,
    pub(crate) sid: String,
    pub(crate) transport: Transport,
    pub(crate) access: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) jar: BTreeMap<String, String>,
}

impl Held {
    /// What a sign-in handed out.
    pub(crate) fn of(app: &str, transport: Transport, answer: &Answer) -> Self {
        let sid = answer.json()["sid"].as_str().unwrap().to_owned();
        let mut held = Self { app: app.to_owned(), sid, transport, access: None, refresh: None, jar: BTreeMap::new() };
        held.keep(answer);
        held
    }

    /// Keeps what the answer brought.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for cookie in answer.cookies() {
            if cookie.max_age() == 0 {
                self.jar.remove(&cookie.name);
            } else {
                self.jar.insert(cookie.name, cookie.value);
            }
        }
        let body = answer.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        self.access = text("access_token").or(self.access.take());
        self.refresh = text("refresh_token").or(self.refresh.take());
    }

    /// The call, with what this client shows at every request.
    pub(crate) fn shows(&self, call: Call) -> Call {
        let mut call = call.app(&self.app);
        if !self.jar.is_empty() {
            let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            call = call.cookie(&pairs.join("; ")).same_origin(&self.app);
        }
        match &self.access {
            Some(access) => call.bearer(access),
            None => call,
        }
    }

    /// Calls and keeps what came back.
    pub(crate) async fn call(&mut self, host: &Host, call: Call) -> Answer {
        let answer = self.shows(call).send(host).await;
        self.keep(&answer);
        answer
    }

    /// Who the server says this is.
    pub(crate) async fn me(&mut self, host: &Host) -> Answer {
        self.call(host, Call::get("/v1/me")).await
    }

    /// The body of a refresh: the refresh token, else the access token, which is shown in the header.
    pub(crate) fn refresh_call(&self) -> Call {
        let call = Call::post("/v1/refresh");
        match &self.refresh {
            Some(refresh) => call.json(&json!({ "refresh_token": refresh })),
            None => call,
        }
    }

    /// Refreshes and keeps what came back.
    pub(crate) async fn renew(&mut self, host: &Host) -> Answer {
        self.call(host, self.refresh_call()).await
    }

    pub(crate) async fn logout(&mut self, host: &Host) -> Answer {
        let call = Call::post("/v1/logout");
        let call = match &self.refresh {
            Some(refresh) => call.json(&json!({ "refresh_token": refresh })),
            None => call,
        };
        self.call(host, call).await
    }

    /// The CSRF token of this login.
    pub(crate) async fn csrf(&mut self, host: &Host) -> String {
        let answer = self.call(host, Call::get("/v1/csrf")).await.expect(200);
        answer.json()["csrf_token"].as_str().unwrap().to_owned()
    }

    /// The access credential, wherever it is.
    pub(crate) fn access_text(&self) -> String {
        self.access.clone().unwrap_or_else(|| self.jar[&format!("__Host-misario-{}", self.app)].clone())
    }

    /// The refresh token, wherever it is.
    pub(crate) fn refresh_text(&self) -> Option<String> {
        self.refresh.clone().or_else(|| self.jar.get(&format!("__Host-misario-{}-refresh", self.app)).cloned())
    }
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&misario_jose::b64u::decode(payload).unwrap()).unwrap()
}
