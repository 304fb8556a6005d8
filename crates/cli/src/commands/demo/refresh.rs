//! `misario demo refresh`: one refresh token in a thousand hands at once, answers that are lost or come late, and a
//! token that is too old to be an accident.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::conclude;
use super::stage::Stage;
use crate::admin::Target;
use crate::cli::Context;
use crate::clock::{Mark, millis};
use crate::failure::CliError;
use crate::http::raw::Sent;
use crate::http::{Call, Reply};
use crate::output::NAME;

const APP: &str = "demo-refresh";
/// The app's reuse interval, in seconds: short, so that nobody has to wait until a token is too old.
const REUSE: u64 = 1;

/// Arguments of `demo refresh`.
#[derive(Debug, clap::Args)]
#[command(after_help = super::LEAVES)]
pub(crate) struct Args {
    /// How many refreshes at once
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(2..=5000))]
    parallel: u16,
    /// How many answers are lost, and how many come late
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    losses: u16,
    #[command(flatten)]
    pub(super) target: Target,
}

/// Shows it.
pub(super) async fn show(args: &Args, context: &Context, stage: &Stage) -> anyhow::Result<()> {
    crate::host::raise_file_limit();
    stage.app(APP, "hybrid", &["bearer"], &json!({ "reuse_interval": REUSE })).await?;
    let progress = context.output.progress();
    let mut client = Client::sign_in(stage).await?;
    let stolen = client.refresh.clone();

    progress.at(&format!("{} refreshes at once", args.parallel));
    let parallel = client.all_at_once(args.parallel).await?;
    progress.at("answers that are lost");
    let lost = client.lose_answers(args.losses).await?;
    progress.at("answers that come late");
    let late = client.read_late(args.losses).await?;
    progress.at("a lost answer, retried after the reuse interval");
    let very_late = client.retry_very_late().await?;
    progress.at("a token that is too old");
    let family = client.show_old(&stolen).await?;
    drop(progress);

    let logouts = parallel.refused + lost + late + very_late;
    let violations = logouts + parallel.rotations.abs_diff(1) + family.survived;
    let report = json!({
        "parallel": args.parallel, "rotations": parallel.rotations, "took_ms": millis(parallel.took),
        "lost_answers": args.losses, "late_answers": args.losses, "logouts": logouts, "family": family.json(),
    });
    let lines = [
        format!(
            "{NAME}{} refreshes at once{NAME:#} with one token: {} rotation, {} refused, in {} ms",
            args.parallel,
            parallel.rotations,
            parallel.refused,
            millis(parallel.took)
        ),
        format!("{NAME}{} lost answers{NAME:#}, then the same token again: {lost} refused", args.losses),
        format!("{NAME}{} late answers{NAME:#} that overwrite what the client holds: {late} refused", args.losses),
        format!("{NAME}a lost answer{NAME:#}, retried {} s later: {very_late} refused", REUSE + 1),
        format!("{NAME}a token that is too old{NAME:#}: {}", family.text()),
    ];
    conclude(context, "refresh", (violations, report), &lines)
}

/// A client that holds one login.
struct Client<'s> {
    stage: &'s Stage,
    access: String,
    refresh: String,
}

struct Parallel {
    rotations: u64,
    refused: u64,
    took: Duration,
}

impl<'s> Client<'s> {
    async fn sign_in(stage: &'s Stage) -> anyhow::Result<Self> {
        let login = stage.json(&stage.sign_in(APP, "bearer").await?)?;
        let mut client = Self { stage, access: String::new(), refresh: String::new() };
        client.keep(&login);
        Ok(client)
    }

    /// Keeps what an answer hands out.
    fn keep(&mut self, answer: &Value) {
        for (held, name) in [(&mut self.access, "access_token"), (&mut self.refresh, "refresh_token")] {
            if let Some(token) = answer[name].as_str() {
                token.clone_into(held);
            }
        }
    }

    /// Refreshes with `token`; 1 when it is refused.
    async fn refresh(&mut self, token: &str) -> Result<u64, CliError> {
        let reply = self.stage.http.send(&self.stage.base, call(token)).await?;
        if !reply.status.is_success() {
            return Ok(1);
        }
        self.keep(&reply.json());
        Ok(0)
    }

