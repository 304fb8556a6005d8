use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64_simd::STANDARD;
use futures_util::FutureExt as _;
use misario_core::app::Mode;
use misario_core::authn::{Holder, Requirement, Touch, UnavailableFault};
use misario_core::changes::frame::{Body, FEED_VERSION, ParentFrame, ReplicaFrame, Use};
use misario_core::changes::{Change, ChangeKind, Position, Target};
use misario_core::secret::ReplicaKey;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use super::*;
use crate::feed::client::OPEN;
use crate::feed::{AnswerBody, AskBody, SUBPROTOCOL};
use crate::guard::{CheckRequest, Checked, Refused};
use crate::testing::{Bench, app_id, at, change, client_secret, sid, with_bearer};

/// So long that no load on the machine makes a lease run out in a test.
const TTL: u64 = 60_000;

/// The questions after which an authority reads nothing more until it has answered one.
const QUESTIONS: usize = crate::feed::QUESTIONS;

/// The parent's end of a feed, as simple as can be: it grants what it is asked for, and answers by the bench's word.
#[derive(Clone)]
struct Parent {
    keys: Vec<ReplicaKey>,
    changes: Vec<Change>,
    told: Arc<crate::testing::Told>,
    seen: mpsc::UnboundedSender<ReplicaFrame>,
    /// How many grants a connection gets before it is closed.
    grants: usize,
    /// How long they are, in milliseconds.
    ttl: u64,
    /// Whether questions are answered. One that does not reads nothing more once as many are open as the authority
    /// takes.
    answers: bool,
}

struct Line {
    url: String,
    seen: mpsc::UnboundedReceiver<ReplicaFrame>,
}

impl Line {
    async fn open(bench: &Bench, grants: usize) -> Self {
        Self::to(bench, |parent| parent.grants = grants).await
    }

    /// To a parent that is changed like this.
    async fn to(bench: &Bench, change: impl FnOnce(&mut Parent)) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let mut parent = Parent {
            keys: bench.keys.replica().iter().cloned().collect(),
            changes: bench.first_changes(),
            told: Arc::clone(&bench.told),
            seen: sender,
            grants: usize::MAX,
            ttl: TTL,
            answers: true,
        };
        change(&mut parent);
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

    fn options(&self, secret: SecretText) -> ConnectOptions {
        ConnectOptions::new(self.url.clone(), "web-backend", secret, app_id("web"))
    }
}

impl Parent {
    fn accept(&self, headers: &HeaderMap, upgrade: WebSocketUpgrade) -> Response {
        let right = STANDARD.encode_to_string(format!("web-backend:{}", right().expose()));
        if headers["authorization"] != format!("Basic {right}") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let parent = self.clone();
        upgrade.protocols([SUBPROTOCOL]).on_upgrade(async move |mut socket| {
            let _ = parent.serve(&mut socket).await;
        })
    }

