//! What a demonstration needs on the server: its apps, its user, a client for each app. Made once, used again by the next
//! run; between runs nobody can sign in with any of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use misario_core::secret::SecretText;
use misario_tower::OsEntropy;
use serde_json::{Value, json};

use crate::admin::{Admin, Target, answer, segment};
use crate::cli::Context;
use crate::data::dev_file;
use crate::data::run_file::Credential;
use crate::failure::CliError;
use crate::http::{Base, Call, HttpClient, Reply};

/// The user that demonstrations sign in.
const USER: &str = "demo";

/// A server prepared for demonstrations.
pub(super) struct Stage {
    /// Administration.
    pub(super) admin: Admin,
    /// Requests of users.
    pub(super) http: HttpClient,
    /// Where the server is.
    pub(super) base: Base,
    password: SecretText,
    /// The clients whose secrets this run knows.
    clients: Mutex<BTreeSet<String>>,
}

impl Stage {
    /// Prepares the server that is meant.
    pub(super) async fn set(target: &Target, context: &Context) -> anyhow::Result<Self> {
        let admin = target.connect_running(context).await?;
        let base = admin.base().cloned().ok_or(CliError::Usage {
            what: "a demonstration needs a server that listens".to_owned(),
            fix: "start one with `misario dev`",
        })?;
        let password = user(&admin).await?;
        Ok(Self { admin, http: HttpClient::new(), base, password, clients: Mutex::default() })
    }

    /// Leaves nothing that anybody could sign in with: the user is disabled, and what the clients' secrets become is
    /// forgotten. Everything is tried, whatever fails.
    pub(super) async fn leave(self) -> Result<(), CliError> {
        let clients = self.clients.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut left = Ok(());
        for id in &clients {
            left = left.and(rotate(&self.admin, id).await.map(drop));
        }
        let disabled = self.admin.post(&format!("/admin/v1/users/{}/disable", segment(USER)), &json!({})).await;
        self.admin.close().await;
        left.and(disabled.map(drop))
    }

    /// A client of this app, and of no other, with the rights `feed` and `issue`.
    pub(super) async fn client(&self, app: &str) -> Result<Credential, CliError> {
        // Before it is made: one that was made and not heard of is left behind like any other.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(app.to_owned());
        let body = json!({ "id": app, "app": app, "rights": ["feed", "issue"] });
        let made = match self.admin.post("/admin/v1/clients", &body).await {
            // Nobody knows the secret of the run before, and nobody shall.
            Err(CliError::Refused { status: 409, .. }) => rotate(&self.admin, app).await?,
            other => other?,
        };
        let secret = SecretText::new(made["secret"].as_str().unwrap_or_default().to_owned());
        Ok(Credential { id: app.to_owned(), secret })
    }

    /// The app `id`, in this mode and with these transports and other settings.
    pub(super) async fn app(&self, id: &str, mode: &str, transports: &[&str], rest: &Value) -> anyhow::Result<()> {
        let origins = [self.base.as_str()];
        let body = json!({ "id": id, "mode": mode, "transports": transports, "origins": origins });
        match self.admin.post("/admin/v1/apps", &body).await {
            Ok(_) | Err(CliError::Refused { status: 409, .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut settings = json!({ "mode": mode, "transports": transports, "origins": origins });
        if let (Value::Object(settings), Value::Object(rest)) = (&mut settings, rest) {
            settings.extend(rest.clone());
        }
        self.admin.patch(&format!("/admin/v1/apps/{id}"), &settings).await?;
        Ok(())
    }

    /// Signs the demo user in with their password.
    pub(super) async fn sign_in(&self, app: &str, transport: &str) -> Result<Reply, CliError> {
        let body = json!({
            "app": app, "username": USER, "password": self.password.expose(), "transport": transport,
        });
        self.http.send(&self.base, Call::post("/v1/login", &body)).await
    }

    /// Starts a login for somebody whom the app of this client has authenticated itself.
    pub(super) async fn start_login(
        &self,
        client: &Credential,
        subject: &str,
        transport: &str,
    ) -> Result<Reply, CliError> {
        let body = json!({ "subject": subject, "transport": transport, "amr": ["demo"] });
        self.http.send(&self.base, Call::post("/v1/sessions", &body).client(client)).await
    }

    /// The JSON of a successful answer.
    pub(super) fn json(&self, reply: &Reply) -> Result<Value, CliError> {
        answer(self.base.as_str(), reply)
    }

    /// Ends everything that `target` names, everywhere, and says what the barrier says.
    pub(super) async fn revoke(&self, target: &Value) -> Result<Value, CliError> {
        self.admin.post("/admin/v1/revoke", &json!({ "target": target, "wait": true })).await
    }
}

/// Another secret, with which every earlier one ends, and what was opened with it.
async fn rotate(admin: &Admin, client: &str) -> Result<Value, CliError> {
    admin.post(&format!("/admin/v1/clients/{}/rotate", segment(client)), &json!({ "drop_old": true })).await
}

async fn user(admin: &Admin) -> Result<SecretText, CliError> {
    let password = SecretText::new(dev_file::password(&OsEntropy));
    let body = json!({ "username": USER, "password": password.expose() });
    match admin.post("/admin/v1/users", &body).await {
        Err(CliError::Refused { status: 409, .. }) => {
            let path = format!("/admin/v1/users/{}", segment(USER));
            admin.post(&format!("{path}/password"), &json!({ "password": password.expose() })).await?;
            admin.post(&format!("{path}/enable"), &json!({})).await?;
        }
        other => drop(other?),
    }
    Ok(password)
}
