//! A protected route, whole: sign-in, sessions, revocation and CSRF are `misario.routes()` and `misario.layer()`.

use axum::{Router, routing::get};
use misario::{Misario, Mode, Principal, role};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the password of the first user is shown once, to whoever starts it")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let misario = Misario::embedded("app.db").app("web", Mode::Session).start().await?;
    if let Some(alice) = misario.add_user("alice").roles(["hr"]).if_absent().await? {
        println!("alice's password: {}", alice.password());
    }
    let app = Router::new()
        .route("/me", get(|who: Principal| async move { who.subject().to_owned() }))
        .route("/payroll", get(|| async { "salaries" }).layer(misario.require(role("hr"))))
        .merge(misario.routes())
        .layer(misario.layer());
    misario.serve(&address, app).await?;
    Ok(())
}
