//! The app of the demonstrations: a process that knows the server by `connect` only, as any app would.

use std::io::{self, BufRead as _, Write as _};

use axum::Router;
use axum::routing::get;
use misario::{Misario, Principal};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::Context;
use crate::host;

/// What the demonstration tells on standard input.
#[derive(Deserialize)]
struct Told {
    url: String,
    app: String,
    client: String,
    secret: String,
}

/// Serves until whoever started it is gone.
pub(crate) async fn run(context: &Context) -> anyhow::Result<()> {
    host::start_log(&context.environment, "error", host::LogFormat::Text)?;
    host::raise_file_limit();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let told: Told = serde_json::from_str(&line)?;

    let misario = Misario::connect(&told.url).client(&told.client, &told.secret).app(&told.app).start().await?;
    let app = Router::new()
        .route("/private", get(|who: Principal| async move { who.subject().to_string() }))
        .merge(misario.routes())
        .layer(misario.layer());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json!({ "url": format!("http://{}", listener.local_addr()?) }))?;
    out.flush()?;
    drop(out);
    misario_server::serve(listener, app, orphaned()).await?;
    misario.shutdown().await;
    Ok(())
}

/// Standard input ends with the process that holds its other end, however that one ends.
async fn orphaned() {
    let waited = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin().lock(), &mut io::sink())).await;
    drop(waited);
}
