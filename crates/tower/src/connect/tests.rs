use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use misario_core::app::Mode;
use misario_core::authn::{Holder, Requirement, Touch, UnavailableFault};
use misario_core::changes::frame::{Body, FEED_VERSION, ParentFrame, ReplicaFrame, Use};
use misario_core::changes::{Change, Position};
use misario_core::secret::ReplicaKey;
use tokio::sync::mpsc;

use super::*;
use crate::feed::{AnswerBody, AskBody, SUBPROTOCOL};
use crate::guard::{CheckRequest, Checked, Refused};
use crate::testing::{Bench, app_id, at, sid, with_bearer};

/// So long that no load on the machine makes a lease run out in a test.
const TTL: u64 = 60_000;

/// The parent's end of a feed, as simple as can be: it grants what it is asked for, and answers by the bench's word.
#[derive(Clone)]
struct Parent {
    keys: Vec<ReplicaKey>,
    changes: Vec<Change>,
    told: Arc<crate::testing::Told>,
    seen: mpsc::UnboundedSender<ReplicaFrame>,
    /// How many grants a connection gets before it is closed.
    grants: usize,
}

struct Line {
    url: String,
    seen: mpsc::UnboundedReceiver<ReplicaFrame>,
}

impl Line {
    async fn open(bench: &Bench, grants: usize) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let parent = Parent {
            keys: bench.keys.replica().iter().cloned().collect(),
            changes: bench.first_changes(),
            told: Arc::clone(&bench.told),
            seen: sender,
            grants,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let feed = move |headers: HeaderMap, upgrade: WebSocketUpgrade| {
            let parent = parent.clone();
            async move { parent.accept(&headers, upgrade) }
        };
        tokio::spawn(axum::serve(listener, Router::new().route("/v1/feed", get(feed))).into_future());
        Self { url, seen }
    }

    /// The next frame that `wanted` picks.
    async fn next<T>(&mut self, wanted: impl Fn(&ReplicaFrame) -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = wanted(&self.seen.recv().await.unwrap()) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap()
    }

    fn options(&self, secret: &str) -> ConnectOptions {
        let app = AppId::new("web").unwrap();
        ConnectOptions::new(self.url.clone(), "web-backend", SecretText::new(secret.to_owned()), app)
    }
}

