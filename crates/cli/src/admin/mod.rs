//! The server that a command works through.
//!
//! Changes go through the running server, because only its barrier makes them true everywhere before the command
//! returns. Which server: `--url` with `MISARIO_ADMIN_TOKEN(_FILE)`; else the one whose `run.json` is in the data
//! folder; else, for the embedded store and after taking its lock, a server in this process that listens nowhere.

mod direct;
mod target;

use direct::Direct;
use http::Method;
use serde_json::Value;

pub(crate) use target::Target;

use crate::data::run_file::Credential;
use crate::failure::CliError;
use crate::http::{Base, Call, HttpClient, Reply};

/// A server, and a client that may administer it.
pub(crate) struct Admin {
    wire: Wire,
    credential: Credential,
}

enum Wire {
    Http { client: Box<HttpClient>, base: Base },
    Direct(Box<Direct>),
}

impl Admin {
    /// The server at `base`, as this client.
    pub(crate) fn over_http(base: Base, credential: Credential) -> Self {
        Self { wire: Wire::Http { client: Box::new(HttpClient::new()), base }, credential }
    }

    /// A server in this process.
    fn direct(server: Direct) -> Self {
        Self { credential: server.credential().clone(), wire: Wire::Direct(Box::new(server)) }
    }

    /// The server's base URL, if it listens anywhere.
    pub(crate) fn base(&self) -> Option<&Base> {
        match &self.wire {
            Wire::Http { base, .. } => Some(base),
            Wire::Direct(_) => None,
        }
    }

    /// What `GET path` answers.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CliError> {
        self.call(Call::get(path)).await
    }

    /// What `POST path` with this JSON answers.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.call(Call::post(path, body)).await
    }

    /// What `PUT path` with this JSON answers.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.call(Call::new(Method::PUT, path).json(body)).await
    }

    /// What `PATCH path` with this JSON answers.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.call(Call::new(Method::PATCH, path).json(body)).await
    }

    async fn call(&self, call: Call) -> Result<Value, CliError> {
        let reply = self.send(call.client(&self.credential)).await?;
        answer(&self.place(), &reply)
    }

    /// The raw answer to a request that carries its own credential.
    pub(crate) async fn send(&self, call: Call) -> Result<Reply, CliError> {
        match &self.wire {
            Wire::Http { client, base } => client.send(base, call).await,
            Wire::Direct(server) => server.send(call).await,
        }
    }

    fn place(&self) -> String {
        self.base().map_or_else(|| "the store".to_owned(), |base| base.as_str().to_owned())
    }

    /// Ends the connection. A server in this process is stopped and the store's lock given back.
    pub(crate) async fn close(self) {
        match self.wire {
            Wire::Http { .. } => {}
            Wire::Direct(server) => server.close().await,
        }
    }
}

/// The JSON of a successful answer; a problem (RFC 9457) as the error it is.
pub(crate) fn answer(url: &str, reply: &Reply) -> Result<Value, CliError> {
    let status = reply.status.as_u16();
    let body = reply.json();
    if reply.status.is_success() && (!body.is_null() || reply.body.is_empty()) {
        return Ok(body);
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    match (text("code"), text("title")) {
        (Some(code), title) => {
            let title = title.unwrap_or_else(|| "the server refuses".to_owned());
            Err(CliError::Refused { status, code, title, detail: text("detail") })
        }
        (None, _) => Err(CliError::NotOurServer { url: url.to_owned(), what: reply.status.to_string() }),
    }
}

/// `text` as one segment of a path (RFC 3986 §3.3).
pub(crate) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        let status = StatusCode::from_u16(status).unwrap();
        Reply { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn a_problem_keeps_its_code() {
        let problem = reply(409, r#"{"type":"about:blank","title":"The app exists","status":409,"code":"app_exists"}"#);
        let Err(CliError::Refused { status: 409, code, title, detail: None }) = answer("http://x", &problem) else {
            panic!("a refusal");
        };
        assert_eq!((code.as_str(), title.as_str()), ("app_exists", "The app exists"));
        assert!(matches!(answer("u", &reply(200, "<html>")), Err(CliError::NotOurServer { .. })));
        assert!(matches!(answer("u", &reply(502, "")), Err(CliError::NotOurServer { .. })));
        assert_eq!(answer("u", &reply(204, "")).unwrap(), Value::Null);
    }

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(segment("../a b/é?"), "..%2Fa%20b%2F%C3%A9%3F");
    }
}
