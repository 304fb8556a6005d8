//! The store in memory keeps the contract.

use std::sync::Arc;

use misario_core::store::MemoryStore;

fn make() -> (Arc<MemoryStore>, ()) {
    (Arc::new(MemoryStore::new()), ())
}

misario_testkit::conformance!(make, race_rounds = 100_000);
