//! `GET /v1/feed`: the change log for verifiers in other processes, over WebSocket, with leases and questions.
//!
//! One task per connection, one order of frames: a follower is sent changes before a grant that names them. A follower
//! that does not read, or says nothing for longer than a lease, is let go; its lease runs out by itself.

mod ended;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use http::HeaderMap;
use misario_core::authn::Touch;
use misario_core::changes::frame::{Body, FEED_VERSION, MAX_FRAME, ParentFrame, ReplicaFrame, Use};
use misario_core::changes::{Change, ChangeKind, CodecError, Nonce, Position, Target};
use misario_core::client::{Client, Right};
use misario_core::id::{AppId, ReplicaId};
use misario_tower::feed::{AnswerBody, AskBody, QUESTIONS, SUBPROTOCOL};
use tokio::sync::mpsc;

pub use ended::FeedEnded;

use super::policy::{Caller, ShownAt};
use super::problem::{Fail, missing};
use crate::error::{Error, InputFault, InternalFault};
use crate::instance::{Instance, millis};

/// How long a frame may take to be written: a follower that does not read holds up nobody but itself.
const SEND: Duration = Duration::from_secs(5);

/// Incarnations of one follower within one connection, beyond those that said that they left.
const IDS: usize = 16;

pub(super) async fn feed(
    State(instance): State<Arc<Instance>>,
    axum::Extension(caller): axum::Extension<Caller>,
    axum::Extension(ShownAt(shown_at)): axum::Extension<ShownAt>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Fail> {
    let Caller::Client(client) = caller else { return Err(missing().into()) };
    // None of its questions would be answered, and it would look as if nobody could be told apart.
    if is_of_another_app(&instance, &client, &headers) {
        return Err(InputFault::RightMissing { right: Right::Feed.name() }.into());
    }
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME);
    Ok(upgrade.on_upgrade(async move |socket| {
        let mut line = Line { instance, client, shown_at, socket, sent: Position::ZERO, ids: BTreeSet::new() };
        if let Err(why) = line.run().await {
            tracing::info!(client = %line.client.id, code = why.code(), "a follower's connection ended: {why}");
            let _ = line.send(&ParentFrame::Bye { code: why.code().to_owned() }).await;
        }
    }))
}

/// Whether the follower protects an app, of those that there are, which the client may not ask about.
fn is_of_another_app(instance: &Instance, client: &Client, headers: &HeaderMap) -> bool {
    let app = headers.get("misario-app").and_then(|app| AppId::new(app.to_str().ok()?).ok());
    app.is_some_and(|app| instance.app(&app).is_ok() && !client.may(Right::Feed, Some(&app)))
}

/// One follower's connection.
struct Line {
    instance: Arc<Instance>,
    client: Box<Client>,
    /// What this node had applied before the client showed its secret.
    shown_at: Position,
    socket: WebSocket,
    /// What the follower was sent.
    sent: Position,
    /// The incarnations that it renewed leases of.
    ids: BTreeSet<ReplicaId>,
}

impl Line {
    async fn run(&mut self) -> Result<(), FeedEnded> {
        let patience = (self.instance.node.ttl() * 2).max(Duration::from_secs(5));
        self.greet(patience).await?;
        // A client that was disabled between its upgrade and here finds its own end in no entry that is sent later.
        if !self.instance.may_still_feed(&self.client.id, self.shown_at).await? {
            return Err(FeedEnded::ClientRevoked);
        }
        let (mut applied, mut closing) = (self.instance.node.applied(), self.instance.node.closing());
        let (answers, mut answered) = mpsc::unbounded_channel::<ParentFrame>();
        let mut open_questions = 0_usize;
        loop {
            // Changes before anything else: a grant must never overtake the entries that it names.
            self.send_changes().await?;
            if *closing.borrow_and_update() {
                return Err(FeedEnded::Stopping);
            }
            tokio::select! {
                // With too many open questions nothing more is read: a flood fills its own line and nothing else.
                received = tokio::time::timeout(patience, receive(&mut self.socket)), if open_questions < QUESTIONS => {
                    match received.map_err(|_| FeedEnded::Silent)?? {
                        ReplicaFrame::Renew { id, nonce, applied } => self.renew(id, nonce, applied).await?,
                        ReplicaFrame::Ask { request, body } => {
                            open_questions += 1;
                            self.ask(request, &body, &answers)?;
                        }
                        ReplicaFrame::Seen { app, uses } => self.seen(&app, &uses),
                        // Of an incarnation; the process may go on as another one.
                        ReplicaFrame::Leave { id } => {
                            self.instance.follower_left(id, &self.client.id)?;
                            self.ids.remove(&id);
                        }
                        // A second greeting, or a kind of frame that this server was not made for.
                        _ => return Err(FeedEnded::Unexpected),
                    }
                }
                Some(answer) = answered.recv() => {
                    open_questions -= 1;
                    self.send(&answer).await?;
                }
                // This line keeps the node, and with it both senders.
                _ = applied.changed() => {}
                _ = closing.changed() => {}
            }
        }
    }

