//! What the store holds for apps, beside what file and environment say: the store is the truth, the file gives initial
//! values, and whoever changes one of the two wants to see both.

use std::collections::{BTreeMap, BTreeSet};

use misario_core::app::{App, BUILT_IN};
use serde::{Deserialize, Serialize};

use crate::admin::Target;
use crate::cli::Context;
use crate::config::{Settings, Shown, app_as_written};
use crate::failure;

/// A setting, twice.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    shown: Shown,
    /// What the store holds, where the setting is one of an app's.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Stored>,
    /// Whether the store holds something else than what is written.
    pub(super) differs: bool,
}

/// A setting in the store.
#[derive(Debug, Clone, Serialize)]
struct Stored {
    value: String,
    /// Who changed the app last: `file`, `code` or `admin`.
    origin: String,
}

/// An app as the server answers.
#[derive(Debug, Deserialize)]
struct Record {
    app: App,
    source: String,
}

impl Row {
    /// The row of a table.
    pub(super) fn cells(&self) -> Vec<String> {
        let stored = self.stored.clone().unwrap_or(Stored { value: String::new(), origin: String::new() });
        let Shown { key, value, origin } = self.shown.clone();
        vec![key, value, origin, stored.value, stored.origin]
    }
}

/// Every setting with what the server or the store in the data folder has; `None` where there is neither. One that
/// nobody named and that cannot be asked is no reason to hide what the file says.
pub(super) async fn beside(
    context: &Context,
    settings: &Settings,
    target: &Target,
) -> anyhow::Result<Option<Vec<Row>>> {
    match ask(context, settings, target).await {
        Err(error) if !target.is_named() => {
            let why = failure::reports(&error).into_iter().map(|report| report.what).collect::<Vec<_>>().join("; ");
            context.output.note(&format!("what the store holds is not shown: {why}"));
            Ok(None)
        }
        asked => asked,
    }
}

async fn ask(context: &Context, settings: &Settings, target: &Target) -> anyhow::Result<Option<Vec<Row>>> {
    // The file is about the server for production, and these are the demo apps beside it: no setting could agree.
    if target.is_of_dev_unnamed()? {
        context.output.note("the store here is of `misario dev`; name its folder with --data to see what it holds");
        return Ok(None);
    }
    let Some(admin) = target.connect_if_any(context).await? else { return Ok(None) };
    let answer = admin.get("/admin/v1/apps").await;
    admin.close().await;
    let records: Vec<Record> = serde_json::from_value(answer?["apps"].take())?;
    Ok(Some(rows(&settings.shown, &records)))
}

fn rows(shown: &[Shown], records: &[Record]) -> Vec<Row> {
    let mut stored: BTreeMap<String, Stored> = BTreeMap::new();
    for Record { app, source } in records.iter().filter(|record| record.app.id.as_str() != BUILT_IN) {
        for (last, value) in app_as_written(app) {
            stored.insert(format!("app.{}.{last}", app.id), Stored { value, origin: source.clone() });
        }
    }
    let row = |shown: &Shown| {
        let stored = stored.remove(&shown.key);
        let differs = stored.as_ref().is_some_and(|stored| parts(&stored.value) != parts(&shown.value));
        Row { shown: shown.clone(), stored, differs }
    };
    let mut rows: Vec<Row> = shown.iter().map(row).collect();
    // What only the store has: apps that an administrator made, and what was set to more than its default there.
    let only_stored = stored.into_iter().filter(|(_, stored)| !stored.value.is_empty());
    rows.extend(only_stored.map(|(key, stored)| {
        let shown = Shown { key, value: String::new(), origin: "(not written)".to_owned() };
        Row { shown, stored: Some(stored), differs: true }
    }));
    rows.sort_by(|a, b| a.shown.key.cmp(&b.shown.key));
    rows
}

/// A list is a set: its order says nothing.
fn parts(value: &str) -> BTreeSet<&str> {
    value.split(", ").collect()
}
