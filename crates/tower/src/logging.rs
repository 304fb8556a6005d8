//! What of a process's log holds no credential.

use tracing::{Level, Metadata};

/// Whether the event may be logged: misario's own at every level, everybody else's up to `INFO`. To be part of every
/// filter of a process that has misario in it.
///
/// # Security
/// misario writes no credential to its log. Libraries below it write what passes through them: `tungstenite`, by which
/// a connected app follows its authority, hands the handshake with the client's secret, and frames with the tokens of
/// users, to the facade `log` at `TRACE`. A subscriber that takes in `log` (the feature `tracing-log` of
/// `tracing-subscriber`, `env_logger`, …) and asks for `trace` keeps them, unless this stands in front:
///
/// ```
/// # use tracing_subscriber::{Layer as _, filter::filter_fn, layer::SubscriberExt as _};
/// let layer = tracing_subscriber::fmt::layer().with_filter(filter_fn(misario_tower::may_be_logged));
/// let subscriber = tracing_subscriber::registry().with(layer);
/// ```
pub fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("misario") || *metadata.level() <= Level::INFO
}
