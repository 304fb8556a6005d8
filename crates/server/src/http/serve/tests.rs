use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const TIGHT: Limits = Limits { head: Duration::from_millis(100), idle: Duration::from_millis(300), connections: 4 };
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// A server that answers with the peer's address.
async fn server(limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()));
    tokio::spawn(serve_within(limits, listener, router, std::future::pending()));
    address
}

async fn connected(address: SocketAddr, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

/// What comes until the server closes the connection.
async fn received(mut stream: TcpStream) -> String {
    let mut octets = Vec::new();
    // A server that closes while something unread lies in its buffer resets the connection.
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut octets));
    let _ = read.await.expect("the server keeps the connection open");
    String::from_utf8_lossy(&octets).into_owned()
}

#[tokio::test]
async fn a_handler_is_told_the_peer() {
    let stream = connected(server(LIMITS).await, REQUEST).await;
    let own = stream.local_addr().unwrap().to_string();
    let answer = received(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&own), "{answer}");
}

#[tokio::test]
async fn who_does_not_get_to_a_request_is_let_go() {
    let address = server(TIGHT).await;
    for sent in ["", "P", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HT"] {
        let answer = received(connected(address, sent.as_bytes()).await).await;
        assert!(!answer.contains("200"), "{sent:?}: {answer}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_and_are_served() {
    let address = server(TIGHT).await;
    let mut silent = Vec::new();
    for _ in 0..3 * TIGHT.connections {
        silent.push(connected(address, b"").await);
    }
    let answer = received(connected(address, REQUEST).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Whoever has asked once and answers pings could keep its place for ever.
#[tokio::test]
async fn a_connection_without_requests_is_closed_whatever_else_is_said_on_it() {
    let address = server(TIGHT).await;
    // The preface, empty settings, a request for `/` (indexed fields and a literal authority), then a ping every 50 ms.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    let request = b"\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x01x";
    let mut stream = connected(address, &[&preface[..], request].concat()).await;
    let pings = async {
        loop {
            let ping = b"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678";
            if stream.write_all(ping).await.is_err() {
                return;
            }
            let mut read = [0; 1_024];
            if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut read)).await {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), pings).await.expect("the server keeps the connection open");
}

/// What is made while it is sent is under way until it ends, however long that takes.
#[tokio::test]
async fn a_response_that_is_still_made_keeps_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (parts, body) = tokio::sync::mpsc::channel::<Result<Bytes, Infallible>>(1);
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let made = move || {
        let body = body.lock().unwrap().take().unwrap();
        Body::from_stream(futures_util::stream::unfold(body, async |mut body| Some((body.recv().await?, body))))
    };
    let router =
        Router::new().route("/", get(move || std::future::ready(made()))).route("/short", get(async || "short"));
    tokio::spawn(serve_within(TIGHT, listener, router, std::future::pending()));
    let answer = tokio::spawn(received(connected(address, REQUEST).await));
    let rounds = 5;
    for _ in 0..rounds {
        // Another connection is closed meanwhile for asking nothing more: five times that are more than the idle time.
        received(connected(address, b"GET /short HTTP/1.1\r\nhost: x\r\n\r\n").await).await;
        parts.send(Ok(Bytes::from_static(b"part "))).await.expect("the connection was closed under the response");
    }
    drop(parts);
    assert_eq!(answer.await.unwrap().matches("part ").count(), rounds);
}