impl Parent {
    fn accept(&self, headers: &HeaderMap, upgrade: WebSocketUpgrade) -> Response {
        // "web-backend:mcs_right"
        if headers["authorization"] != "Basic d2ViLWJhY2tlbmQ6bWNzX3JpZ2h0" {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let parent = self.clone();
        upgrade.protocols([SUBPROTOCOL]).on_upgrade(async move |mut socket| {
            let _ = parent.serve(&mut socket).await;
        })
    }

    async fn serve(self, socket: &mut WebSocket) -> Option<()> {
        let issuer = "https://auth.example.com".to_owned();
        let mut left = self.grants;
        while left > 0 {
            let Message::Binary(octets) = socket.recv().await?.ok()? else { continue };
            let frame = ReplicaFrame::decode(&octets).unwrap();
            let _ = self.seen.send(frame.clone());
            match frame {
                ReplicaFrame::Hello { resume, .. } => {
                    let issuer = issuer.clone();
                    send(socket, ParentFrame::Welcome { version: FEED_VERSION, ttl_ms: TTL, issuer, leeway_secs: 0 })
                        .await?;
                    send(socket, self.start(resume)).await?;
                }
                ReplicaFrame::Renew { nonce, .. } => {
                    send(socket, ParentFrame::Grant { nonce, ttl_ms: TTL, head: at(2) }).await?;
                    left -= 1;
                }
                ReplicaFrame::Ask { request, body } => {
                    let asked = AskBody::decode(body.as_bytes()).unwrap();
                    let answer = AnswerBody::by(&*self.told, asked).await;
                    send(socket, ParentFrame::Answer { request, body: Body::new(answer.encode()) }).await?;
                }
                ReplicaFrame::Leave { .. } => return None,
                _ => {}
            }
        }
        Some(())
    }

    fn start(&self, resume: Option<Position>) -> ParentFrame {
        let (changes, replica_keys) = (self.changes.clone(), self.keys.clone());
        match resume {
            Some(_) => ParentFrame::Keys { replica_keys },
            None => ParentFrame::Snapshot { position: at(2), changes, replica_keys, more: false },
        }
    }
}

async fn send(socket: &mut WebSocket, frame: ParentFrame) -> Option<()> {
    socket.send(Message::Binary(frame.encode().unwrap().into())).await.ok()
}

async fn checked(connection: &Connection, token: &str) -> Result<Checked, Refused> {
    let parts = with_bearer(token);
    connection.guard().check(&CheckRequest::of(&parts), &Requirement::default()).await
}

#[tokio::test]
async fn a_connected_app_asks_once_and_answers_from_memory() {
    let bench = Bench::new(Mode::Session);
    let line = Line::open(&bench, usize::MAX).await;
    let connection = Connection::start(line.options("mcs_right")).await.unwrap();
    let token = bench.session_token(sid(1));
    let mut facts = bench.session(sid(1));
    facts.deadline = SystemClock.wall().saturating_add(1_800);
    bench.knows(&token, facts);
    for _ in 0..3 {
        assert_eq!(checked(&connection, &token).await.unwrap().permit.principal().subject(), "alice");
    }
    assert_eq!(bench.told.asked.lock().len(), 1);
}

#[tokio::test]
async fn a_question_comes_after_what_was_used_before_it() {
    let bench = Bench::new(Mode::Session);
    let mut line = Line::open(&bench, usize::MAX).await;
    let connection = Connection::start(line.options("mcs_right")).await.unwrap();
    let used = Touch { at: SystemClock.wall(), generation: None };
    connection.guard().memory().read().touches().note(&app_id("web"), sid(2), used);
    assert!(checked(&connection, &bench.session_token(sid(1))).await.is_err());
    let first = line.next(|frame| match frame {
        ReplicaFrame::Seen { .. } | ReplicaFrame::Ask { .. } => Some(frame.clone()),
        _ => None,
    });
    let uses = vec![Use { sid: sid(2), at: used.at, generation: None }];
    assert_eq!(first.await, ReplicaFrame::Seen { app: app_id("web"), uses });
    assert!(connection.guard().memory().read().touches().all().is_empty());
}

#[tokio::test]
async fn a_broken_connection_is_taken_up_where_it_stood() {
    let bench = Bench::new(Mode::Session);
    let mut line = Line::open(&bench, 1).await;
    let connection = Connection::start(line.options("mcs_right")).await.unwrap();
    let hello = |frame: &ReplicaFrame| match frame {
        ReplicaFrame::Hello { resume, .. } => Some(*resume),
        _ => None,
    };
    assert_eq!(line.next(hello).await, None);
    assert_eq!(line.next(hello).await, Some(at(2)));
    let now = SystemClock.mono();
    assert!(connection.guard().memory().read().replica().lease(now).is_held());
}

#[tokio::test]
async fn a_shutdown_stops_answering_and_says_so() {
    let bench = Bench::new(Mode::Session);
    let mut line = Line::open(&bench, usize::MAX).await;
    let connection = Connection::start(line.options("mcs_right")).await.unwrap();
    let id = connection.guard().memory().read().replica().id();
    connection.shutdown().await;
    let left = |frame: &ReplicaFrame| matches!(frame, ReplicaFrame::Leave { .. }).then(|| frame.clone());
    assert_eq!(line.next(left).await, ReplicaFrame::Leave { id });
    let refused = checked(&connection, &bench.session_token(sid(1))).await.unwrap_err();
    assert!(matches!(refused.rejection, misario_core::authn::Rejection::Unavailable(_)));
    connection.shutdown().await;
}

#[tokio::test]
async fn what_will_not_work_is_said_at_once() {
    let bench = Bench::new(Mode::Session);
    let line = Line::open(&bench, usize::MAX).await;
    let refused = Connection::start(line.options("mcs_wrong")).await.unwrap_err();
    assert_eq!(refused, ConnectError::Refused { status: 401 });
    let app = AppId::new("nope").unwrap();
    let options = ConnectOptions { app: app.clone(), ..line.options("mcs_right") };
    assert_eq!(Connection::start(options).await.unwrap_err(), ConnectError::AppUnknown { app });
    let options = ConnectOptions { client_id: "Not A Name".to_owned(), ..line.options("mcs_right") };
    assert_eq!(Connection::start(options).await.unwrap_err().code(), "name_invalid");
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_waited_for_and_then_named() {
    let bench = Bench::new(Mode::Session);
    let mut options = Line::open(&bench, 1).await.options("mcs_right");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    options.url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    options.deadline = Duration::from_millis(200);
    let error = Connection::start(options).await.unwrap_err();
    assert_eq!(error, ConnectError::Unreachable { seconds: 0, last: Some("feed_connection") });
}

/// Once the authority is known to be away, nobody waits for it.
#[tokio::test]
async fn a_question_to_nobody_is_answered_at_once() {
    let clock = Arc::new(crate::testing::StillClock::new());
    let since = clock.mono();
    let down = Status { down: Some(since), ..Status::default() };
    let (_status, watched) = watch::channel(down);
    let (authority, _questions) = FeedAuthority::new(watched, Arc::clone(&clock) as _);
    clock.advance(Duration::from_secs(2));
    let app = AppId::new("web").unwrap();
    let asked_for = misario_core::authn::AskedFor::Load;
    let question = crate::authority::Question { app: &app, credential: "c", asked_for, holder: Holder::Caller };
    let answer = crate::Authority::ask(&authority, question).await;
    assert_eq!(answer, Err(UnavailableFault::Authority));
}
