//! What a demonstration needs on the server: its apps, its user, its client. Made once, used again by the next run.

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
/// The client that connects the second process and starts logins.
const CLIENT: &str = "demo-app";

/// A server prepared for demonstrations.
pub(super) struct Stage {
    /// Administration.
    pub(super) admin: Admin,
    /// Requests of users.
    pub(super) http: HttpClient,
    /// Where the server is.
    pub(super) base: Base,
    /// A client with the rights `feed` and `issue`.
    pub(super) client: Credential,
    password: SecretText,
}

impl Stage {
    /// Prepares the server that is meant.
    pub(super) async fn set(target: &Target, context: &Context) -> anyhow::Result<Self> {
        let admin = target.connect_running(context).await?;
        let base = admin.base().cloned().ok_or(CliError::Usage {
            what: "a demonstration needs a server that listens".to_owned(),
            fix: "start one with `misario dev`",
        })?;
        let client = client(&admin).await?;
        let password = user(&admin).await?;
        Ok(Self { admin, http: HttpClient::new(), base, client, password })
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

    /// Starts a login for somebody whom the app has authenticated itself.
    pub(super) async fn start_login(&self, app: &str, subject: &str, transport: &str) -> Result<Reply, CliError> {
        let body = json!({ "app": app, "subject": subject, "transport": transport, "amr": ["demo"] });
        self.http.send(&self.base, Call::post("/v1/sessions", &body).client(&self.client)).await
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

async fn client(admin: &Admin) -> Result<Credential, CliError> {
    let body = json!({ "id": CLIENT, "rights": ["feed", "issue"] });
    let made = match admin.post("/admin/v1/clients", &body).await {
        // Nobody knows the secret of the run before, and nobody shall.
        Err(CliError::Refused { status: 409, .. }) => {
            admin.post(&format!("/admin/v1/clients/{CLIENT}/rotate"), &json!({ "drop_old": true })).await?
        }
        other => other?,
    };
    let secret = SecretText::new(made["secret"].as_str().unwrap_or_default().to_owned());
    Ok(Credential { id: CLIENT.to_owned(), secret })
}

async fn user(admin: &Admin) -> Result<SecretText, CliError> {
    let password = SecretText::new(dev_file::password(&OsEntropy));
    let body = json!({ "username": USER, "password": password.expose() });
    match admin.post("/admin/v1/users", &body).await {
        Err(CliError::Refused { status: 409, .. }) => {
            let path = format!("/admin/v1/users/{}/password", segment(USER));
            admin.post(&path, &json!({ "password": password.expose() })).await?;
        }
        other => drop(other?),
    }
    Ok(password)
}
