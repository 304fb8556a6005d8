//! The way through the modes.

use std::time::Duration;

/// A stay in one mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leg {
    /// The mode.
    pub(super) mode: &'static str,
    /// How long to stay.
    pub(super) stay: Duration,
}

/// session → hybrid → jwt → session, and half-way back: a switch that is turned round before everybody has exchanged
/// what they hold.
pub(super) fn plan(stay: Duration, lifetime: Duration) -> Vec<Leg> {
    let half = lifetime / 2;
    [
        ("session", stay),
        ("hybrid", stay),
        ("jwt", stay),
        ("session", stay),
        ("jwt", half),
        ("hybrid", half),
        ("jwt", stay),
    ]
    .into_iter()
    .map(|(mode, stay)| Leg { mode, stay })
    .collect()
}
