//! What the tests of processes share.

pub(crate) mod app;
pub(crate) mod authority;
pub(crate) mod child;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod site;

use std::time::Duration;

/// Waits until `what` holds, looking every few milliseconds; panics at the deadline.
pub(crate) async fn eventually(name: &str, deadline: Duration, mut what: impl AsyncFnMut() -> bool) {
    let looked = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(deadline, looked).await.unwrap_or_else(|_| panic!("not within {deadline:?}: {name}"));
}
