//! What every store must do, as one suite that is never copied.
//!
//! A store's test file says how to make an empty one, and gets a test per law:
//!
//! ```text
//! fn make() -> (Arc<MemoryStore>, ()) {
//!     (Arc::new(MemoryStore::new()), ())
//! }
//! misario_testkit::conformance!(make, race_rounds = 100_000);
//! ```
//!
//! The second half of the pair is kept until the check is over (a folder that is removed when it is dropped). Checks
//! use time only as an argument, so nothing here waits for time to go by; what waits for an event has a deadline.

pub mod bodies;
pub mod fences;
pub mod lists;
pub mod log;
mod macros;
pub mod polling;
pub mod pruning;
pub mod races;
pub mod readings;
pub mod records;
pub mod registry;
pub mod sessions;
pub mod waiting;

use std::sync::Arc;
use std::time::Duration;

use misario_core::store::{LiveStore, RecordStore};

/// A store with both roles.
pub trait Store: LiveStore + RecordStore + 'static {}
impl<T: LiveStore + RecordStore + 'static> Store for T {}

/// How long a check may take before it counts as stuck.
const DEADLINE: Duration = Duration::from_mins(5);

/// Makes a store and runs one check on it, on a runtime with several threads.
///
/// # Panics
/// If the store breaks the law, or the check does not end.
pub fn run<S: Store, G, C>(make: impl FnOnce() -> (Arc<S>, G), check: C)
where
    C: AsyncFnOnce(Arc<dyn Store>),
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let (store, _kept) = make();
        tokio::time::timeout(DEADLINE, check(store)).await.expect("the check does not end");
    });
}

/// `some`, or `all` in a long run (`MISARIO_SOAK=1`).
#[expect(clippy::disallowed_methods, reason = "the one place where tests ask how long they may take")]
pub fn rounds(some: u64, all: u64) -> u64 {
    if std::env::var_os("MISARIO_SOAK").is_some_and(|value| value == "1") { all } else { some }
}
