//! The connection of a feed, and the next one when it breaks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use misario_core::changes::MonoTime;
use misario_core::changes::frame::{Body, MAX_FRAME, ParentFrame, ReplicaFrame};
use misario_core::id::AppId;
use misario_jose::Entropy;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::ask::Put;
use super::driver::{Action, Driver};
use super::{FeedError, PATH, SUBPROTOCOL};
use crate::clock::Clock;
use crate::connect::Target;
use crate::entropy::below;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long connecting, handshake included, and sending a frame may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same, for the error.
const STUCK: FeedError = FeedError::Stuck { millis: 5_000 };

/// Questions that may be unanswered on one connection. The authority answers twice as many at once and then reads
/// nothing more until one is answered: renewals and acknowledgements behind them would be late, and the lease gone.
pub(crate) const OPEN: usize = super::QUESTIONS / 2;

/// The shortest and the longest pause before the next connection, in milliseconds.
const PAUSE: (u64, u64) = (50, 2_000);

/// Where a feed stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// How long the authority's leases last, once it has said so: whatever there waits for a revocation can take that
    /// long.
    pub(crate) ttl: Duration,
    /// The replica was granted a lease, at least once.
    pub(crate) was_leased: bool,
    /// There is no connection, since then.
    pub(crate) down: Option<MonoTime>,
    /// The code of the last failure.
    pub(crate) last: Option<&'static str>,
    /// The status with which the authority refused the last connection.
    pub(crate) refused: Option<u16>,
}

/// Follows the authority until it is told to stop.
pub(crate) struct Client {
    pub(crate) target: Arc<Target>,
    /// The app that is protected.
    pub(crate) app: AppId,
    pub(crate) driver: Driver,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) questions: mpsc::Receiver<Put>,
    pub(crate) status: watch::Sender<Status>,
    /// Closed when the feed has to stop.
    pub(crate) stop: oneshot::Receiver<()>,
}

/// How a connection ended without an error.
struct Stopped;

impl Client {
    /// Runs until the other end of `stop` is used or dropped.
    pub(crate) async fn run(mut self) {
        self.follow_on().await;
        tracing::warn!(app = %self.app, "the authority is not followed any more: checks are refused from here on");
    }

    async fn follow_on(&mut self) {
        let mut failures = 0_u32;
        loop {
            let error = match self.follow(&mut failures).await {
                Ok(Stopped) => return,
                Err(error) => error,
            };
            self.driver.ended(&error);
            self.note(&error);
            let pause = pause(failures, &*self.entropy);
            failures = failures.saturating_add(1);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = &mut self.stop => {
                    self.driver.leave();
                    return;
                }
            }
        }
    }

    /// One connection, from its beginning to its end. A lease sets `failures` back to none.
    async fn follow(&mut self, failures: &mut u32) -> Result<Stopped, FeedError> {
        let connected = tokio::select! {
            connected = tokio::time::timeout(PATIENCE, connect(&self.target, &self.app)) => connected,
            _ = &mut self.stop => {
                self.driver.leave();
                return Ok(Stopped);
            }
        };
        let mut socket = connected.map_err(|_| STUCK)??;
        send(&mut socket, &self.driver.hello()).await?;
        let mut asked = Asked::default();
        loop {
            // Before anything that comes in: a flood of answers must not keep the lease from being renewed.
            let pause = self.driver.pause();
            if pause.is_zero() {
                let due = self.driver.tick()?;
                self.send_all(&mut socket, due).await?;
                continue;
            }
            tokio::select! {
                received = socket.next() => {
                    let Some(frame) = read(received)? else { continue };
                    for action in self.driver.heard(frame)? {
                        self.act(action, &mut socket, &mut asked, failures).await?;
                    }
                }
                Some(put) = self.questions.recv(), if self.driver.is_welcomed() && asked.has_room() => {
                    if let Some(question) = asked.put(put) {
                        let reports = self.driver.before_asking();
                        self.send_all(&mut socket, reports).await?;
                        send(&mut socket, &question).await?;
                    }
                }
                () = tokio::time::sleep(pause) => {}
                _ = &mut self.stop => {
                    let leave = self.driver.leave();
                    // The word of leave spares barriers the rest of the lease; without it they wait that long.
                    let _ = send(&mut socket, &leave).await;
                    let _ = tokio::time::timeout(PATIENCE, socket.close(None)).await;
                    return Ok(Stopped);
                }
            }
        }
    }

    async fn send_all(&self, socket: &mut Socket, frames: Vec<ReplicaFrame>) -> Result<(), FeedError> {
        for frame in frames {
            send(socket, &frame).await?;
            self.driver.sent(&frame);
        }
        Ok(())
    }

    async fn act(
        &self,
        action: Action,
        socket: &mut Socket,
        asked: &mut Asked,
        failures: &mut u32,
    ) -> Result<(), FeedError> {
        match action {
            Action::Send(frame) => send(socket, &frame).await?,
            Action::Answer { request, body } => asked.answered(request, body),
            Action::Connected { ttl } => self.status.send_modify(|status| (status.down, status.ttl) = (None, ttl)),
            Action::Leased => {
                *failures = 0;
                self.status.send_if_modified(|status| !std::mem::replace(&mut status.was_leased, true));
            }
        }
        Ok(())
    }

    fn note(&self, error: &FeedError) {
        tracing::warn!(code = error.code(), %error, "the feed of the authority ended");
        let now = self.clock.mono();
        self.status.send_modify(|status| {
            // Since the first failure in a row.
            status.down.get_or_insert(now);
            status.last = Some(error.code());
            status.refused = if let FeedError::Refused { status } = error { Some(*status) } else { None };
        });
    }
}

