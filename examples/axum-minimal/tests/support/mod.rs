//! An example as its users run it: the built program, asked over HTTP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};

/// What a program prints.
pub(crate) type Said = Lines<BufReader<ChildStdout>>;

/// A running program. It is killed when this goes.
pub(crate) struct Program {
    address: SocketAddr,
    process: Child,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Cookies that it sets, without those it clears.
    pub(crate) cookies: HashMap<String, String>,
}

impl Program {
    /// Starts it in the folder; its last argument is an address that nobody listens on, and it is there when this
    /// returns. With what it prints.
    pub(crate) async fn start(path: &str, folder: &Path, arguments: &[&str]) -> (Self, Said) {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut process = Command::new(path)
            .args(arguments)
            .arg(address.to_string())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let up = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.unwrap();
        (Self { address, process }, said)
    }

    /// Kills it; returns when it is gone, and with it what it holds.
    pub(crate) async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Sends a request as a browser's script on the page's own origin does.
    pub(crate) async fn send(&self, line: &str, cookies: &HashMap<String, String>, json: Option<&str>) -> Answer {
        send(self.address, line, cookies, json).await
    }
}

async fn send(to: SocketAddr, line: &str, cookies: &HashMap<String, String>, json: Option<&str>) -> Answer {
    let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let body = json.unwrap_or_default();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nsec-fetch-site: same-origin\r\ncookie: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        pairs.join("; "),
        body.len()
    );
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let set =
        head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).filter(|line| !line.ends_with("Max-Age=0"));
    let pair = |line: &str| line.split(';').next().unwrap().split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: body.to_owned(),
        cookies: set.filter_map(pair).collect(),
    }
}

/// Signs in, is let in, signs out, and is let in no more.
pub(crate) async fn signs_in_and_out(program: &Program, password: &str) {
    let nobody = HashMap::new();
    for path in ["GET /me", "GET /payroll"] {
        assert_eq!(program.send(path, &nobody, None).await.status, 401);
    }
    let wrong = r#"{"username":"alice","password":"certainly not this","transport":"cookie"}"#;
    assert_eq!(program.send("POST /v1/login", &nobody, Some(wrong)).await.status, 401);
    let right = format!(r#"{{"username":"alice","password":"{password}","transport":"cookie"}}"#);
    let signed_in = program.send("POST /v1/login", &nobody, Some(&right)).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    let cookies = signed_in.cookies;
    assert!(program.send("GET /me", &cookies, None).await.body.contains("usr_"));
    assert_eq!(program.send("GET /payroll", &cookies, None).await.body, "salaries");
    let signed_out = program.send("POST /v1/logout", &cookies, None).await;
    assert_eq!((signed_out.status, signed_out.cookies.len()), (204, 0));
    // A sign-out keeps no browser waiting until every process knows.
    let refused = async {
        while program.send("GET /me", &cookies, None).await.status != 401 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
}
