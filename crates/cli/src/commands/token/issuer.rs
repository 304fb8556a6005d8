//! The server that is meant, as the issuer of a token: where nobody names keys, its own count.

use misario_jose::JwkSet;
use serde_json::Value;

use super::material::{KeySource, Keys, public};
use crate::admin::{Admin, Target};
use crate::cli::Context;
use crate::failure::CliError;

/// Keys, and the issuer whose they are as far as it is known.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// Its keys.
    pub(crate) keys: Keys,
    /// Its name, the claim `iss`.
    pub(crate) name: Option<String>,
}

/// The keys that were named; else those of the server that was named, or that runs here; `None` where there is none.
pub(crate) async fn find(keys: &KeySource, target: &Target, context: &Context) -> anyhow::Result<Option<Issuer>> {
    if let Some(keys) = keys.read()? {
        return Ok(Some(Issuer { keys, name: None }));
    }
    let admin = match target.running(context).await {
        Ok(Some(admin)) => admin,
        // A server that nobody spoke of is a convenience, not a condition.
        Ok(None) => return Ok(None),
        Err(_) if !target.is_named() => return Ok(None),
        Err(error) => return Err(error),
    };
    let asked = ask(&admin).await;
    admin.close().await;
    let (issuer, place) = asked?;
    context.output.note(&format!("keys and issuer of {place}; others are named with --jwks and --iss"));
    Ok(Some(issuer))
}

async fn ask(admin: &Admin) -> Result<(Issuer, String), CliError> {
    let set = admin.get("/.well-known/jwks.json").await?;
    let config = admin.get("/admin/v1/config").await?;
    let name = config["issuer"].as_str().map(str::to_owned);
    let place = admin.base().map_or_else(String::new, |base| base.as_str().to_owned());
    Ok((Issuer { keys: read(&set), name }, place))
}

fn read(set: &Value) -> Keys {
    public(JwkSet::parse_public(set.to_string().as_bytes()))
}
