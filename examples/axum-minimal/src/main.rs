//! A protected route, whole: sign-in, sessions, revocation and CSRF are `misario.routes()` and `misario.layer()`.

use axum::{Router, routing::get};
use misario::{Misario, Mode, Principal, role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let misario = Misario::embedded("app.db").app("web", Mode::Session).start().await?;
    let app = Router::new()
        .route("/me", get(|who: Principal| async move { who.subject().to_owned() }))
        .route("/payroll", get(|| async { "salaries" }).layer(misario.require(role("hr"))))
        .merge(misario.routes())
        .layer(misario.layer());
    misario.serve("127.0.0.1:3000", app).await?;
    Ok(())
}
