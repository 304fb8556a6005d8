//! The feed, from a follower that is hostile or broken: what it says of others' logins, in others' names, out of turn.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use misario_core::app::Transport;
use misario_core::changes::frame::{Body, FEED_VERSION, ParentFrame, ReplicaFrame, Use};
use misario_core::changes::{Nonce, Position};
use misario_core::client::Right;
use misario_core::id::{AppId, ReplicaId};
use misario_core::refresh::Generation;
use misario_server::serve;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{Call, Host, basic};

const WITHIN: Duration = Duration::from_secs(20);
const NONCE: Nonce = Nonce::from_bytes([9; 16]);

/// A server on a port, and where.
async fn listening(host: &Host) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, host.router(), std::future::pending()));
    format!("ws://{address}/v1/feed")
}

/// A follower's end of a connection, frame by frame.
struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: ReplicaId,
}

impl Line {
    /// A connection that has said nothing.
    async fn open(url: &str, client: &str, secret: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", basic(client, secret).parse().unwrap());
        request.headers_mut().insert("sec-websocket-protocol", "misario.feed.v1".parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self { socket, id: ReplicaId::from_bytes([1; 16]) }
    }

    /// A connection that was greeted; the position of its snapshot.
    async fn follow(url: &str, client: &str, secret: &str) -> (Self, Position) {
        let mut line = Self::open(url, client, secret).await;
        line.hello(FEED_VERSION).await;
        loop {
            if let ParentFrame::Snapshot { position, more: false, .. } = line.next().await {
                return (line, position);
            }
        }
    }

    async fn send(&mut self, frame: &ReplicaFrame) {
        self.send_message(Message::Binary(Bytes::from(frame.encode().unwrap()))).await;
    }

    async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    async fn hello(&mut self, version: u32) {
        self.send(&ReplicaFrame::Hello { version, id: self.id, resume: None }).await;
    }

    async fn next(&mut self) -> ParentFrame {
        loop {
            match tokio::time::timeout(WITHIN, self.socket.next()).await.unwrap().unwrap().unwrap() {
                Message::Binary(octets) => return ParentFrame::decode(&octets).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whatever was sent before is dealt with when this returns.
    async fn settled(&mut self) {
        self.send(&ReplicaFrame::Ask {
            request: 7,
            body: Body::new(
                json!({ "ask": "credential", "app": "web", "credential": "x", "verdict": true, "renewed": false })
                    .to_string()
                    .into_bytes(),
            ),
        })
        .await;
        while !matches!(self.next().await, ParentFrame::Answer { request: 7, .. }) {}
    }

    /// The code with which the authority ends the connection. A lease on the way there is a failure.
    async fn ended(mut self) -> String {
        loop {
            match self.next().await {
                ParentFrame::Bye { code } => return code,
                ParentFrame::Grant { .. } => panic!("a lease was granted"),
                _ => {}
            }
        }
    }
}

fn used(app: &str, sid: &str, host: &Host, generation: Option<u32>) -> ReplicaFrame {
    let used = Use { sid: sid.parse().unwrap(), at: host.clock.now(), generation: generation.map(Generation) };
    ReplicaFrame::Seen { app: AppId::new(app).unwrap(), uses: vec![used] }
}

#[tokio::test]
async fn a_client_keeps_no_login_of_another_app_alive() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let (own, other) =
        (host.client("web", Some("web"), &[Right::Feed]).await, host.client("spa", Some("spa"), &[Right::Feed]).await);
    let [mut kept, mut left] =
        [host.login("web", Transport::Bearer, "s1").await, host.login("web", Transport::Bearer, "s2").await];
    host.pass(1_000).await;
    let (mut web, _) = Line::follow(&url, "web", &own).await;
    web.send(&used("web", &kept.sid, &host, None)).await;
    web.settled().await;
    let (mut spa, _) = Line::follow(&url, "spa", &other).await;
    for app in ["web", "spa", "nope"] {
        spa.send(&used(app, &left.sid, &host, None)).await;
    }
    spa.settled().await;
    host.pass(900).await;
    kept.me(&host).await.expect(200);
    assert_eq!(left.me(&host).await.told(), (401, "invalid_token".to_owned()), "idle since its sign-in");
}

/// Whoever could mark another app's refresh tokens as used could make honest clients look like thieves.
#[tokio::test]
async fn a_client_marks_no_refresh_token_of_another_app() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let (own, other) =
        (host.client("spa", Some("spa"), &[Right::Feed]).await, host.client("web", Some("web"), &[Right::Feed]).await);
    for (client, secret, status) in [("web", &other, 200), ("spa", &own, 401)] {
        let held = host.login("spa", Transport::Bearer, "s1").await;
        let lost = async || {
            let shown = json!({ "refresh_token": held.refresh });
            Call::post("/v1/refresh").app("spa").json(&shown).send(&host).await
        };
        lost().await.expect(200);
        let (mut line, _) = Line::follow(&url, client, secret).await;
        for app in ["spa", client] {
            line.send(&used(app, &held.sid, &host, Some(2))).await;
        }
        line.settled().await;
        host.pass(10).await;
        assert_eq!(lost().await.status, status, "reported by {client}");
    }
}

#[tokio::test]
async fn a_client_that_was_disabled_before_it_said_hello_gets_no_lease() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let secret = host.client("web", Some("web"), &[Right::Feed]).await;
    let mut line = Line::open(&url, "web", &secret).await;
    host.admin("POST", "/admin/v1/clients/web/disable", json!({})).await.expect(200);
    line.hello(FEED_VERSION).await;
    line.send(&ReplicaFrame::Renew { id: line.id, nonce: NONCE, applied: Position::ZERO }).await;
    assert_eq!(line.ended().await, "follower_client_revoked");
}

/// A follower that is told need not find out by silence, and has every change that the authority had.
#[tokio::test]
async fn a_server_that_stops_says_so() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let secret = host.client("web", Some("web"), &[Right::Feed]).await;
    let (line, _) = Line::follow(&url, "web", &secret).await;
    host.server.shutdown().await;
    assert_eq!(line.ended().await, "server_stopping");
}

