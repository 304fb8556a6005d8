//! A client of the app: it knows the one rule, and no modes.
//!
//! Before what it holds ends, or on 401 `token_expired` or `token_stale`, it calls `POST /v1/refresh` with what it
//! holds and keeps what comes back.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::APP;
use super::tally::{Form, Tally};
use crate::clock::Mark;
use crate::http::jar::Jar;
use crate::http::{Base, Call, HttpClient, Reply};

/// Between two calls of one client.
const PAUSE: Duration = Duration::from_millis(150);
/// How often the recorded client refreshes, whatever it was told.
const RECORDED: Duration = Duration::from_millis(900);
/// Careful clients refresh at the latest after this.
const EAGER: Duration = Duration::from_millis(1400);

/// How often in a row what it holds may end before it was used. More often is no slow machine, but a server that
/// refuses what it has just handed out.
const ROUNDS: u32 = 3;

/// Where a client calls.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The server, or the app in the second process.
    pub(super) base: Base,
    /// The protected route there.
    pub(super) path: &'static str,
}

/// When a client refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Before what it holds ends.
    Early,
    /// When it is told that it has ended.
    OnRefusal,
    /// As `OnRefusal`, and it sleeps from the beginning of this leg to its end.
    Sleeper {
        /// The leg.
        leg: usize,
    },
    /// By its own clock, always in the same way; every request is written down.
    Recorded,
}

/// What tells a client from the others.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// Its number.
    pub(super) number: usize,
    /// How its login travels.
    pub(super) transport: &'static str,
    /// Where it calls.
    pub(super) route: Route,
    /// When it refreshes.
    pub(super) habit: Habit,
}

/// One login and how it is used.
pub(super) struct Client {
    http: HttpClient,
    number: usize,
    route: Route,
    transport: &'static str,
    habit: Habit,
    jar: Jar,
    access: Option<String>,
    refresh: Option<String>,
    refreshed: Mark,
    lives: Duration,
}

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
enum Went {
    On,
    SignedOut,
}

/// How a refresh ended.
#[derive(Debug, PartialEq, Eq)]
enum Renewed {
    Yes,
    Refused,
    /// Nothing that says anything about the login.
    NoAnswer,
}

impl Client {
    /// The client that was handed `login`.
    pub(super) fn new(http: HttpClient, profile: Profile, login: &Reply) -> Self {
        let Profile { number, transport, route, habit } = profile;
        let mut client = Self {
            http,
            number,
            route,
            transport,
            habit,
            jar: Jar::default(),
            access: None,
            refresh: None,
            refreshed: Mark::set(),
            lives: Duration::MAX,
        };
        client.keep(login);
        client
    }

