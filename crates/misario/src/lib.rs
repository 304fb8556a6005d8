//! Sign-in state for your app: JWTs, server-side sessions, or both; checked in local memory, revoked everywhere.
//!
//! [`Misario::embedded`] runs the authority inside the app, on one SQLite file. [`Misario::connect`] follows an
//! authority in another process. Handlers, guards and clients are the same either way, and in every mode:
//!
//! ```no_run
//! use axum::{Router, routing::{get, post}};
//! use misario::{Misario, Mode, Principal, minutes, role};
//!
//! # async fn pay() {}
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "embedded")] {
//! let misario = Misario::embedded("app.db").app("web", Mode::Session).start().await?;
//! let app: Router = Router::new()
//!     .route("/me", get(|who: Principal| async move { who.subject().to_string() }))
//!     .route("/payroll", post(pay).layer(misario.require(role("hr").fresh(minutes(5)))))
//!     .merge(misario.routes()) // login, logout, refresh, …
//!     .layer(misario.layer());
//! misario.serve("127.0.0.1:3000", app).await?;
//! # } Ok(()) }
//! ```
//!
//! # Logging
//!
//! misario writes no credential to its log, at no level. Libraries below it do, at `TRACE` by the facade `log`: the
//! handshake of a connected app, and frames with its users' tokens. Have [`may_be_logged`] in your subscriber's filter
//! if it takes in `log`, or never ask it for `trace` of `tungstenite`. The filter leaves your own lines alone.
//!
//! It is no user interface for administration and no command line; those are `misario-server` and the `misario` binary.
//!
//! | feature | what it brings |
//! |---|---|
//! | `embedded` (default) | the server and the SQLite store in this process |
//! | `connect` | following a server in another process: no SQLite, no Argon2 |

#[cfg(feature = "embedded")]
mod embedded;
// What the README shows has to compile.
#[cfg(all(doctest, feature = "embedded", feature = "connect"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
#[cfg(feature = "connect")]
mod connect;
mod handle;
mod login;
#[cfg(feature = "embedded")]
mod master;
#[cfg(feature = "embedded")]
mod serve;
#[cfg(feature = "embedded")]
mod user;

use std::time::Duration;

#[cfg(feature = "embedded")]
pub use embedded::{Embedded, EmbeddedError};
#[cfg(feature = "embedded")]
pub use master::{MasterKeyError, MasterKeys};
pub use misario_core::app::{App, Mode, Origin, Transport};
pub use misario_core::authn::{Requirement, permission, role, scope};
pub use misario_core::id::{AppId, ClientId, SessionId, Subject};
pub use misario_tower::{AuthLayer, CsrfForm, Guard, Login, Principal, RequireLayer, may_be_logged};
#[cfg(feature = "connect")]
pub use misario_tower::{ConnectError, ConnectOptions};

#[cfg(feature = "connect")]
pub use connect::Connect;
pub use handle::Misario;
pub use login::AppLogin;
#[cfg(feature = "embedded")]
pub use misario_server::{Error as AuthorityError, StartError};
#[cfg(feature = "embedded")]
pub use serve::ServeError;
#[cfg(feature = "embedded")]
pub use user::{AddUser, AddedUser};

/// So many minutes, for [`Requirement::fresh`].
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}
