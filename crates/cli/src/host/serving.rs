//! A server on its socket, until it is told to stop.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Opened;
use super::signals::StopSignals;
use crate::data::DataFolder;
use crate::data::run_file::{Run, RunFile};
use crate::failure::CliError;

/// A server that answers.
pub(crate) struct Ready<'a> {
    /// The server.
    pub(crate) opened: &'a Opened,
    /// Its base URL.
    pub(crate) url: &'a str,
}

/// The listener at `address`, and the base URL it is reached by.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, String), CliError> {
    let failed = |source| CliError::Listen { address: address.to_string(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    // Whoever listens everywhere is reached here, too.
    let host = if local.ip().is_unspecified() { "127.0.0.1".to_owned() } else { local.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Ok((listener, format!("http://{host}:{}", local.port())))
}

/// Serves until SIGINT or SIGTERM, then finishes what is under way. `ready` is called once requests are answered.
pub(crate) async fn serve<F>(
    opened: Opened,
    folder: &DataFolder,
    socket: (TcpListener, String),
    ready: F,
) -> anyhow::Result<()>
where
    F: AsyncFnOnce(Ready<'_>) -> anyhow::Result<()>,
{
    let (listener, url) = socket;
    let mut signals = StopSignals::catch()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = opened.server.router();
    let mut serving = tokio::spawn(misario_server::serve(listener, router, async {
        // Whoever drops the sender wants it to stop as well.
        let _ = stopped.await;
    }));
    let run = Run { url: url.clone(), pid: std::process::id(), client: opened.credential.clone() };
    let run_file = RunFile::write(folder, &run)?;
    let made_ready = ready(Ready { opened: &opened, url: &url }).await;
    let mut ended = None;
    if made_ready.is_ok() {
        tokio::select! {
            outcome = &mut serving => ended = Some(outcome),
            () = signals.next() => {}
        }
    }
    // From here on nobody shall find this server.
    drop(run_file);
    drop(stop);
    tracing::info!("stopping");
    if ended.is_none() {
        tokio::select! {
            outcome = &mut serving => ended = Some(outcome),
            // Who asks twice does not want to wait for others' requests.
            () = signals.next() => {}
        }
    }
    opened.close().await?;
    if let Some(outcome) = ended {
        outcome??;
    }
    made_ready
}
