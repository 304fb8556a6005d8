//! `kill -9` under load: what was acknowledged before it holds after it.
//!
//! 200 refreshes, 200 revocations, 200 sessions made by an app, and 5 password sign-ins per second are asked of an
//! embedded authority in a process of its own, which is killed as soon as enough of each was acknowledged. An answer
//! that never came promises nothing; every one that came is held against the process that comes next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::common::child::{Child, is_soak};
use crate::common::eventually;
use crate::common::http::{Http, Reply, Request};
use crate::common::site::{Site, Tokens};

/// How often each of the three is asked for, and how often somebody signs in.
const EACH: Duration = Duration::from_millis(5);
const SIGN_IN: Duration = Duration::from_millis(200);

/// Clients that refresh, each waiting for its answer before it asks again: 200 refreshes per second in all.
const CLIENTS: usize = 20;
const CLIENT: Duration = Duration::from_millis(100);

/// How long it may take until enough is acknowledged, on a machine that does something else as well.
const DEADLINE: Duration = Duration::from_secs(30);

/// A session that was acknowledged.
#[derive(Debug, Clone)]
struct Made {
    tokens: Tokens,
    /// Whose it is, if they have no other.
    subject: Option<String>,
}

/// What was acknowledged.
#[derive(Debug, Default)]
struct Book {
    refreshes: usize,
    sessions: usize,
    sign_ins: usize,
    /// Revocations that returned when they were true everywhere; the others returned when they were durable.
    waited: usize,
    /// Sessions that nobody has asked to end yet.
    pool: VecDeque<Made>,
    /// Sessions that nobody asks to end in this round.
    kept: VecDeque<Made>,
    /// Sessions that were ended.
    revoked: Vec<Made>,
    /// Answers that are neither a success nor none at all.
    refused: Vec<String>,
}

impl Book {
    fn has(&self, enough: usize, waited: usize) -> bool {
        let least = self.refreshes.min(self.sessions).min(self.revoked.len());
        least >= enough && self.sign_ins >= 2 && self.waited >= waited
    }
}

/// The load of one round.
#[derive(Clone)]
struct Load {
    site: Site,
    book: Arc<Mutex<Book>>,
    stop: watch::Receiver<bool>,
}

impl Load {
    /// The answer, if the process lived to give it.
    async fn ask(&self, request: Request) -> Option<Reply> {
        let reply = self.site.http.ask(request).await?;
        if reply.has(200) {
            return Some(reply);
        }
        self.book.lock().unwrap().refused.push(format!("{reply:?}"));
        None
    }

    /// Refreshes until nobody answers; the last token that was acknowledged.
    async fn refresh(self, mut token: String) -> String {
        let mut pace = interval(CLIENT);
        loop {
            pace.tick().await;
            let Some(reply) = self.ask(self.site.refresh("spa", &token)).await else { return token };
            token = reply.text("refresh_token");
            self.book.lock().unwrap().refreshes += 1;
        }
    }

    async fn make_session(self, number: usize) {
        let subject = format!("usr_{number}");
        let Some(reply) = self.ask(self.site.issue("web", &subject)).await else { return };
        let made = Made { tokens: Tokens::of(&reply), subject: Some(subject) };
        let mut book = self.book.lock().unwrap();
        book.sessions += 1;
        if number.is_multiple_of(4) { book.kept.push_back(made) } else { book.pool.push_back(made) }
    }

    /// Ends one that lives; if nobody answers, nobody knows whether it does.
    async fn revoke(self, number: usize) {
        let Some(made) = self.book.lock().unwrap().pool.pop_front() else { return };
        let target = match &made.subject {
            Some(subject) if number.is_multiple_of(5) => json!({ "user": subject }),
            _ => json!({ "login": made.tokens.sid }),
        };
        // After a start the first to wait waits for a whole lease.
        let wait = number % 10 == 3;
        let body = json!({ "target": target, "wait": wait });
        if self.ask(self.site.post("/admin/v1/revoke", &body)).await.is_some() {
            let mut book = self.book.lock().unwrap();
            book.waited += usize::from(wait);
            book.revoked.push(made);
        }
    }

    async fn sign_in(self) {
        let Some(reply) = self.ask(self.site.sign_in("web", "alice", "bearer")).await else { return };
        let mut book = self.book.lock().unwrap();
        book.sign_ins += 1;
        book.kept.push_back(Made { tokens: Tokens::of(&reply), subject: None });
    }

    /// Asks, each when its time has come, until it is told to stop; returns when everything is answered or never will.
    async fn drive(self, first: usize) {
        let (mut each, mut sign_in) = (interval(EACH), interval(SIGN_IN));
        let (mut under_way, mut number) = (JoinSet::new(), first);
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                _ = each.tick() => {
                    number += 1;
                    under_way.spawn(self.clone().make_session(number));
                    under_way.spawn(self.clone().revoke(number));
                }
                _ = sign_in.tick() => drop(under_way.spawn(self.clone().sign_in())),
            }
        }
        under_way.join_all().await;
    }
}

/// Clients, and what they and their user were told so far.
struct History {
    /// The refresh token that each client holds.
    tokens: Vec<String>,
    book: Book,
    /// Everything that was acknowledged in all rounds.
    total: [usize; 4],
}