    async fn all_at_once(&mut self, count: u16) -> anyhow::Result<Parallel> {
        let began = Mark::set();
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let (http, base, call) = (self.stage.http.clone(), self.stage.base.clone(), call(&self.refresh));
            tasks.spawn(async move { http.send(&base, call).await });
        }
        let mut answers: Vec<Reply> = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            answers.push(answer??);
        }
        let took = Mark::set().since(began);
        let refused = answers.iter().filter(|answer| !answer.status.is_success()).count() as u64;
        let handed = |answer: &Reply| answer.json()["refresh_token"].as_str().map(str::to_owned);
        let successors: BTreeSet<String> = answers.iter().filter_map(handed).collect();
        if let Some(answer) = answers.iter().find(|answer| answer.status.is_success()) {
            self.keep(&answer.json());
        }
        Ok(Parallel { rotations: successors.len() as u64, refused, took })
    }

    /// The answer arrives at the machine and never at the client, which tries again with what it holds.
    async fn lose_answers(&mut self, count: u16) -> anyhow::Result<u64> {
        let mut refused = 0;
        for _ in 0..count {
            let held = self.refresh.clone();
            Sent::send(&self.stage.base, &call(&held)).await?.answered().await?;
            refused += self.refresh(&held).await?;
        }
        Ok(refused)
    }

    /// The client gives up waiting, tries again and goes on; then the first answer arrives, and takes the place of what
    /// the client holds by then.
    async fn read_late(&mut self, count: u16) -> anyhow::Result<u64> {
        let mut refused = 0;
        for _ in 0..count {
            let held = self.refresh.clone();
            let late = Sent::send(&self.stage.base, &call(&held)).await?;
            late.answered().await?;
            refused += self.refresh(&held).await?;
            let next = self.refresh.clone();
            refused += self.refresh(&next).await?;
            self.keep(&late.read().await?.json());
            let overwritten = self.refresh.clone();
            refused += self.refresh(&overwritten).await?;
        }
        Ok(refused)
    }

    /// A phone that was in a tunnel: the answer is lost, the retry comes long after the reuse interval.
    async fn retry_very_late(&mut self) -> anyhow::Result<u64> {
        let held = self.refresh.clone();
        Sent::send(&self.stage.base, &call(&held)).await?.answered().await?;
        tokio::time::sleep(Duration::from_secs(REUSE + 1)).await;
        Ok(self.refresh(&held).await?)
    }

    /// The token of the sign-in, many rotations later: nobody but a thief shows it.
    async fn show_old(&mut self, stolen: &str) -> anyhow::Result<Family> {
        let alive = self.call_me().await?;
        let shown = self.stage.http.send(&self.stage.base, call(stolen)).await?;
        let head = self.stage.http.send(&self.stage.base, call(&self.refresh)).await?;
        let after = self.call_me().await?;
        let (old, head) = (shown.status.as_u16(), head.status.as_u16());
        let kept = [alive == 200, old == 401, head == 401, after == 401];
        let survived = kept.into_iter().filter(|kept| !kept).count() as u64;
        Ok(Family { before: alive, old, head, access: after, survived })
    }

    async fn call_me(&self) -> Result<u16, CliError> {
        let call = Call::get("/v1/me").for_app(APP).bearer(&self.access);
        Ok(self.stage.http.send(&self.stage.base, call).await?.status.as_u16())
    }
}

fn call(token: &str) -> Call {
    Call::post("/v1/refresh", &json!({ "refresh_token": token })).for_app(APP)
}

/// What became of the family: statuses of four calls.
struct Family {
    before: u16,
    old: u16,
    head: u16,
    access: u16,
    survived: u64,
}

impl Family {
    fn json(&self) -> Value {
        json!({
            "alive_before": self.before, "old_token": self.old, "newest_refresh_token": self.head,
            "access_token": self.access, "dead": self.survived == 0,
        })
    }

    fn text(&self) -> String {
        let Self { before, old, head, access, .. } = self;
        format!("{before} before; then the old token {old}, the newest refresh token {head}, the access token {access}")
    }
}
