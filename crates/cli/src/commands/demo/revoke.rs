//! `misario demo revoke`: calls to an app in another process, a revoke in the middle, and the calls that were accepted
//! after it had returned: none.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::second::SecondProcess;
use super::stage::Stage;
use super::{conclude, paused};
use crate::admin::Target;
use crate::cli::Context;
use crate::clock::{Mark, millis};
use crate::failure::CliError;
use crate::http::{Base, Call, HttpClient};
use crate::output::NAME;

/// Arguments of `demo revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = super::LEAVES)]
pub(crate) struct Args {
    /// How many callers call at once, each as fast as it is answered
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    callers: u16,
    /// How often to revoke, per kind of credential
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    #[command(flatten)]
    pub(super) target: Target,
}

/// The two kinds of credential, with the app of each.
const KINDS: [(&str, &str); 2] = [("session", "demo-session"), ("jwt", "demo-jwt")];

/// Shows it.
pub(super) async fn show(args: &Args, context: &Context, stage: &Stage) -> anyhow::Result<()> {
    let progress = context.output.progress();
    let (mut violations, mut reports, mut lines) = (0, Vec::new(), Vec::new());
    for (mode, app) in KINDS {
        stage.app(app, mode, &["bearer"], &json!({})).await?;
        let second = SecondProcess::start(stage, app, &stage.client(app).await?).await?;
        let mut seen = Vec::new();
        for round in 1..=args.rounds {
            progress.at(&format!("{mode}: revoke {round} of {}", args.rounds));
            seen.push(round_of(stage, &second, app, args.callers).await?);
        }
        progress.at(&format!("{mode}: revoke while the app's process is stopped"));
        let paused = paused::round(stage, &second, app).await?;
        let accepted: u64 = seen.iter().map(|round| round.accepted_after).sum();
        let failures: u64 = seen.iter().map(|round| round.failures).sum();
        violations += accepted + failures + u64::from(!paused.refused);
        lines.extend(text(mode, &seen, accepted));
        lines.push(paused.text());
        reports.push(json!({
            "credential": mode, "rounds": seen.iter().map(Round::json).collect::<Vec<_>>(),
            "accepted_after_return": accepted, "failures": failures, "stopped_process": paused.json(),
        }));
    }
    drop(progress);
    conclude(context, "revoke", (violations, json!({ "credentials": reports })), &lines)
}

/// What one revoke looked like from the outside.
struct Round {
    calls: u64,
    /// From the revoke's start to its return.
    returned: Duration,
    /// From the revoke's start to the first refusal seen by a caller.
    first_refusal: Duration,
    /// Calls that began after the return and were accepted.
    accepted_after: u64,
    /// 503: the app could not tell at that moment. No refusal, and nothing broken either.
    unavailable: u64,
    /// Answers that are neither a yes, nor 401, nor 503.
    failures: u64,
    published: Value,
}

impl Round {
    fn json(&self) -> Value {
        json!({
            "calls": self.calls, "returned_ms": millis(self.returned), "first_refusal_ms": millis(self.first_refusal),
            "accepted_after_return": self.accepted_after, "unavailable": self.unavailable, "failures": self.failures,
            "published": self.published,
        })
    }
}

fn text(mode: &str, rounds: &[Round], accepted: u64) -> Vec<String> {
    let mut returned: Vec<Duration> = rounds.iter().map(|round| round.returned).collect();
    let mut refused: Vec<Duration> = rounds.iter().map(|round| round.first_refusal).collect();
    let middle = |spans: &mut Vec<Duration>| {
        spans.sort_unstable();
        spans.get(spans.len() / 2).copied().map_or(0.0, millis)
    };
    let calls: u64 = rounds.iter().map(|round| round.calls).sum();
    let (refusal, back) = (middle(&mut refused), middle(&mut returned));
    let unavailable: u64 = rounds.iter().map(|round| round.unavailable).sum();
    let failures: u64 = rounds.iter().map(|round| round.failures).sum();
    vec![
        format!("{NAME}{mode}{NAME:#}: {} revokes in {calls} calls to another process", rounds.len()),
        format!("  first refusal after {refusal} ms, revoke returned after {back} ms (medians)"),
        format!(
            "  calls accepted after the revoke returned: {accepted}; 503: {unavailable}; other failures: {failures}"
        ),
    ]
}

