use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const TIGHT: Limits = Limits { head: Duration::from_millis(100), connections: 4 };
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
