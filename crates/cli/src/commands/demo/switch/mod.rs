//! `misario demo switch`: an app goes from mode to mode while its users work, and nobody is signed out.

mod client;
mod plan;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::client::{Client, Habit, Profile, Route};
use self::plan::{Leg, plan};
use self::tally::Tally;
use super::conclude;
use super::second::SecondProcess;
use super::stage::Stage;
use crate::admin::Target;
use crate::cli::Context;
use crate::clock::Mark;
use crate::data::run_file::Credential;
use crate::output::NAME;

pub(super) const APP: &str = "demo-switch";
/// The modes that clients sign in under, a third each, so that on the way there are credentials of every form. The
/// last is the first leg's.
const BIRTHS: [&str; 3] = ["jwt", "hybrid", "session"];
/// Seconds an access token lives in the demonstration.
const ACCESS: u64 = 2;
/// How long a leg waits for the last client to be let in, beyond its stay.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(20);

/// Arguments of `demo switch`.
#[derive(Debug, clap::Args)]
#[command(after_help = super::LEAVES)]
pub(crate) struct Args {
    /// How many clients, a third of each transport
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(3..=2000))]
    clients: u16,
    /// How many access lifetimes (2 s each) to stay in each mode
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    lifetimes: u16,
    #[command(flatten)]
    pub(super) target: Target,
}

/// Shows it.
pub(super) async fn show(args: &Args, context: &Context, stage: &Stage) -> anyhow::Result<()> {
    crate::host::raise_file_limit();
    let legs = plan(Duration::from_secs(ACCESS * u64::from(args.lifetimes)), Duration::from_secs(ACCESS));
    stage.app(APP, BIRTHS[0], &["cookie", "bearer", "split"], &json!({ "access_ttl": ACCESS })).await?;
    let client = stage.client(APP).await?;
    let second = SecondProcess::start(stage, APP, &client).await?;

    let progress = context.output.progress();
    let (leg, watched) = watch::channel(Some(0));
    let tally = Arc::new(Tally::new(legs.iter().map(|leg| leg.mode)));
    let mut tasks = JoinSet::new();
    let clients = usize::from(args.clients);
    for index in 0..clients {
        let birth = BIRTHS[index * BIRTHS.len() / clients];
        if index == 0 || birth != BIRTHS[(index - 1) * BIRTHS.len() / clients] {
            switch(stage, birth).await?;
        }
        progress.at(&format!("signing in: {index} of {clients}, in {birth}"));
        let client = sign_in((stage, &client), &second, (index, clients), legs.len()).await?;
        tasks.spawn(client.work(watched.clone(), tally.clone()));
    }
    let mut idle = 0;
    for (number, next) in legs.iter().enumerate() {
        switch(stage, next.mode).await?;
        leg.send_replace(Some(number));
        progress.at(&format!("{} · {}", path(&legs[..=number]), tally.line()));
        tokio::time::sleep(next.stay).await;
        idle += missing(&tally, number, awake(clients, number, legs.len())).await;
    }
    leg.send_replace(None);
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    drop(progress);
    report(context, args, &legs, (&tally, idle))
}

/// How many of the clients that are awake were never let in during this leg. Nobody is signed out where nobody gets
/// in, so that is what the promise is worth something by; a slow machine is given its time.
async fn missing(tally: &Tally, leg: usize, awake: usize) -> u64 {
    let began = Mark::set();
    while tally.at_work(leg) < awake && tally.seen().signed_out == 0 && Mark::set().since(began) < PATIENCE {
        tokio::time::sleep(GLANCE).await;
    }
    awake.saturating_sub(tally.at_work(leg)) as u64
}

fn awake(clients: usize, leg: usize, legs: usize) -> usize {
    (0..clients).filter(|index| habit(*index, legs) != Habit::Sleeper { leg }).count()
}

async fn switch(stage: &Stage, mode: &str) -> anyhow::Result<()> {
    stage.admin.patch(&format!("/admin/v1/apps/{APP}"), &json!({ "mode": mode })).await?;
    Ok(())
}

/// Every fifth client sleeps through a switch, each through another one; client 1 is the recorded one. Transports,
/// habits and routes are mixed so that each meets each.
async fn sign_in(
    (stage, issuer): (&Stage, &Credential),
    second: &SecondProcess,
    (index, clients): (usize, usize),
    legs: usize,
) -> anyhow::Result<Client> {
    let (group, transport) = (index / 3, ["cookie", "bearer", "split"][index % 3]);
    // A few through the front door; hashing two hundred passwords would only show how slow that is meant to be.
    let login = if index.is_multiple_of(clients.div_ceil(6)) {
        stage.sign_in(APP, transport).await?
    } else {
        stage.start_login(issuer, &format!("demo-{index}"), transport).await?
    };
    stage.json(&login)?;
    let connected = (group / 2 + index) % 2 == 1;
    let route = Route {
        base: if connected { second.base.clone() } else { stage.base.clone() },
        path: if connected { "/private" } else { "/v1/me" },
    };
    let profile = Profile { number: index, transport, route, habit: habit(index, legs) };
    Ok(Client::new(stage.http.clone(), profile, &login))
}

const fn habit(index: usize, legs: usize) -> Habit {
    let group = index / 3;
    match group {
        _ if index == 1 => Habit::Recorded,
        _ if group % 5 == 4 && legs > 2 => Habit::Sleeper { leg: 1 + (group / 5) % (legs - 2) },
        _ if group.is_multiple_of(2) => Habit::Early,
        _ => Habit::OnRefusal,
    }
}

fn path(legs: &[Leg]) -> String {
    legs.iter().map(|leg| leg.mode).collect::<Vec<_>>().join(" → ")
}

fn report(context: &Context, args: &Args, legs: &[Leg], (tally, idle): (&Tally, u64)) -> anyhow::Result<()> {
    let seen = tally.seen();
    let changes = tally.code_path_changes();
    let violations = seen.unexpected_401 + seen.signed_out + seen.failures + idle + changes;
    let report = json!({
        "clients": args.clients, "lifetimes": args.lifetimes, "path": legs.iter().map(|leg| leg.mode).collect::<Vec<_>>(),
        "calls": seen.calls, "refreshes": seen.refreshes, "renewed_in_passing": seen.renewals,
        "expected_401": seen.expected_401,
        "unexpected_401": seen.unexpected_401, "new_sign_ins": seen.signed_out, "unavailable": seen.unavailable,
        "failures": seen.failures, "never_let_in": idle, "recorded": tally.recorded(), "code_path_changes": changes,
    });
    let mut lines = vec![
        format!("{NAME}{}{NAME:#}", path(legs)),
        format!(
            "{} clients, {} calls, {} refreshes, {} cookies renewed in passing",
            args.clients, seen.calls, seen.refreshes, seen.renewals
        ),
        format!(
            "401 answered by one refresh: {}; {NAME}unexpected 401: {}{NAME:#}",
            seen.expected_401, seen.unexpected_401
        ),
        format!(
            "{NAME}new sign-ins: {}{NAME:#}; unavailable (503): {}; other failures: {}",
            seen.signed_out, seen.unavailable, seen.failures
        ),
        format!("clients that were not let in once during a mode: {idle}"),
        format!("the recorded client's requests, by what it held and by no mode ({changes} changes):"),
    ];
    lines.extend(tally.forms().into_iter().map(|request| format!("  {request}")));
    lines.extend(tally.complaints());
    conclude(context, "switch", (violations, report), &lines)
}
