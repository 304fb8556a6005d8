//! misario in front of a tower service: the layers and extractors that check each request, and the replica that follows
//! the change log of an authority, so that an app in a process of its own answers checks from memory.
//!
//! It decides nothing: what counts is decided by [`misario_core::authn::Check`], and this crate feeds it headers,
//! clocks and answers. It opens no store and hashes no password; it listens on no socket.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use misario_tower::{ConnectOptions, Connection, Principal, role};
//!
//! # async fn run(options: ConnectOptions) -> Result<(), Box<dyn std::error::Error>> {
//! let connection = Connection::start(options).await?;
//! let guard = connection.guard();
//! let app: Router = Router::new()
//!     .route("/me", get(|who: Principal| async move { who.subject().to_owned() }))
//!     .route("/payroll", get(|| async { "…" }).layer(guard.require(role("hr"))))
//!     .merge(connection.routes())
//!     .layer(guard.layer());
//! # Ok(()) }
//! ```
//!
//! | module | what is there |
//! |---|---|
//! | `guard`, `gate` | the check, driven; what is kept of a request |
//! | `layer`, `extract` | tower layers; axum extractors |
//! | [`problem`] | the one mapping from a rejection to a response |
//! | [`feed`] | the replica that follows an authority |
//! | `connect`, `forward` | an app in a process of its own, and the routes it forwards |
//! | [`authority`] | whoever can tell what the memory cannot |
//! | `clock`, `entropy` | time and randomness of the process |
//! | `logging` | what of a log holds no credential |

pub mod authority;
mod clock;
mod connect;
mod cookies_out;
mod entropy;
mod extract;
pub mod feed;
mod forward;
mod gate;
mod guard;
mod headers;
mod http_client;
mod layer;
mod logging;
pub mod problem;
#[cfg(test)]
mod testing;

/// How long an authority waits for the head of a request, and so keeps a connection without one.
pub const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(5);

pub use authority::Authority;
pub use clock::{Clock, SystemClock};
pub use connect::{ConnectError, ConnectOptions, Connection};
pub use entropy::OsEntropy;
pub use extract::{CsrfForm, Login, Principal};
pub use forward::{AppSignIn, Replaced, visitor_cookie};
pub use gate::Gate;
pub use guard::{CheckRequest, Checked, Fresh, Guard, GuardParts, Refused};
pub use headers::HeaderView;
pub use layer::{AuthLayer, AuthService, RequireLayer, RequireService, keep_from_caches};
pub use logging::may_be_logged;
pub use misario_core::authn::{Requirement, permission, role, scope};
pub use problem::Problem;
