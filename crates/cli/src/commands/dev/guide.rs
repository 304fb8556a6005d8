//! What `dev` prints: where things are, who can sign in, and lines that work when they are pasted.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::seed::Seeded;
use crate::cli::Context;
use crate::commands::app::text;
use crate::data::{DataFolder, private};
use crate::output::{FAINT, GOOD, NAME, table};

/// The user that the lines sign in.
const WHO: &str = "alice";
/// The apps whose lines keep cookies.
const JARS: [&str; 2] = ["web", "spa"];

/// Prints everything once the server answers: one JSON line, or a page to read.
pub(super) fn print(context: &Context, folder: &DataFolder, url: &str, seeded: &Seeded) -> anyhow::Result<()> {
    let lines: Vec<(String, Vec<Step>)> =
        seeded.apps.iter().filter_map(|app| steps(app, folder, url, seeded)).collect();
    JARS.iter().try_for_each(|app| private::touch(&jar(folder, app)))?;
    context.output.result(&as_json(folder, url, seeded, &lines), |out| page(out, folder, url, seeded, &lines))?;
    Ok(())
}

/// Where curl keeps an app's cookies. It keeps the mode of a file that is there, and gives one that it makes whatever the
/// shell's umask leaves, so they are made before.
fn jar(folder: &DataFolder, app: &str) -> PathBuf {
    folder.file(format!("{app}.cookies"))
}

/// A line to paste, and what it shows.
struct Step {
    what: &'static str,
    command: String,
}

fn as_json(folder: &DataFolder, url: &str, seeded: &Seeded, lines: &[(String, Vec<Step>)]) -> Value {
    let app = |app: &Value| {
        json!({
            "id": app["id"], "mode": app["mode"], "transports": app["transports"],
            "page": format!("{url}/demo/{}", text(&app["id"])),
        })
    };
    let user = |(name, password, grants): &(String, _, Value)| {
        let password: &misario_core::secret::SecretText = password;
        json!({ "username": name, "password": password.expose(), "grants": grants })
    };
    let (id, secret, rights) = &seeded.client;
    let curl: Map<String, Value> = lines
        .iter()
        .map(|(app, steps)| (app.clone(), steps.iter().map(|step| step.command.clone()).collect()))
        .collect();
    json!({
        "url": url,
        "data": folder.path(),
        "pid": std::process::id(),
        "apps": seeded.apps.iter().map(app).collect::<Vec<_>>(),
        "users": seeded.users.iter().map(user).collect::<Vec<_>>(),
        "clients": [{ "id": id, "secret": secret.expose(), "rights": rights }],
        "curl": curl,
    })
}

fn page(
    out: &mut dyn Write,
    folder: &DataFolder,
    url: &str,
    seeded: &Seeded,
    lines: &[(String, Vec<Step>)],
) -> io::Result<()> {
    writeln!(
        out,
        "{GOOD}misario is ready{GOOD:#} on {NAME}{url}{NAME:#}  {FAINT}data in {}{FAINT:#}\n",
        folder.path().display()
    )?;
    let app = |app: &Value| {
        vec![text(&app["id"]), text(&app["mode"]), text(&app["transports"]), format!("{url}/demo/{}", text(&app["id"]))]
    };
    table(out, &["app", "mode", "transports", "page"], &seeded.apps.iter().map(app).collect::<Vec<_>>())?;
    writeln!(out)?;
    let user = |(name, password, grants): &(String, misario_core::secret::SecretText, Value)| {
        let roles =
            if grants["misario"].is_object() { "administrator".to_owned() } else { text(&grants["web"]["roles"]) };
        vec![name.clone(), password.expose().to_owned(), roles]
    };
    table(out, &["user", "password", "roles"], &seeded.users.iter().map(user).collect::<Vec<_>>())?;
    let (id, secret, rights) = &seeded.client;
    writeln!(
        out,
        "\n{NAME}client{NAME:#} {id}  {FAINT}secret{FAINT:#} {}  {FAINT}rights {}{FAINT:#}",
        secret.expose(),
        text(rights)
    )?;
    for (app, steps) in lines {
        writeln!(out, "\n{NAME}{app}{NAME:#}")?;
        for step in steps {
            writeln!(out, "{FAINT}# {}{FAINT:#}\n{}", step.what, step.command)?;
        }
    }
    writeln!(
        out,
        "\n{FAINT}See the promises kept: misario demo revoke | refresh | switch. Stop with Ctrl-C; a restart keeps everything.{FAINT:#}"
    )
}

