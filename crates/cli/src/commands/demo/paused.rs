//! A revoke while the app's process stands still. It cannot be told, so the revoke waits for the end of its lease; and
//! when it goes on, it must know by its clock alone that it may not answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::second::SecondProcess;
use super::stage::Stage;
use crate::clock::{Mark, millis};
use crate::failure::CliError;
use crate::http::raw::Sent;
use crate::http::{Call, HttpClient};

/// What was seen.
pub(super) struct Paused {
    /// Whether the first answer after the stop was a refusal: 401 from an app that knows of the revoke, 503 from one that
    /// knows only that its lease is over. Any other answer, be it an error, says nothing about the promise.
    pub(super) refused: bool,
    status: u16,
    waited: Duration,
    published: Value,
}

impl Paused {
    /// For people.
    pub(super) fn text(&self) -> String {
        format!(
            "  app process stopped: the revoke returned after {} ms; the first answer after it went on: {}",
            millis(self.waited),
            self.status
        )
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "returned_ms": millis(self.waited), "first_answer": self.status, "refused": self.refused,
            "published": self.published,
        })
    }
}

/// One revoke while the process stands still.
pub(super) async fn round(stage: &Stage, second: &SecondProcess, app: &str) -> anyhow::Result<Paused> {
    let login = stage.json(&stage.sign_in(app, "bearer").await?)?;
    let call = Call::get("/private").bearer(login["access_token"].as_str().unwrap_or_default());
    let before = HttpClient::new().send(&second.base, call.clone()).await?;
    if !before.status.is_success() {
        let why = format!("answered {} before anything was revoked", before.status);
        return Err(CliError::DemoProcess { why }.into());
    }
    second.freeze().await?;
    let began = Mark::set();
    let revoked = stage.revoke(&json!({ "login": login["sid"] })).await;
    let waited = Mark::set().since(began);
    // The kernel takes the request while the process stands still, so it is there before its first thought.
    let sent = Sent::send(&second.base, &call).await;
    second.thaw()?;
    let published = revoked?;
    let reply = tokio::time::timeout(Duration::from_secs(30), sent?.read()).await;
    let reply = reply.map_err(|_| CliError::DemoProcess { why: "did not go on".to_owned() })??;
    Ok(Paused { refused: matches!(reply.status.as_u16(), 401 | 503), status: reply.status.as_u16(), waited, published })
}