    async fn greet(&mut self, patience: Duration) -> Result<(), FeedEnded> {
        let hello =
            tokio::time::timeout(patience, receive(&mut self.socket)).await.map_err(|_| FeedEnded::Silent)??;
        let ReplicaFrame::Hello { version, resume, .. } = hello else { return Err(FeedEnded::Unexpected) };
        if version != FEED_VERSION {
            return Err(FeedEnded::Version { found: version });
        }
        let config = &self.instance.config;
        let welcome = ParentFrame::Welcome {
            version: FEED_VERSION,
            ttl_ms: millis(self.instance.node.ttl()),
            issuer: config.issuer.clone(),
            leeway_secs: config.leeway,
        };
        self.send(&welcome).await?;
        let replica_keys: Vec<_> = self.instance.keys.replica().iter().cloned().collect();
        if let Some((after, entries)) = resumable(&self.instance, resume).await? {
            self.send(&ParentFrame::Keys { replica_keys }).await?;
            self.sent = after;
            return self.send_entries(&entries).await;
        }
        let (position, changes) = self.instance.snapshot().await?;
        let frames = ParentFrame::snapshot(position, &changes, &replica_keys);
        for frame in frames.map_err(|error| unwritable(&error))? {
            self.send_octets(frame).await?;
        }
        self.sent = position;
        Ok(())
    }

    async fn send_changes(&mut self) -> Result<(), FeedEnded> {
        loop {
            let head = *self.instance.node.applied().borrow();
            if self.sent >= head {
                return Ok(());
            }
            let entries = self.instance.changes_after(self.sent).await?;
            // Pruned while it was on its way: it comes back and starts from a snapshot.
            let entries = entries.ok_or(FeedEnded::Behind)?;
            if entries.is_empty() {
                return Ok(());
            }
            self.send_entries(&entries).await?;
        }
    }

    async fn send_entries(&mut self, entries: &[Change]) -> Result<(), FeedEnded> {
        let Some(last) = entries.last().map(|change| change.position) else { return Ok(()) };
        for frame in ParentFrame::changes(self.sent, entries).map_err(|error| unwritable(&error))? {
            self.send_octets(frame).await?;
        }
        self.sent = last;
        // It was told like everybody; from here on it is nobody.
        let is_own_end = |change: &Change| matches!(&change.kind, ChangeKind::Revoked { target: Target::Client(id), .. } if *id == self.client.id);
        if entries.iter().any(is_own_end) { Err(FeedEnded::ClientRevoked) } else { Ok(()) }
    }

    async fn renew(&mut self, id: ReplicaId, nonce: Nonce, applied: Position) -> Result<(), FeedEnded> {
        // What was never sent cannot have been applied; whoever says so is broken or lies, and gets no lease.
        if applied > self.sent {
            return Err(FeedEnded::Unsent);
        }
        // A replica starts again under another id now and then; one that does so all the time takes the others' places.
        if self.ids.insert(id) && self.ids.len() > IDS {
            return Err(FeedEnded::Ids);
        }
        let grant = self.instance.grant(id, applied, &self.client.id)?;
        // The head may be ahead of what was sent: the follower then waits for the entries, which come next.
        let frame = ParentFrame::Grant { nonce, ttl_ms: millis(grant.ttl), head: grant.head };
        self.send_changes().await?;
        self.send(&frame).await
    }

    fn ask(&self, request: u64, body: &Body, answers: &mpsc::UnboundedSender<ParentFrame>) -> Result<(), FeedEnded> {
        let asked = AskBody::decode(body.as_bytes()).map_err(|_| FeedEnded::Question)?;
        // A client of one app learns nothing of another's logins.
        let allowed = self.client.may(Right::Feed, Some(asked.app()));
        let (instance, answers) = (Arc::clone(&self.instance), answers.clone());
        tokio::spawn(async move {
            let answer = if allowed {
                AnswerBody::by(instance.guard().authority().as_ref(), asked).await
            } else {
                AnswerBody::not_allowed()
            };
            // The line may be gone by now, and with it whoever asked.
            let _ = answers.send(ParentFrame::Answer { request, body: Body::new(answer.encode()) });
        });
        Ok(())
    }

    fn seen(&self, app: &AppId, uses: &[Use]) {
        // Who speaks for one app says nothing about the logins of another. What is no app has no logins.
        if !self.client.may(Right::Feed, Some(app)) || self.instance.app(app).is_err() {
            return;
        }
        let memory = self.instance.memory().read();
        let now = self.instance.clock.wall();
        for used in uses {
            // A follower's clock that is ahead must not keep a login alive.
            memory.touches().note(app, used.sid, Touch { at: used.at.min(now), generation: used.generation });
        }
    }

    async fn send(&mut self, frame: &ParentFrame) -> Result<(), FeedEnded> {
        let octets = frame.encode().map_err(|error| unwritable(&error))?;
        self.send_octets(octets).await
    }

    async fn send_octets(&mut self, octets: Vec<u8>) -> Result<(), FeedEnded> {
        let message = Message::Binary(Bytes::from(octets));
        let sent = tokio::time::timeout(SEND, self.socket.send(message)).await;
        sent.map_err(|_| FeedEnded::Slow)?.map_err(|_| FeedEnded::Lost)
    }
}

/// What a follower that kept its view has missed, if the log still has it.
async fn resumable(
    instance: &Instance,
    resume: Option<Position>,
) -> Result<Option<(Position, Vec<Change>)>, FeedEnded> {
    let Some(after) = resume else { return Ok(None) };
    // A view that is ahead of this log is of another log: nothing of it can be kept.
    if after > *instance.node.applied().borrow() {
        return Ok(None);
    }
    let entries = instance.changes_after(after).await?;
    Ok(entries.map(|entries| (after, entries)))
}

/// What cannot be written as a frame is in the log, and damaged there.
fn unwritable(error: &CodecError) -> FeedEnded {
    tracing::error!(code = error.code(), "a change cannot be sent");
    Error::from(InternalFault::Record { what: "change log" }).into()
}

async fn receive(socket: &mut WebSocket) -> Result<ReplicaFrame, FeedEnded> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Binary(octets))) => return ReplicaFrame::decode(&octets).map_err(FeedEnded::Malformed),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_))) => return Err(FeedEnded::Unexpected),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(FeedEnded::Lost),
        }
    }
}