/// The lines of an app of ours; whoever brings an app of their own knows what to do with it.
fn steps(app: &Value, folder: &DataFolder, url: &str, seeded: &Seeded) -> Option<(String, Vec<Step>)> {
    let id = text(&app["id"]);
    let (_, password, _) = seeded.users.iter().find(|(name, ..)| name == WHO)?;
    let jar = jar(folder, &id).display().to_string();
    let lines = Lines { url, app: &id, jar: &quoted(&jar), password: password.expose() };
    let steps = match id.as_str() {
        "web" => lines.web(),
        "spa" => lines.spa(),
        "service" => lines.service(),
        _ => return None,
    };
    Some((id, steps))
}

struct Lines<'a> {
    url: &'a str,
    app: &'a str,
    jar: &'a str,
    password: &'a str,
}

impl Lines<'_> {
    fn login(&self, transport: &str) -> String {
        let body = json!({ "app": self.app, "username": WHO, "password": self.password, "transport": transport });
        format!("-H 'Content-Type: application/json' -d '{body}' {}/v1/login", self.url)
    }

    /// The common part of every other line: fail with the answer shown, say which app.
    fn call(&self, rest: &str, path: &str) -> String {
        format!("curl -sS --fail-with-body -H 'Misario-App: {}' {rest} {}{path}", self.app, self.url)
    }

    fn web(&self) -> Vec<Step> {
        let Self { jar, .. } = self;
        let token = field("csrf_token");
        vec![
            step(
                "sign in: a session id in a cookie",
                format!("curl -sS --fail-with-body -c {jar} {}", self.login("cookie")),
            ),
            step("who am I", self.call(&format!("-b {jar}"), "/v1/me")),
            step("the protected page", self.call(&format!("-b {jar}"), "/demo/web")),
            step(
                "a token that proves that the next request is ours",
                format!("CSRF=$({} | {token})", self.call(&format!("-b {jar}"), "/v1/csrf")),
            ),
            step("sign out", self.call(&format!("-b {jar} -c {jar} -X POST -H \"X-CSRF-Token: $CSRF\""), "/v1/logout")),
        ]
    }

    fn spa(&self) -> Vec<Step> {
        let Self { jar, url, .. } = self;
        let token = field("access_token");
        let own = format!("-b {jar} -c {jar} -X POST -H 'Origin: {url}'");
        vec![
            step(
                "sign in: a JWT in the body, a refresh token in a cookie",
                format!("TOKEN=$(curl -sS --fail-with-body -c {jar} {} | {token})", self.login("split")),
            ),
            step("who am I", self.call("-H \"Authorization: Bearer $TOKEN\"", "/v1/me")),
            step(
                "rotate: another JWT for the refresh token",
                format!("TOKEN=$({} | {token})", self.call(&own, "/v1/refresh")),
            ),
            step("the new one counts", self.call("-H \"Authorization: Bearer $TOKEN\"", "/v1/me")),
            step("sign out", self.call(&own, "/v1/logout")),
        ]
    }

    fn service(&self) -> Vec<Step> {
        let token = field("access_token");
        let bearer = "-H \"Authorization: Bearer $TOKEN\"";
        vec![
            step(
                "sign in: a JWT, and nothing kept here",
                format!("TOKEN=$(curl -sS --fail-with-body {} | {token})", self.login("bearer")),
            ),
            step("who am I", self.call(bearer, "/v1/me")),
            step(
                "renew it without any state",
                format!("TOKEN=$({} | {token})", self.call(&format!("-X POST {bearer}"), "/v1/refresh")),
            ),
            step("the new one counts", self.call(bearer, "/v1/me")),
            step(
                "sign out: refused everywhere from here on, though it has not expired",
                self.call(&format!("-X POST {bearer}"), "/v1/logout"),
            ),
        ]
    }
}

const fn step(what: &'static str, command: String) -> Step {
    Step { what, command }
}

/// Cuts one field out of a JSON answer with what every machine has.
fn field(name: &str) -> String {
    format!("sed 's/.*\"{name}\":\"\\([^\"]*\\)\".*/\\1/'")
}

/// `text` as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word() {
        assert_eq!(quoted("misario-data/web.cookies"), "misario-data/web.cookies");
        assert_eq!(quoted("my data/it's"), "'my data/it'\\''s'");
    }
}
