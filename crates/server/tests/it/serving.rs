//! On a real connection, plain HTTP on a loopback address, as `dev` runs: limits, cookies without `Secure`, a stop that
//! finishes what is under way.

use std::sync::Arc;
use std::time::Duration;

use misario_core::app::{App, Mode};
use misario_core::id::AppId;
use misario_server::serve;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::{Host, PASSWORD, TRANSPORTS};

struct Serving {
    host: Arc<Host>,
    origin: String,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

async fn serving() -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let host = Host::with(|setup| {
        setup.config.issuer.clone_from(&origin);
        for setting in &mut setup.config.apps {
            let id = AppId::new(setting.app.id.as_str()).unwrap();
            setting.app = App::new(id, Mode::Session, &TRANSPORTS, vec![origin.parse().unwrap()]);
        }
    });
    let host = Arc::new(host.await);
    let (stop, stopped) = oneshot::channel();
    let router = host.router();
    let done = tokio::spawn(async move {
        serve(listener, router, async { drop(stopped.await) }).await.unwrap();
    });
    Serving { host, origin, stop, done }
}

impl Serving {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.origin.trim_start_matches("http://")).await.unwrap()
    }
}

fn request(line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String =
        headers.iter().fold(String::new(), |all, (name, value)| all + &format!("{name}: {value}\r\n"));
    format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// Sends, and reads one answer: head and body.
async fn talk(stream: &mut TcpStream, text: &str) -> (String, String) {
    // A server that refuses a head does not wait for the rest of it.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut read = Vec::new();
    let answer = async {
        loop {
            let mut piece = [0; 4_096];
            let count = stream.read(&mut piece).await.unwrap_or(0);
            read.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&read).to_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                if count == 0 || body.len() >= length.and_then(|length| length.trim().parse().ok()).unwrap_or(0) {
                    return (head.to_owned(), body.to_owned());
                }
            } else if count == 0 {
                return (text, String::new());
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_on_plain_loopback_gets_cookies_that_it_keeps() {
    let serving = serving().await;
    serving.host.user("alice").await;
    let mut stream = serving.connect().await;
    let sent = json!({ "username": "alice", "password": PASSWORD, "transport": "cookie" }).to_string();
    let headers = [("content-type", "application/json"), ("misario-app", "web"), ("origin", serving.origin.as_str())];
    let (head, body) = talk(&mut stream, &request("POST /v1/login", &headers, &sent)).await;
    assert!(head.starts_with("http/1.1 200"), "{head} {body}");
    let line = head.lines().find(|line| line.starts_with("set-cookie: misario-web=")).unwrap();
    assert!(!line.contains("secure") && line.contains("; httponly; samesite=lax"), "{line}");
    assert!(!head.contains("strict-transport-security"), "no TLS is promised where there is none");
    let sessions = serving.host.store.sessions().await;
    assert_eq!(sessions[0].device.network, "", "on this machine may be a proxy: it is nobody's own address");
    let (head, _) = talk(&mut stream, &request("GET /healthz", &[], "")).await;
    assert!(head.starts_with("http/1.1 200"), "the same connection goes on: {head}");
}

/// D02.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_and_a_body_have_limits_on_the_wire() {
    let serving = serving().await;
    let long = "a".repeat(64 * 1024);
    let (head, _) = talk(&mut serving.connect().await, &request("GET /healthz", &[("x-long", &long)], "")).await;
    assert!(head.starts_with("http/1.1 431"), "{head}");
    let chunks = format!(
        "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        long.len() + 1,
        format_args!("{long}a"),
    );
    let (head, body) = talk(&mut serving.connect().await, &chunks).await;
    assert!(head.starts_with("http/1.1 413"), "{head} {body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_is_under_way_and_takes_nothing_new() {
    let serving = serving().await;
    let Serving { stop, done, ref origin, .. } = serving;
    let mut stream = TcpStream::connect(origin.trim_start_matches("http://")).await.unwrap();
    let body = json!({ "app": "web", "username": "nobody", "password": PASSWORD }).to_string();
    let whole = request("POST /v1/login", &[("content-type", "application/json")], &body);
    let (first, rest) = whole.split_at(whole.len() - 5);
    stream.write_all(first.as_bytes()).await.unwrap();
    // An answer on another connection shows that the server had its turn with the first.
    talk(
        &mut TcpStream::connect(origin.trim_start_matches("http://")).await.unwrap(),
        &request("GET /healthz", &[], ""),
    )
    .await;
    stop.send(()).unwrap();
    let (head, body) = talk(&mut stream, rest).await;
    assert!(head.starts_with("http/1.1 401"), "{head} {body}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["code"], "invalid_credentials");
    tokio::time::timeout(Duration::from_secs(20), done).await.unwrap().unwrap();
    assert!(TcpStream::connect(origin.trim_start_matches("http://")).await.is_err());
}
