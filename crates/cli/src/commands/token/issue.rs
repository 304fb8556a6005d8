//! `misario token issue`.

use serde_json::json;

use crate::admin::Target;
use crate::cli::Context;
use crate::commands::app::text;

/// Arguments of `token issue`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app it is for
    #[arg(long)]
    app: String,
    /// Who it speaks for
    #[arg(long)]
    subject: String,
    /// A role it carries
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// How many seconds it lives, at most as long as the app's tokens do
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let admin = args.target.connect(context).await?;
    let mut body = json!({ "app": args.app, "subject": args.subject, "roles": args.roles });
    if let Some(ttl) = args.ttl {
        body["ttl"] = ttl.into();
    }
    let answer = admin.post("/admin/v1/tokens", &body).await;
    admin.close().await;
    let answer = answer?;
    context.output.note(&format!("expires in {} s", text(&answer["expires_in"])));
    context.output.result(&answer, |out| writeln!(out, "{}", text(&answer["access_token"])))?;
    Ok(())
}