/// The questions of one connection that wait for their answers. One whose asker gave up stays: the authority is still
/// busy with it.
#[derive(Default)]
struct Asked {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<Body>>,
}

impl Asked {
    fn has_room(&self) -> bool {
        self.waiting.len() < OPEN
    }

    /// The frame that asks, unless nobody waits for the answer any more.
    fn put(&mut self, put: Put) -> Option<ReplicaFrame> {
        if put.answer.is_closed() {
            return None;
        }
        self.next += 1;
        self.waiting.insert(self.next, put.answer);
        Some(ReplicaFrame::Ask { request: self.next, body: put.body })
    }

    fn answered(&mut self, request: u64, body: Body) {
        if let Some(answer) = self.waiting.remove(&request) {
            // Who asked may have given up.
            let _ = answer.send(body);
        }
    }
}

async fn connect(target: &Target, app: &AppId) -> Result<Socket, FeedError> {
    let mut request = target.websocket(PATH).into_client_request()?;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, target.basic().clone());
    // Said at once, so that another app's client is refused here and not at its first question.
    if let Ok(app) = HeaderValue::from_str(app.as_str()) {
        headers.insert(HeaderName::from_static("misario-app"), app);
    }
    let subprotocol = HeaderName::from_static("sec-websocket-protocol");
    headers.insert(subprotocol, HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
    // Acknowledgements are small and a barrier waits for each: they must not be held back to be sent with others.
    let (socket, _) = tokio_tungstenite::connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

fn read(received: Option<Result<Message, tungstenite::Error>>) -> Result<Option<ParentFrame>, FeedError> {
    match received {
        None => Err(FeedError::Closed),
        Some(message) => match message? {
            Message::Binary(octets) => Ok(Some(ParentFrame::decode(&octets)?)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
            Message::Text(_) => Err(FeedError::Unexpected { frame: "text" }),
            Message::Close(_) => Err(FeedError::Closed),
        },
    }
}

async fn send(socket: &mut Socket, frame: &ReplicaFrame) -> Result<(), FeedError> {
    let message = Message::Binary(Bytes::from(frame.encode()?));
    tokio::time::timeout(PATIENCE, socket.send(message)).await.map_err(|_| STUCK)??;
    Ok(())
}

/// Twice as long after each failure in a row, with jitter, so that those who were cut off together do not all come
/// back together.
fn pause(failures: u32, entropy: &dyn Entropy) -> Duration {
    let (shortest, longest) = PAUSE;
    let bound = shortest.saturating_mul(1 << failures.min(6)).min(longest);
    Duration::from_millis(bound / 2 + below(entropy, bound / 2 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counting;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let entropy = Counting::default();
        let longest = |failures| (0..50).map(|_| pause(failures, &entropy)).max().unwrap();
        assert!(longest(0) <= Duration::from_millis(50));
        assert!(longest(3) > longest(0));
        assert!((0..100).all(|failures| pause(failures, &entropy) <= Duration::from_secs(2)));
        assert!((0..100).all(|failures| pause(failures, &entropy) >= Duration::from_millis(25)));
    }

    #[tokio::test]
    async fn an_answer_reaches_who_asked_and_only_once() {
        let mut asked = Asked::default();
        let (answer, answered) = oneshot::channel();
        let frame = asked.put(Put { body: Body::new(b"?".to_vec()), answer }).unwrap();
        let ReplicaFrame::Ask { request, .. } = frame else { panic!("{frame:?}") };
        asked.answered(request + 1, Body::new(b"other".to_vec()));
        asked.answered(request, Body::new(b"!".to_vec()));
        asked.answered(request, Body::new(b"again".to_vec()));
        assert_eq!(answered.await.unwrap().as_bytes(), b"!");
        assert!(asked.waiting.is_empty());
    }

    #[test]
    fn nobody_asks_for_who_gave_up() {
        let mut asked = Asked::default();
        let (answer, answered) = oneshot::channel();
        drop(answered);
        assert!(asked.put(Put { body: Body::new(Vec::new()), answer }).is_none());
    }
}
