//! `misario keys list|generate`: the instance's signing keys.

use misario_jose::UnixTime;
use serde_json::{Value, json};

use crate::admin::Target;
use crate::cli::Context;
use crate::commands::app::text;
use crate::commands::published;
use crate::output::{NAME, table};
use crate::when;

/// Arguments of `keys generate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// What it signs with
    #[arg(long, default_value = "ES256", value_parser = ["ES256", "EdDSA", "HS256"])]
    alg: String,
    #[command(flatten)]
    target: Target,
}

/// Runs `keys list`.
pub(crate) async fn list(target: &Target, context: &Context) -> anyhow::Result<()> {
    let admin = target.connect(context).await?;
    let answer = admin.get("/admin/v1/keys").await;
    admin.close().await;
    let answer = answer?;
    let row = |key: &Value| {
        let created = key["created"].as_u64().map(|at| when::moment(UnixTime::from_secs(at))).unwrap_or_default();
        vec![text(&key["kid"]), text(&key["alg"]), text(&key["state"]), created]
    };
    let rows: Vec<_> = answer["keys"].as_array().into_iter().flatten().map(row).collect();
    Ok(context.output.result(&answer, |out| table(out, &["kid", "alg", "state", "created"], &rows))?)
}

/// Runs `keys generate`.
pub(crate) async fn generate(args: &Generate, context: &Context) -> anyhow::Result<()> {
    let admin = args.target.connect(context).await?;
    let answer = admin.post("/admin/v1/keys", &json!({ "alg": args.alg })).await;
    admin.close().await;
    let answer = answer?;
    context.output.result(&answer, |out| {
        writeln!(out, "published {NAME}{}{NAME:#} ({})", text(&answer["key"]["kid"]), args.alg)?;
        published::print(out, &answer["published"])
    })?;
    Ok(())
}
