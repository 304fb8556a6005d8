//! What `dev` puts into an empty store. Everything is looked for first, so a start that was cut off, or a second one,
//! adds what is missing and changes nothing.

use misario_core::secret::SecretText;
use misario_tower::OsEntropy;
use serde_json::{Value, json};

use crate::admin::{Admin, segment};
use crate::data::DataFolder;
use crate::data::dev_file::{DevClient, DevFile, DevUser};
use crate::failure::CliError;

/// The demo users: name, and what they may do.
const USERS: [(&str, &str); 3] = [
    (
        "admin",
        r#"{"misario":{"roles":["admin"]},"web":{"roles":["admin"]},"spa":{"roles":["admin"]},"service":{"roles":["admin"]}}"#,
    ),
    ("alice", r#"{"web":{"roles":["hr","user"]},"spa":{"roles":["hr","user"]},"service":{"roles":["hr","user"]}}"#),
    ("bob", r#"{"web":{"roles":["user"]},"spa":{"roles":["user"]},"service":{"roles":["user"]}}"#),
];
/// The demo client: an app's back end that follows the change log and starts logins itself.
const CLIENT: &str = "demo-backend";
const RIGHTS: [&str; 4] = ["feed", "introspect", "issue", "revoke"];

const ORDER: [&str; 3] = ["web", "spa", "service"];

/// What is there after seeding.
pub(super) struct Seeded {
    /// The apps as they are.
    pub(super) apps: Vec<Value>,
    /// Name, password and roles of the demo users.
    pub(super) users: Vec<(String, SecretText, Value)>,
    /// Name, secret and rights of the demo client.
    pub(super) client: (String, SecretText, Value),
}

/// Makes what is missing.
pub(super) async fn seed(admin: &Admin, folder: &DataFolder) -> anyhow::Result<Seeded> {
    let names = USERS.map(|(name, _)| name);
    let mut file = DevFile::load_or_make(folder, &names, &OsEntropy)?;
    let mut users = Vec::new();
    for (name, grants) in USERS {
        let grants: Value = serde_json::from_str(grants)?;
        let Some(known) = file.users.iter().find(|user| user.username == name) else { continue };
        user(admin, known, &grants).await?;
        users.push((name.to_owned(), SecretText::new(known.password.clone()), grants));
    }
    file.settle(folder)?;
    let secret = client(admin, folder, &mut file).await?;
    let answer = admin.get("/admin/v1/apps").await?;
    let apps = answer["apps"].as_array().into_iter().flatten().map(|record| record["app"].clone());
    let mut apps: Vec<Value> = apps.filter(|app| app["id"] != misario_core::app::BUILT_IN).collect();
    // The server lists them by name; a reader begins with what looks most like an app.
    apps.sort_by_key(|app| ORDER.iter().position(|id| app["id"] == *id).unwrap_or(ORDER.len()));
    Ok(Seeded { apps, users, client: (CLIENT.to_owned(), secret, json!(RIGHTS)) })
}

/// A user who is there has the password of the file, unless the file is younger than they are: it was lost, and what it
/// says would be printed and open nothing.
async fn user(admin: &Admin, known: &DevUser, grants: &Value) -> Result<(), CliError> {
    let path = format!("/admin/v1/users/{}", segment(&known.username));
    match admin.get(&path).await {
        Err(CliError::Refused { status: 404, .. }) => {
            let body = json!({ "username": known.username, "password": known.password, "grants": grants });
            admin.post("/admin/v1/users", &body).await.map(drop)
        }
        Ok(_) if known.pending => {
            admin.post(&format!("{path}/password"), &json!({ "password": known.password })).await.map(drop)
        }
        other => other.map(drop),
    }
}

/// The server tells a secret once. If the start was cut off before it was written down, another one is made.
async fn client(admin: &Admin, folder: &DataFolder, file: &mut DevFile) -> anyhow::Result<SecretText> {
    if let Some(secret) = file.client_secret(CLIENT) {
        return Ok(secret);
    }
    let made = match admin.post("/admin/v1/clients", &json!({ "id": CLIENT, "rights": RIGHTS })).await {
        Err(CliError::Refused { status: 409, .. }) => {
            admin.post(&format!("/admin/v1/clients/{CLIENT}/rotate"), &json!({ "drop_old": true })).await?
        }
        other => other?,
    };
    let secret = made["secret"].as_str().unwrap_or_default().to_owned();
    file.clients.push(DevClient { id: CLIENT.to_owned(), secret: secret.clone() });
    file.write(folder)?;
    Ok(SecretText::new(secret))
}
