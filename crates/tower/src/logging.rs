//! What of a process's log holds no credential.

use tracing::{Level, Metadata};

/// Whether the event may be logged: everything but what is known to hold credentials. To be part of every filter of a
/// process that has misario in it; it is no choice of what is worth logging.
///
/// # Security
/// misario writes no credential to its log. Libraries below it write what passes through them: `tungstenite`, by which
/// a connected app follows its authority, hands the handshake with the client's secret, and frames with the tokens of
/// users, to the facade `log` at `TRACE`. A subscriber that takes in `log` (the feature `tracing-log` of
/// `tracing-subscriber`, `env_logger`, …) and asks for `trace` keeps them, unless this stands in front. What comes by
/// `log` bears that name alone, so below `INFO` none of it is let through:
///
/// ```
/// # use tracing_subscriber::{Layer as _, filter::filter_fn, layer::SubscriberExt as _};
/// let layer = tracing_subscriber::fmt::layer().with_filter(filter_fn(misario_tower::may_be_logged));
/// let subscriber = tracing_subscriber::registry().with(layer);
/// ```
pub fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !is_of_transport(metadata.target())
}

/// Crates through whose hands requests, responses and frames go. By `log`, the target is the crate's, too.
fn is_of_transport(target: &str) -> bool {
    const CRATES: [&str; 9] =
        ["tungstenite", "tokio_tungstenite", "hyper", "hyper_util", "h2", "tower_http", "axum", "rustls", "log"];
    let of = target.split("::").next().unwrap_or(target);
    CRATES.contains(&of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whoever_carries_credentials_is_kept_from_the_log() {
        for target in ["tungstenite::protocol", "h2::frame", "hyper", "log"] {
            assert!(is_of_transport(target), "{target}");
        }
        for target in ["misario_server::http", "my_app", "my_app::hyper", "hyperion", "sqlx"] {
            assert!(!is_of_transport(target), "{target}");
        }
    }
}