    /// Works until the last leg is over, or until it would have to sign in again.
    pub(super) async fn work(mut self, mut legs: watch::Receiver<Option<usize>>, tally: Arc<Tally>) {
        loop {
            let Some(leg) = *legs.borrow_and_update() else { return };
            if self.habit == (Habit::Sleeper { leg }) {
                let asleep = legs.changed().await;
                if asleep.is_err() {
                    return;
                }
                continue;
            }
            if self.step(leg, &tally).await == Went::SignedOut {
                tally.count(|seen| seen.signed_out += 1);
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn step(&mut self, leg: usize, tally: &Tally) -> Went {
        if self.is_due() && self.renew(leg, tally).await == Renewed::Refused {
            return Went::SignedOut;
        }
        let Some(reply) = self.call(leg, tally).await else { return Went::On };
        if reply.status.as_u16() != 401 {
            return Went::On;
        }
        // For a cookie there is no 401 that a client could do anything about.
        let code = reply.code();
        let renewable = self.transport != "cookie" && matches!(code.as_str(), "token_expired" | "token_stale");
        if !renewable {
            return self.unexpected(leg, tally, &code);
        }
        for left in (0..ROUNDS).rev() {
            match self.renew(leg, tally).await {
                Renewed::Yes => {}
                // It holds what it held, and the next step begins where this one did.
                Renewed::NoAnswer => return Went::On,
                Renewed::Refused => return self.unexpected(leg, tally, &code),
            }
            match self.call(leg, tally).await {
                // What a slow machine took longer to use than it lives ended by its own end: the rule begins again.
                Some(again) if again.status.as_u16() == 401 && self.has_ended() && left > 0 => {}
                Some(again) if again.status.as_u16() == 401 => return self.unexpected(leg, tally, &again.code()),
                _ => break,
            }
        }
        tally.count(|seen| seen.expected_401 += 1);
        Went::On
    }

    fn unexpected(&self, leg: usize, tally: &Tally, code: &str) -> Went {
        tally.count(|seen| seen.unexpected_401 += 1);
        tally.complain(leg, &format!("{} client got 401 {code} from {}", self.transport, self.route.path));
        Went::SignedOut
    }

    /// Whether what it holds has ended by its own clock.
    fn has_ended(&self) -> bool {
        // Ends are whole seconds, so a token may live one less than it is said to.
        Mark::set().since(self.refreshed) + Duration::from_secs(1) >= self.lives
    }

    fn is_due(&self) -> bool {
        let held = Mark::set().since(self.refreshed);
        match self.habit {
            _ if self.transport == "cookie" => false,
            Habit::Early => held > EAGER.min(self.lives.mul_f32(0.7)),
            Habit::Recorded => held > RECORDED,
            Habit::OnRefusal | Habit::Sleeper { .. } => false,
        }
    }

    /// Calls the protected route; `None` when that says nothing about the login.
    async fn call(&mut self, leg: usize, tally: &Tally) -> Option<Reply> {
        let mut call = self.as_browser(Call::get(self.route.path));
        if let Some(access) = &self.access {
            call = call.bearer(access);
        }
        tally.count(|seen| seen.calls += 1);
        let reply = self.send(call, leg, tally).await?;
        if reply.status.is_success() {
            tally.worked(leg, self.number);
        }
        if self.jar.take(&reply.headers) {
            tally.count(|seen| seen.renewals += 1);
        }
        Some(reply)
    }

    /// The one rule: shows what it holds, keeps what comes back.
    async fn renew(&mut self, leg: usize, tally: &Tally) -> Renewed {
        let mut call = self.as_browser(Call::post("/v1/refresh", &json!({})));
        // With a body: a bearer client sends its refresh token, else its access token; a browser has it in a cookie,
        // and shows its access token in case it has none.
        if self.transport == "bearer" {
            call = match &self.refresh {
                Some(refresh) => call.json(&json!({ "refresh_token": refresh })),
                None => call.json(&json!({ "access_token": self.access })),
            };
        } else if let Some(access) = &self.access {
            call = call.bearer(access);
        }
        let Some(reply) = self.send(call, leg, tally).await else { return Renewed::NoAnswer };
        if !reply.status.is_success() {
            let code = reply.code();
            tally.complain(leg, &format!("{} client's refresh was answered {} {code}", self.transport, reply.status));
            return Renewed::Refused;
        }
        tally.count(|seen| seen.refreshes += 1);
        self.keep(&reply);
        Renewed::Yes
    }

    async fn send(&self, call: Call, leg: usize, tally: &Tally) -> Option<Reply> {
        if self.habit == Habit::Recorded {
            tally.record(leg, self.form(&call));
        }
        match self.http.send(&self.route.base, call).await {
            Ok(reply) if reply.status.is_success() || reply.status.as_u16() == 401 => Some(reply),
            Ok(reply) if reply.status.as_u16() == 503 => {
                tally.count(|seen| seen.unavailable += 1);
                None
            }
            Ok(reply) => {
                tally.count(|seen| seen.failures += 1);
                tally.complain(leg, &format!("{} {}", reply.status, reply.code()));
                None
            }
            Err(error) => {
                tally.count(|seen| seen.failures += 1);
                tally.complain(leg, &error.to_string());
                None
            }
        }
    }

    /// What a browser adds by itself.
    fn as_browser(&self, call: Call) -> Call {
        let call = call.for_app(APP);
        if self.transport == "bearer" {
            return call;
        }
        self.jar.show(call.header(HeaderName::from_static("sec-fetch-site"), "same-origin"))
    }

    fn keep(&mut self, reply: &Reply) {
        self.jar.take(&reply.headers);
        let answer = reply.json();
        for (held, name) in [(&mut self.access, "access_token"), (&mut self.refresh, "refresh_token")] {
            if let Some(token) = answer[name].as_str() {
                *held = Some(token.to_owned());
            }
        }
        self.lives = answer["expires_in"].as_u64().map_or(Duration::MAX, Duration::from_secs);
        self.refreshed = Mark::set();
    }

    fn form(&self, call: &Call) -> Form {
        let mut headers: Vec<&str> = call.headers.keys().map(HeaderName::as_str).collect();
        headers.sort_unstable();
        let body: Map<String, Value> = serde_json::from_slice(&call.body).unwrap_or_default();
        let members: Vec<&str> = body.keys().map(String::as_str).collect();
        Form {
            to: format!("{} {}", call.method, call.path),
            holds: if self.refresh.is_some() { "refresh_token" } else { "access_token" },
            names: format!("({}) {{{}}}", headers.join(", "), members.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::{get, post};
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    /// What a client does whose calls are all answered `token_expired`, and whose refreshes are answered with this.
    async fn step_at(refresh: (StatusCode, &'static str)) -> (Went, Tally) {
        let expired = (StatusCode::UNAUTHORIZED, r#"{"code":"token_expired"}"#);
        let router = Router::new()
            .route("/protected", get(async move || expired))
            .route("/v1/refresh", post(async move || refresh));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Base::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let server = tokio::spawn(axum::serve(listener, router).into_future());
        let route = Route { base, path: "/protected" };
        let profile = Profile { number: 0, transport: "bearer", route, habit: Habit::OnRefusal };
        let body = Bytes::from_static(br#"{"access_token":"a","expires_in":1}"#);
        let login = Reply { status: StatusCode::OK, headers: HeaderMap::new(), body };
        let mut client = Client::new(HttpClient::new(), profile, &login);
        let tally = Tally::new(["jwt"].into_iter());
        let stepped = tokio::time::timeout(Duration::from_secs(30), client.step(0, &tally)).await;
        server.abort();
        (stepped.expect("a step ends"), tally)
    }

    #[tokio::test]
    async fn a_step_ends_when_its_refresh_is_not_answered() {
        let (went, tally) = step_at((StatusCode::SERVICE_UNAVAILABLE, "{}")).await;
        let seen = tally.seen();
        assert_eq!((went, seen.unavailable, seen.unexpected_401, seen.expected_401), (Went::On, 1, 0, 0));
    }

    #[tokio::test]
    async fn a_short_life_hides_no_refusal_of_what_was_just_handed_out() {
        let (went, tally) = step_at((StatusCode::OK, r#"{"access_token":"b","expires_in":1}"#)).await;
        let seen = tally.seen();
        assert_eq!((went, seen.refreshes, seen.unexpected_401), (Went::SignedOut, u64::from(ROUNDS), 1));
    }
}