impl History {
    /// Puts the process under load and kills it as soon as enough is acknowledged.
    async fn interrupt(&mut self, child: Child, site: &Site, round: usize) {
        let mut book = std::mem::take(&mut self.book);
        let kept = std::mem::take(&mut book.kept);
        book.pool.extend(kept);
        let book = Arc::new(Mutex::new(Book { pool: book.pool, ..Book::default() }));
        let (stop, stopped) = watch::channel(false);
        let load = Load { site: site.clone(), book: Arc::clone(&book), stop: stopped };
        let driving = tokio::spawn(load.clone().drive(round * 1_000_000));
        let clients: Vec<_> = self.tokens.drain(..).map(|token| tokio::spawn(load.clone().refresh(token))).collect();
        // Never at the same place; and after a start no revocation is true everywhere before a lease has run out, which
        // some rounds wait for.
        let (enough, waited) = (100 + round * 37 % 100, usize::from(round % 4 == 3));
        eventually("enough is acknowledged", DEADLINE, async || book.lock().unwrap().has(enough, waited)).await;
        child.kill().await;
        stop.send_replace(true);
        driving.await.unwrap();
        for client in clients {
            self.tokens.push(client.await.unwrap());
        }
        self.book = std::mem::take(&mut book.lock().unwrap());
        assert!(self.book.refused.is_empty(), "{:?}", self.book.refused);
        let acknowledged = [self.book.refreshes, self.book.revoked.len(), self.book.sessions, self.book.sign_ins];
        self.total.iter_mut().zip(acknowledged).for_each(|(total, count)| *total += count);
    }

    /// Holds what was acknowledged against the process that came next.
    async fn verify(&mut self, site: &Site, round: usize) {
        let expected = |made: &VecDeque<Made>, status| {
            made.iter().map(|made| (made.tokens.access.clone(), status)).collect::<Vec<_>>()
        };
        let mut checks = expected(&self.book.pool, 200);
        checks.extend(expected(&self.book.kept, 200));
        checks.extend(self.book.revoked.iter().map(|made| (made.tokens.access.clone(), 401)));
        let wrong = answered_otherwise(site, checks).await;
        assert!(wrong.is_empty(), "round {round}: {wrong:?}");
        for (number, token) in self.tokens.iter_mut().enumerate() {
            // The end of a family waits for a lease, as every revocation does after a start.
            let to_the_end = round % 4 == 1 && number % 2 == round / 4 % 2;
            *token = one_head(site, token, to_the_end).await;
        }
    }
}

/// Those sessions that are not answered with the status they should be.
async fn answered_otherwise(site: &Site, checks: Vec<(String, u16)>) -> Vec<(u16, String)> {
    let mut wrong = Vec::new();
    for some in checks.chunks(16) {
        let mut under_way = JoinSet::new();
        for (token, expected) in some.iter().cloned() {
            let site = site.clone();
            under_way.spawn(async move { (expected, site.me("web", &token).await) });
        }
        let answers = under_way.join_all().await;
        wrong.extend(
            answers
                .into_iter()
                .filter(|(expected, reply)| !reply.has(*expected))
                .map(|(expected, reply)| (expected, format!("{reply:?}"))),
        );
    }
    wrong
}

/// The last acknowledged token of a client is answered, whether or not a rotation of it was under way, and always with
/// the same head. To the end: once that head was used, the old token ends the family, and the client signs in again.
async fn one_head(site: &Site, token: &str, to_the_end: bool) -> String {
    let refresh = async |token: &str| site.http.send(site.refresh("spa", token)).await;
    let head = refresh(token).await.expect(200).text("refresh_token");
    assert_eq!(refresh(token).await.expect(200).text("refresh_token"), head, "a family has two heads");
    if !to_the_end {
        return head;
    }
    let next = refresh(&head).await.expect(200).text("refresh_token");
    assert_ne!(next, head);
    for spent in [token, &next, &head] {
        assert_eq!(refresh(spent).await.expect(401).code(), "invalid_grant");
    }
    new_client(site).await
}

async fn new_client(site: &Site) -> String {
    site.issued("spa", "usr_client").await.refresh.unwrap()
}

async fn is_ready(http: &Http, site: &Site) {
    eventually("readiness", Duration::from_secs(5), async || {
        http.ask(Request::get(&site.at("/readyz"))).await.is_some_and(|reply| reply.has(200))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let rounds = if is_soak() { 100 } else { 20 };
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut site) = Child::authority(folder.path()).await;
    site.user("alice", &["hr"]).await;
    // Without a reuse interval the retry rule has no exception by time, so every answer is determined.
    site.patch("spa", &json!({ "reuse_interval": 0 })).await;
    let mut history = History { tokens: Vec::new(), book: Book::default(), total: [0; 4] };
    for _ in 0..CLIENTS {
        history.tokens.push(new_client(&site).await);
    }
    let mut all_revoked = Vec::new();
    for round in 0..rounds {
        history.interrupt(child, &site, round).await;
        (child, site) = Child::authority(folder.path()).await;
        is_ready(&Http::new(), &site).await;
        history.verify(&site, round).await;
        all_revoked.extend(history.book.revoked.iter().map(|made| (made.tokens.access.clone(), 401)));
    }
    let wrong = answered_otherwise(&site, all_revoked).await;
    assert!(wrong.is_empty(), "{wrong:?}");
    let [refreshes, revocations, sessions, sign_ins] = history.total;
    println!(
        "killed {rounds} times; acknowledged and held: {refreshes} refreshes, {revocations} revocations, {sessions} \
         sessions, {sign_ins} sign-ins"
    );
    assert!(refreshes.min(revocations).min(sessions) >= rounds * 100 && sign_ins >= rounds * 2);
    child.kill().await;
}
