//! What all clients saw.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

/// Counts over all clients.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Requests to the protected route.
    pub(super) calls: u64,
    /// Refreshes that succeeded.
    pub(super) refreshes: u64,
    /// Answers that brought a cookie login another credential by themselves.
    pub(super) renewals: u64,
    /// 401 `token_expired` or `token_stale`, followed by a refresh and a success.
    pub(super) expected_401: u64,
    /// Any other 401.
    pub(super) unexpected_401: u64,
    /// Clients that could only go on by signing in.
    pub(super) signed_out: u64,
    /// 503: asked again, no sign-out.
    pub(super) unavailable: u64,
    /// Anything else that is no success.
    pub(super) failures: u64,
}

/// Counts, and the recorded client's requests leg by leg.
#[derive(Debug)]
pub(super) struct Tally {
    modes: Vec<&'static str>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    seen: Seen,
    recorded: Vec<BTreeSet<String>>,
    complaints: Vec<String>,
}

/// More complaints than this say nothing new.
const COMPLAINTS: usize = 10;

impl Tally {
    /// A tally for these legs.
    pub(super) fn new(modes: impl Iterator<Item = &'static str>) -> Self {
        let modes: Vec<_> = modes.collect();
        let recorded = vec![BTreeSet::new(); modes.len()];
        Self { modes, inner: Mutex::new(Inner { recorded, ..Inner::default() }) }
    }

    /// Counts something.
    pub(super) fn count(&self, count: impl FnOnce(&mut Seen)) {
        self.with(|inner| count(&mut inner.seen));
    }

    /// Notes what went wrong, for people.
    pub(super) fn complain(&self, leg: usize, text: &str) {
        let mode = self.modes.get(leg).copied().unwrap_or_default();
        self.with(|inner| {
            if inner.complaints.len() < COMPLAINTS {
                inner.complaints.push(format!("in {mode}: {text}"));
            }
        });
    }

    /// Notes the form of a request of the recorded client.
    pub(super) fn record(&self, leg: usize, request: String) {
        self.with(|inner| {
            if let Some(requests) = inner.recorded.get_mut(leg) {
                requests.insert(request);
            }
        });
    }

    /// The counts so far.
    pub(super) fn seen(&self) -> Seen {
        self.with(|inner| inner.seen.clone())
    }

    /// The counts so far on one line.
    pub(super) fn line(&self) -> String {
        let seen = self.seen();
        let mut line = format!("{} calls, {} refreshes", seen.calls, seen.refreshes);
        // Writing to a String cannot fail.
        let _ = write!(line, ", unexpected 401: {}, new sign-ins: {}", seen.unexpected_401, seen.signed_out);
        line
    }

    /// What went wrong, as far as it was noted.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.with(|inner| inner.complaints.clone())
    }

    /// In how many legs the recorded client asked in a way that it did not ask in in the first.
    pub(super) fn code_path_changes(&self) -> u64 {
        self.with(|inner| {
            let first = inner.recorded.first().cloned().unwrap_or_default();
            inner.recorded.iter().filter(|requests| !requests.is_subset(&first)).count() as u64
        })
    }

    /// The recorded client's requests in a leg.
    pub(super) fn recorded_in(&self, leg: usize) -> Vec<String> {
        self.with(|inner| inner.recorded.get(leg).into_iter().flatten().cloned().collect())
    }

    /// The recorded client's requests by leg.
    pub(super) fn recorded(&self) -> Value {
        let legs = self.modes.iter().enumerate().map(|(leg, mode)| {
            let mut entry = Map::new();
            entry.insert("mode".to_owned(), json!(mode));
            entry.insert("requests".to_owned(), json!(self.recorded_in(leg)));
            Value::Object(entry)
        });
        legs.collect()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        // A client that panicked while counting has counted whole numbers.
        work(&mut self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
