//! Administration. One file per kind of thing; the policy is in the route table.

pub(super) mod apps;
pub(super) mod bootstrap;
pub(super) mod clients;
pub(super) mod config;
pub(super) mod keys;
pub(super) mod replicas;
pub(super) mod revoke;
pub(super) mod sessions;
pub(super) mod tokens;
pub(super) mod users;

use serde::Deserialize;

/// A page asked for.
#[derive(Deserialize)]
pub(super) struct PageQuery {
    after: Option<String>,
    limit: Option<u32>,
}

impl PageQuery {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(100).clamp(1, 1_000)
    }
}
