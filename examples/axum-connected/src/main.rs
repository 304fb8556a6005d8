//! The same app in a process of its own: it follows a misario server, and answers checks from its own memory.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use misario::{Misario, Principal, role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "http://127.0.0.1:8420".to_owned());
    let secret = std::fs::read_to_string(arguments.next().unwrap_or_else(|| "client.secret".to_owned()))?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3001".to_owned());
    let misario = Misario::connect(&url).client("web-backend", secret.trim()).app("web").start().await?;
    let app: Router = Router::new()
        .route("/me", get(|who: Principal| async move { who.subject().to_owned() }))
        .route("/payroll", get(|| async { "salaries" }).layer(misario.require(role("hr"))))
        .merge(misario.routes())
        .layer(misario.layer());
    let listener = tokio::net::TcpListener::bind(address).await?;
    // With the caller's address, by which the server slows down whoever guesses passwords.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