/// One call, as its caller saw it.
struct Seen {
    began: Mark,
    ended: Mark,
    answer: Answer,
}

/// What an answer says about the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It counts.
    Accepted,
    /// 401: it does not count.
    Refused,
    /// 503: nobody could tell.
    Unavailable,
    /// Anything else: something is broken, and a promise that holds because nothing works is none.
    Failed,
}

impl Answer {
    const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted,
            401 => Self::Refused,
            503 => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

async fn round_of(stage: &Stage, second: &SecondProcess, app: &str, callers: u16) -> anyhow::Result<Round> {
    let login = stage.json(&stage.sign_in(app, "bearer").await?)?;
    let token: Arc<str> = login["access_token"].as_str().unwrap_or_default().into();
    let (progress, mut watched) = watch::channel(Phase::default());
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        tasks.spawn(call_on(second.base.clone(), token.clone(), progress.clone()));
    }
    until(&mut watched, |phase| phase.accepted >= 50 * u64::from(callers)).await?;
    let began = Mark::set();
    let published = stage.revoke(&json!({ "login": login["sid"] })).await?;
    let returned = Mark::set();
    // Long enough for a yes that comes late to be seen.
    until(&mut watched, |phase| phase.refused >= 100 * u64::from(callers)).await?;
    progress.send_modify(|phase| phase.over = true);
    let mut calls = Vec::new();
    while let Some(seen) = tasks.join_next().await {
        calls.extend(seen??);
    }
    let count = |answer| calls.iter().filter(|call| call.answer == answer).count() as u64;
    let refusals = calls.iter().filter(|call| call.answer == Answer::Refused && call.ended > began);
    Ok(Round {
        calls: calls.len() as u64,
        returned: returned.since(began),
        first_refusal: refusals.map(|call| call.ended).min().map_or(Duration::MAX, |first| first.since(began)),
        accepted_after: calls.iter().filter(|call| call.answer == Answer::Accepted && call.began > returned).count()
            as u64,
        unavailable: count(Answer::Unavailable),
        failures: count(Answer::Failed),
        published,
    })
}

/// How far the callers are.
#[derive(Default)]
struct Phase {
    accepted: u64,
    refused: u64,
    over: bool,
}

/// Calls again and again with one credential, until told that it is over.
async fn call_on(base: Base, token: Arc<str>, progress: watch::Sender<Phase>) -> Result<Vec<Seen>, CliError> {
    let (http, mut calls) = (HttpClient::new(), Vec::new());
    while !progress.borrow().over {
        let began = Mark::set();
        let reply = http.send(&base, Call::get("/private").bearer(&token)).await?;
        let answer = Answer::of(reply.status.as_u16());
        calls.push(Seen { began, ended: Mark::set(), answer });
        progress.send_modify(|phase| match answer {
            Answer::Accepted => phase.accepted += 1,
            Answer::Refused => phase.refused += 1,
            Answer::Unavailable | Answer::Failed => {}
        });
    }
    Ok(calls)
}

/// Waits for the callers; a promise that is never kept must not wait for ever.
async fn until(watched: &mut watch::Receiver<Phase>, reached: impl Fn(&Phase) -> bool) -> anyhow::Result<()> {
    let waited = tokio::time::timeout(Duration::from_secs(30), watched.wait_for(|phase| reached(phase))).await;
    match waited {
        Ok(Ok(_)) => Ok(()),
        _ => Err(CliError::DemoProcess { why: "did not answer as expected within 30 s".to_owned() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_does_not_count_as_a_refusal() {
        assert_eq!([200, 401, 503].map(Answer::of), [Answer::Accepted, Answer::Refused, Answer::Unavailable]);
        for status in [302, 400, 403, 404, 429, 500, 502] {
            assert_eq!(Answer::of(status), Answer::Failed, "{status}");
        }
    }
}