    async fn serve(self, socket: &mut WebSocket) -> Option<()> {
        let issuer = "https://auth.example.com".to_owned();
        let (mut left, mut open, ttl_ms) = (self.grants, 0, self.ttl);
        while left > 0 {
            if open == QUESTIONS {
                std::future::pending::<()>().await;
            }
            let Message::Binary(octets) = socket.recv().await?.ok()? else { continue };
            let frame = ReplicaFrame::decode(&octets).unwrap();
            let _ = self.seen.send(frame.clone());
            match frame {
                ReplicaFrame::Hello { resume, .. } => {
                    let issuer = issuer.clone();
                    send(socket, ParentFrame::Welcome { version: FEED_VERSION, ttl_ms, issuer, leeway_secs: 0 })
                        .await?;
                    send(socket, self.start(resume)).await?;
                }
                ReplicaFrame::Renew { nonce, .. } => {
                    send(socket, ParentFrame::Grant { nonce, ttl_ms, head: at(2) }).await?;
                    left -= 1;
                }
                ReplicaFrame::Ask { .. } if !self.answers => {
                    open += 1;
                    // A change while it is asked as much as may be asked at once: its acknowledgement must not wait.
                    if open == OPEN {
                        let entries = vec![change(at(3), revoked(9))];
                        send(socket, ParentFrame::Changes { after: at(2), entries }).await?;
                    }
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

/// Something that is made from a connection.
type Part = fn(&Connection) -> Box<dyn std::any::Any>;

/// The secret that the parent takes.
fn right() -> SecretText {
    client_secret(7)
}

fn revoked(number: u8) -> ChangeKind {
    ChangeKind::Revoked { target: Target::Login(sid(number)), before: None }
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
    let connection = Connection::start(line.options(right())).await.unwrap();
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
    let connection = Connection::start(line.options(right())).await.unwrap();
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
    let connection = Connection::start(line.options(right())).await.unwrap();
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
    let connection = Connection::start(line.options(right())).await.unwrap();
    let id = connection.guard().memory().read().replica().id();
    connection.shutdown().await;
    let left = |frame: &ReplicaFrame| matches!(frame, ReplicaFrame::Leave { .. }).then(|| frame.clone());
    assert_eq!(line.next(left).await, ReplicaFrame::Leave { id });
    let refused = checked(&connection, &bench.session_token(sid(1))).await.unwrap_err();
    assert!(matches!(refused.rejection, misario_core::authn::Rejection::Unavailable(_)));
    connection.shutdown().await;
}

/// Not even until the task that follows the authority has noticed.
#[tokio::test]
async fn nothing_is_answered_from_memory_once_a_shutdown_was_begun() {
    let bench = Bench::new(Mode::Session);
    let line = Line::open(&bench, usize::MAX).await;
    let connection = Connection::start(line.options(right())).await.unwrap();
    let is_held = || connection.guard().memory().read().replica().lease(SystemClock.mono()).is_held();
    assert!(is_held());
    let stopping = connection.shutdown();
    assert!(stopping.now_or_never().is_none(), "the word of leave has to go out");
    assert!(!is_held());
}

/// Whatever an app has made from the handle and kept, it keeps the connection; when that is gone, so is the connection.
#[tokio::test]
async fn a_connection_lasts_as_long_as_what_was_made_from_it() {
    let bench = Bench::new(Mode::Session);
    let mut line = Line::to(&bench, |parent| parent.ttl = 2_000).await;
    let is_alive = |frame: &ReplicaFrame| match frame {
        ReplicaFrame::Renew { .. } => Some(true),
        ReplicaFrame::Leave { .. } => Some(false),
        _ => None,
    };
    let parts: [Part; 4] = [
        |connection| Box::new(connection.guard()),
        |connection| Box::new(connection.guard().for_app(app_id("web")).layer()),
        |connection| Box::new(connection.guard().require(Requirement::default())),
        |connection| Box::new(connection.routes::<()>()),
    ];
    for part in parts {
        let connection = Connection::start(line.options(right())).await.unwrap();
        let memory = Arc::clone(connection.guard().memory());
        let kept = part(&connection);
        drop(connection);
        while line.seen.try_recv().is_ok() {}
        // One may have been on its way; the next was sent after the handle was gone.
        assert!(line.next(is_alive).await && line.next(is_alive).await);
        drop(kept);
        while line.next(is_alive).await {}
        assert!(!memory.read().replica().lease(SystemClock.mono()).is_held());
    }
}

/// The app's question is answered although the handle is gone, which only a connection can do.
#[tokio::test]
async fn a_router_goes_on_when_the_handle_is_dropped() {
    async fn routed(line: &Line) -> Router {
        let connection = Connection::start(line.options(right())).await.unwrap();
        let who = |who: crate::Principal| async move { who.subject().to_owned() };
        Router::new().route("/who", get(who)).layer(connection.guard().layer())
    }
    let bench = Bench::new(Mode::Session);
    let mut line = Line::open(&bench, usize::MAX).await;
    let router = routed(&line).await;
    let token = bench.session_token(sid(1));
    let mut facts = bench.session(sid(1));
    facts.deadline = SystemClock.wall().saturating_add(1_800);
    bench.knows(&token, facts);
    for _ in 0..3 {
        let request = http::Request::get("/who").header("authorization", format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
    drop(router);
    line.next(|frame| matches!(frame, ReplicaFrame::Leave { .. }).then_some(())).await;
}

/// Two hundred questions at once to an authority that answers none: as many are put as it takes without stopping to
/// read, and renewals and acknowledgements go past them.
#[tokio::test]
async fn questions_hold_up_no_renewal() {
    let bench = Bench::new(Mode::Session);
    let mut line = Line::to(&bench, |parent| (parent.answers, parent.ttl) = (false, 4_000)).await;
    let connection = Connection::start(line.options(right())).await.unwrap();
    let guard = connection.guard();
    let asking: Vec<_> = (0..200)
        .map(|number| {
            let (guard, token) = (guard.clone(), bench.session_token(sid(number)));
            tokio::spawn(async move {
                let parts = with_bearer(&token);
                guard.check(&CheckRequest::of(&parts), &Requirement::default()).await.is_err()
            })
        })
        .collect();
    line.next(|frame| matches!(frame, ReplicaFrame::Hello { .. }).then_some(())).await;
    let acknowledged = |frame: &ReplicaFrame| match frame {
        ReplicaFrame::Renew { applied, .. } => (*applied == at(3)).then_some(true),
        ReplicaFrame::Hello { .. } => Some(false),
        _ => None,
    };
    // The acknowledgement of the change, and heartbeats for longer than a lease lasts, all on one connection.
    for _ in 0..6 {
        assert!(line.next(acknowledged).await);
    }
    assert!(guard.memory().read().replica().lease(SystemClock.mono()).is_held());
    for asked in asking {
        assert!(asked.await.unwrap(), "an authority that answers nothing says no yes");
    }
}

#[tokio::test]
async fn what_will_not_work_is_said_at_once() {
    let bench = Bench::new(Mode::Session);
    let line = Line::open(&bench, usize::MAX).await;
    let refused = Connection::start(line.options(client_secret(8))).await.unwrap_err();
    assert_eq!(refused, ConnectError::Refused { status: 401 });
    let app = app_id("nope");
    let options = ConnectOptions { app: app.clone(), ..line.options(right()) };
    assert_eq!(Connection::start(options).await.unwrap_err(), ConnectError::AppUnknown { app });
    let options = ConnectOptions { client_id: "Not A Name".to_owned(), ..line.options(right()) };
    assert_eq!(Connection::start(options).await.unwrap_err().code(), "name_invalid");
    let error = Connection::start(line.options(SecretText::new("hunter2".to_owned()))).await.unwrap_err();
    assert_eq!(error, ConnectError::SecretInvalid);
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_waited_for_and_then_named() {
    let bench = Bench::new(Mode::Session);
    let mut options = Line::open(&bench, 1).await.options(right());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    options.url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    options.deadline = Duration::from_millis(200);
    let error = Connection::start(options).await.unwrap_err();
    assert_eq!(error, ConnectError::Unreachable { seconds: 0, last: Some("feed_connection") });
}

/// Once the authority is known to be away, nobody waits for it: neither who asks now nor who has asked.
#[tokio::test]
async fn a_question_to_nobody_is_answered_at_once() {
    let clock = Arc::new(crate::testing::StillClock::new());
    let since = clock.mono();
    let (status, watched) = watch::channel(Status::default());
    let (authority, _questions) = FeedAuthority::new(watched, Arc::clone(&clock) as _);
    let app = app_id("web");
    let asked_for = misario_core::authn::AskedFor::Load;
    let question = crate::authority::Question { app: &app, credential: "c", asked_for, holder: Holder::Caller };
    let mut waiting = crate::Authority::ask(&authority, question);
    assert!((&mut waiting).now_or_never().is_none(), "there is somebody to ask");
    clock.advance(Duration::from_secs(2));
    status.send_modify(|status| status.down = Some(since));
    assert_eq!(waiting.now_or_never(), Some(Err(UnavailableFault::Authority)));
    let late = crate::Authority::ask(&authority, question);
    assert_eq!(late.now_or_never(), Some(Err(UnavailableFault::Authority)));
}
