//! A connection that can be cut, held up and pointed elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It arrives.
    Open,
    /// It arrives that much later.
    Slow(Duration),
    /// Nothing arrives and nobody is told; it arrives when the line is open again.
    Silent,
    /// Connections break, and are refused.
    Cut,
}

/// A TCP proxy in this process.
pub(crate) struct Proxy {
    pub(crate) url: String,
    line: watch::Sender<Line>,
    upstream: Arc<watch::Sender<SocketAddr>>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy to the server at `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let (line, lines) = watch::channel(Line::Open);
        let upstream = Arc::new(watch::Sender::new(address(url)));
        let to = Arc::clone(&upstream);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if *lines.borrow() != Line::Cut {
                    tokio::spawn(join(stream, *to.borrow(), lines.clone()));
                }
            }
        });
        Self { url: own, line, upstream, task }
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// New connections go to the server at `url`.
    pub(crate) fn point_to(&self, url: &str) {
        self.upstream.send_replace(address(url));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.send_replace(Line::Cut);
        self.task.abort();
    }
}

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

async fn join(client: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (there, back) = (line.clone(), line.clone());
    tokio::select! {
        () = pump(from_client, to_server, there) => {}
        () = pump(from_server, to_client, back) => {}
        () = cut(&mut line) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let Ok(state) = line.wait_for(|line| *line != Line::Silent).await.map(|line| *line) else { return };
        if let Line::Slow(delay) = state {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn cut(line: &mut watch::Receiver<Line>) {
    // A proxy that is gone cuts as well.
    drop(line.wait_for(|line| *line == Line::Cut).await);
}