#[tokio::test]
async fn whoever_breaks_the_rules_of_the_feed_is_told_which() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let secret = host.client("web", Some("web"), &[Right::Feed]).await;
    let (mut good, position) = Line::follow(&url, "web", &secret).await;
    good.id = ReplicaId::from_bytes([2; 16]);
    good.send(&ReplicaFrame::Renew { id: good.id, nonce: NONCE, applied: position }).await;

    let mut line = Line::open(&url, "web", &secret).await;
    line.hello(FEED_VERSION + 1).await;
    assert_eq!(line.ended().await, "follower_version");
    let mut line = Line::open(&url, "web", &secret).await;
    line.send(&ReplicaFrame::Leave { id: line.id }).await;
    assert_eq!(line.ended().await, "follower_unexpected", "before it said who it is");

    let octets = |octets: &[u8]| Message::Binary(Bytes::copy_from_slice(octets));
    let frame = |frame: &ReplicaFrame| octets(&frame.encode().unwrap());
    let beyond = Position { sequence: position.sequence + 1_000, ..position };
    let id = ReplicaId::from_bytes([1; 16]);
    for (message, code) in [
        (octets(b"garbage"), "follower_malformed"),
        (octets(&[]), "follower_malformed"),
        (octets(&[1, 0x82, 0x18, 0x63, 0x80]), "follower_malformed"),
        (Message::text("hello"), "follower_unexpected"),
        (frame(&ReplicaFrame::Hello { version: FEED_VERSION, id, resume: None }), "follower_unexpected"),
        (frame(&ReplicaFrame::Ask { request: 1, body: Body::new(b"{}".to_vec()) }), "follower_question"),
        (frame(&ReplicaFrame::Renew { id, nonce: NONCE, applied: beyond }), "follower_unsent"),
    ] {
        let (mut line, _) = Line::follow(&url, "web", &secret).await;
        line.send_message(message).await;
        assert_eq!(line.ended().await, code);
    }

    let stranger = host.client("spa", Some("spa"), &[Right::Feed]).await;
    for frame in
        [ReplicaFrame::Renew { id: good.id, nonce: NONCE, applied: position }, ReplicaFrame::Leave { id: good.id }]
    {
        let (mut line, _) = Line::follow(&url, "spa", &stranger).await;
        line.send(&frame).await;
        assert_eq!(line.ended().await, "follower_of_another_client");
    }
    good.settled().await;
}

/// What was opened with a secret that is dropped ends with it, also between the upgrade and the first word.
#[tokio::test]
async fn a_secret_that_was_dropped_before_hello_gets_no_lease() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let secret = host.client("web", Some("web"), &[Right::Feed]).await;
    let mut line = Line::open(&url, "web", &secret).await;
    host.admin("POST", "/admin/v1/clients/web/rotate", json!({ "drop_old": true })).await.expect(200);
    line.hello(FEED_VERSION).await;
    line.send(&ReplicaFrame::Renew { id: line.id, nonce: NONCE, applied: Position::ZERO }).await;
    assert_eq!(line.ended().await, "follower_client_revoked");
}

/// One app in the wrong hands must not take the places of all others.
#[tokio::test]
async fn a_connection_renews_the_leases_of_few_replicas() {
    let host = Host::start().await;
    let url = listening(&host).await;
    let secret = host.client("web", Some("web"), &[Right::Feed]).await;
    let (mut line, position) = Line::follow(&url, "web", &secret).await;
    let id = |n: u8| ReplicaId::from_bytes([n; 16]);
    for n in 0..100 {
        // Who says that the one before has left may go on under another id.
        line.send(&ReplicaFrame::Renew { id: id(n), nonce: NONCE, applied: position }).await;
        line.send(&ReplicaFrame::Leave { id: id(n) }).await;
    }
    line.settled().await;
    for n in 100..117 {
        line.send(&ReplicaFrame::Renew { id: id(n), nonce: NONCE, applied: position }).await;
    }
    let mut granted = 0;
    loop {
        match line.next().await {
            ParentFrame::Grant { .. } => granted += 1,
            ParentFrame::Bye { code } => break assert_eq!((granted, code.as_str()), (16, "follower_ids")),
            _ => {}
        }
    }
}
