//! One request on a connection of its own, sent and read by hand: for answers that are lost, or come late, or wait for
//! a stopped process.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Base, Call, Reply};
use crate::failure::CliError;

/// The largest answer that is read.
const LIMIT: u64 = 64 * 1024;

/// A request that has been sent and whose answer nobody has read.
#[derive(Debug)]
pub(crate) struct Sent {
    stream: TcpStream,
    url: String,
}

impl Sent {
    /// Sends `call`, down to its last octet.
    pub(crate) async fn send(base: &Base, call: &Call) -> Result<Self, CliError> {
        let url = base.as_str().to_owned();
        let failed = |error: std::io::Error| CliError::Unreachable { url: url.clone(), why: error.to_string() };
        let mut stream = TcpStream::connect(base.authority()).await.map_err(failed)?;
        stream.write_all(&octets(base, call)).await.map_err(failed)?;
        Ok(Self { stream, url })
    }

    /// Waits until the answer has begun to arrive, without reading it. Dropped after this, the answer is lost, and the
    /// server cannot know.
    pub(crate) async fn answered(&self) -> Result<(), CliError> {
        self.stream.readable().await.map_err(|error| self.failed(error.to_string()))
    }

    /// Reads the answer.
    pub(crate) async fn read(mut self) -> Result<Reply, CliError> {
        let mut octets = Vec::new();
        let read = (&mut self.stream).take(LIMIT).read_to_end(&mut octets).await;
        read.map_err(|error| self.failed(error.to_string()))?;
        parse(&octets).ok_or_else(|| self.failed("the answer is no HTTP".to_owned()))
    }

    fn failed(&self, why: String) -> CliError {
        CliError::Unreachable { url: self.url.clone(), why }
    }
}

fn octets(base: &Base, call: &Call) -> Vec<u8> {
    let mut text = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
        call.method,
        call.path,
        base.authority(),
        call.body.len()
    )
    .into_bytes();
    for (name, value) in &call.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(&call.body);
    text
}

/// An answer whose body ends with the connection, which is what `connection: close` asks for.
fn parse(octets: &[u8]) -> Option<Reply> {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(octets.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse::<u16>().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?);
    }
    let body = Bytes::copy_from_slice(octets.get(end + 4..)?);
    Some(Reply { status: StatusCode::from_u16(status).ok()?, headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_sent() {
        let reply = parse(b"HTTP/1.1 401 Unauthorized\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n{}").unwrap();
        assert_eq!((reply.status.as_u16(), reply.headers.get_all("set-cookie").iter().count()), (401, 2));
        assert_eq!(reply.body, "{}");
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
