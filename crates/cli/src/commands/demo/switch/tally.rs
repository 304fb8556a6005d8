//! What all clients saw.

use std::collections::{BTreeMap, BTreeSet};
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

/// A request of the recorded client: what code sends it, not what is in it.
///
/// The one client rule has one branch, which the client takes by what it was handed and not by any mode: it refreshes
/// with its refresh token, else with its access token. So the same code has taken the same path where requests to one
/// place, made while holding the same, have the same form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    /// `POST /v1/refresh`.
    pub(super) to: String,
    /// The credential that the rule takes of those it holds.
    pub(super) holds: &'static str,
    /// Names of headers and of the body's members.
    pub(super) names: String,
}

impl Form {
    fn text(&self) -> String {
        format!("{} {}", self.to, self.names)
    }
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
    /// Which clients have been let in, by leg.
    worked: Vec<BTreeSet<usize>>,
    recorded: Vec<BTreeSet<Form>>,
    complaints: Vec<String>,
}

/// More complaints than this say nothing new.
const COMPLAINTS: usize = 10;

impl Tally {
    /// A tally for these legs.
    pub(super) fn new(modes: impl Iterator<Item = &'static str>) -> Self {
        let modes: Vec<_> = modes.collect();
        let (recorded, worked) = (vec![BTreeSet::new(); modes.len()], vec![BTreeSet::new(); modes.len()]);
        Self { modes, inner: Mutex::new(Inner { worked, recorded, ..Inner::default() }) }
    }

    /// Counts something.
    pub(super) fn count(&self, count: impl FnOnce(&mut Seen)) {
        self.with(|inner| count(&mut inner.seen));
    }

    /// Notes that a client was let in.
    pub(super) fn worked(&self, leg: usize, client: usize) {
        self.with(|inner| {
            if let Some(clients) = inner.worked.get_mut(leg) {
                clients.insert(client);
            }
        });
    }

    /// How many clients have been let in during a leg.
    pub(super) fn at_work(&self, leg: usize) -> usize {
        self.with(|inner| inner.worked.get(leg).map_or(0, BTreeSet::len))
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
    pub(super) fn record(&self, leg: usize, request: Form) {
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

    /// In how many legs the recorded client asked otherwise than before, holding the same.
    pub(super) fn code_path_changes(&self) -> u64 {
        self.with(|inner| {
            let mut path: BTreeMap<(&str, &str), &str> = BTreeMap::new();
            let mut changed = 0;
            for requests in &inner.recorded {
                let mut same = true;
                for Form { to, holds, names } in requests {
                    same &= *path.entry((to, holds)).or_insert(names) == names;
                }
                changed += u64::from(!same);
            }
            changed
        })
    }

    /// All forms of the recorded client's requests.
    pub(super) fn forms(&self) -> BTreeSet<String> {
        self.with(|inner| inner.recorded.iter().flatten().map(Form::text).collect())
    }

    fn recorded_in(&self, leg: usize) -> BTreeSet<String> {
        self.with(|inner| inner.recorded.get(leg).into_iter().flatten().map(Form::text).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn form(holds: &'static str, names: &str) -> Form {
        Form { to: "POST /v1/refresh".to_owned(), holds, names: names.to_owned() }
    }

    #[test]
    fn another_request_for_the_same_thing_held_is_another_code_path() {
        let tally = Tally::new(["session", "hybrid", "jwt"].into_iter());
        tally.record(0, form("access_token", "(misario-app) {access_token}"));
        tally.record(1, form("access_token", "(misario-app) {access_token}"));
        tally.record(1, form("refresh_token", "(misario-app) {refresh_token}"));
        assert_eq!((tally.code_path_changes(), tally.forms().len()), (0, 2));
        tally.record(2, form("refresh_token", "(misario-app) {access_token}"));
        assert_eq!(tally.code_path_changes(), 1);
    }

    #[test]
    fn a_client_counts_once_in_a_leg() {
        let tally = Tally::new(["session", "hybrid"].into_iter());
        for (leg, client) in [(0, 1), (0, 1), (0, 2), (1, 2), (9, 2)] {
            tally.worked(leg, client);
        }
        assert_eq!([0, 1, 2].map(|leg| tally.at_work(leg)), [2, 1, 0]);
    }
}
