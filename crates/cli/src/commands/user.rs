//! `misario user add|list|disable|enable|passwd|role`.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::app::text;
use super::published;
use crate::admin::{Admin, Target, segment};
use crate::cli::Context;
use crate::output::{FAINT, NAME, table};
use crate::secrets::PasswordSource;

/// People who sign in here.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a user; without a password from you one is generated and printed once
    Add(Add),
    /// List the users
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Refuse everything of a user's, everywhere, until they are enabled again
    Disable(Named),
    /// Let a user sign in again
    Enable(Named),
    /// Set a user's password and end all their logins
    Passwd(Passwd),
    /// Give roles in an app and take them away; it is true everywhere when this returns
    Role(Role),
}

/// A user.
#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// User name or subject
    user: String,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `user add`.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The name to sign in with
    user: String,
    /// A role in an app; `misario:admin` makes an administrator
    #[arg(long = "role", value_name = "APP:ROLE", value_parser = pair)]
    roles: Vec<(String, String)>,
    /// A permission in an app
    #[arg(long = "permission", value_name = "APP:NAME", value_parser = pair)]
    permissions: Vec<(String, String)>,
    /// The claim `org`
    #[arg(long)]
    org: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `user passwd`.
#[derive(Debug, clap::Args)]
pub(crate) struct Passwd {
    /// User name or subject
    user: String,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `user role`.
#[derive(Debug, clap::Args)]
pub(crate) struct Role {
    /// User name or subject
    user: String,
    /// The app
    #[arg(long)]
    app: String,
    /// Give this role
    #[arg(long, value_name = "ROLE", required_unless_present = "remove")]
    add: Vec<String>,
    /// Take this role away
    #[arg(long, value_name = "ROLE")]
    remove: Vec<String>,
    #[command(flatten)]
    target: Target,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (app, name) = text.split_once(':').ok_or("write APP:NAME, such as web:hr")?;
    Ok((app.to_owned(), name.to_owned()))
}

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let target = match &command {
        Command::Add(Add { target, .. })
        | Command::List { target }
        | Command::Disable(Named { target, .. })
        | Command::Enable(Named { target, .. })
        | Command::Passwd(Passwd { target, .. })
        | Command::Role(Role { target, .. }) => target,
    };
    let admin = target.connect(context).await?;
    let result = match &command {
        Command::Add(args) => add(&admin, context, args).await,
        Command::List { .. } => list(&admin, context).await,
        Command::Disable(args) => set_state(&admin, context, &args.user, "disable").await,
        Command::Enable(args) => set_state(&admin, context, &args.user, "enable").await,
        Command::Passwd(args) => passwd(&admin, context, args).await,
        Command::Role(args) => role(&admin, context, args).await,
    };
    admin.close().await;
    result
}

async fn add(admin: &Admin, context: &Context, args: &Add) -> anyhow::Result<()> {
    let mut body = json!({ "username": args.user, "grants": grants(&args.roles, &args.permissions) });
    if let Some(password) = args.password.read(&context.environment)? {
        body["password"] = password.expose().into();
    }
    if let Some(org) = &args.org {
        body["org"] = org.as_str().into();
    }
    let answer = admin.post("/admin/v1/users", &body).await?;
    let name = text(&answer["user"]["username"]);
    context.output.result(&answer, |out| {
        writeln!(out, "added {NAME}{name}{NAME:#} {FAINT}({}){FAINT:#}", text(&answer["user"]["subject"]))?;
        print_password(out, &answer)
    })?;
    Ok(())
}

fn grants(roles: &[(String, String)], permissions: &[(String, String)]) -> Value {
    let mut grants = Map::new();
    for (kind, pairs) in [("roles", roles), ("permissions", permissions)] {
        for (app, name) in pairs {
            let grant = grants.entry(app.clone()).or_insert_with(|| json!({ "roles": [], "permissions": [] }));
            if let Some(names) = grant[kind].as_array_mut() {
                names.push(name.as_str().into());
            }
        }
    }
    Value::Object(grants)
}

fn print_password(out: &mut dyn std::io::Write, answer: &Value) -> std::io::Result<()> {
    match answer["password"].as_str() {
        Some(password) => writeln!(out, "password: {password}   {FAINT}(shown once){FAINT:#}"),
        None => Ok(()),
    }
}

/// All users: the server answers in pages.
async fn list(admin: &Admin, context: &Context) -> anyhow::Result<()> {
    let users = super::pages(admin, "/admin/v1/users?limit=200", "users").await?;
    let row = |user: &Value| {
        let grants = user["grants"].as_object().into_iter().flatten();
        let roles = grants.map(|(app, grant)| format!("{app}: {}", text(&grant["roles"])));
        vec![
            text(&user["username"]),
            text(&user["state"]),
            roles.collect::<Vec<_>>().join("; "),
            text(&user["subject"]),
        ]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    context
        .output
        .result(&json!({ "users": users }), |out| table(out, &["user", "state", "roles", "subject"], &rows))?;
    Ok(())
}

async fn set_state(admin: &Admin, context: &Context, user: &str, verb: &str) -> anyhow::Result<()> {
    let answer = admin.post(&format!("/admin/v1/users/{}/{verb}", segment(user)), &json!({})).await?;
    context.output.result(&answer, |out| {
        writeln!(out, "{NAME}{user}{NAME:#} is {verb}d")?;
        published::print(out, &answer["published"])
    })?;
    Ok(())
}

async fn passwd(admin: &Admin, context: &Context, args: &Passwd) -> anyhow::Result<()> {
    let body = match args.password.read(&context.environment)? {
        Some(password) => json!({ "password": password.expose() }),
        None => json!({}),
    };
    let answer = admin.post(&format!("/admin/v1/users/{}/password", segment(&args.user)), &body).await?;
    context.output.result(&answer, |out| {
        writeln!(out, "{NAME}{}{NAME:#} has another password, and every login of theirs is over", args.user)?;
        print_password(out, &answer)?;
        published::print(out, &answer["published"])
    })?;
    Ok(())
}

async fn role(admin: &Admin, context: &Context, args: &Role) -> anyhow::Result<()> {
    let path = format!("/admin/v1/users/{}/grants/{}", segment(&args.user), segment(&args.app));
    let answer = admin.put(&path, &json!({ "add": args.add, "remove": args.remove })).await?;
    let roles = text(&answer["user"]["grants"][&args.app]["roles"]);
    context.output.result(&answer, |out| {
        let has = if roles.is_empty() { "no roles" } else { &roles };
        writeln!(out, "{NAME}{}{NAME:#} has in {}: {has}", args.user, args.app)?;
        published::print(out, &answer["published"])
    })?;
    Ok(())
}
