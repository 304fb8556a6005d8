//! An app that follows an authority, served on a loopback port.

use axum::routing::{get, post};
use axum::{Json, Router};
use misario::{ConnectError, Misario, Principal, role};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::http::{Http, Reply, Request};

/// A connected app with its server.
pub(crate) struct App {
    pub(crate) url: String,
    pub(crate) http: Http,
    misario: Misario,
    served: JoinHandle<()>,
}

impl App {
    /// Connects as the client to the authority at `url`, and serves.
    pub(crate) async fn connect(url: &str, client: (&str, &str), app: &str) -> Result<Self, ConnectError> {
        let misario = Misario::connect(url).client(client.0, client.1).app(app).start().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = routes(&misario);
        let served = tokio::spawn(async move {
            misario_server::serve(listener, router, std::future::pending()).await.unwrap();
        });
        Ok(Self { url, http: Http::new(), misario, served })
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// How the app answers the token at its protected route.
    pub(crate) async fn who(&self, token: &str) -> Reply {
        self.get("/who", token).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.http.send(Request::get(&self.at(path)).bearer(token)).await
    }

    /// Leaves the authority.
    pub(crate) async fn leave(self) {
        self.misario.shutdown().await;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.served.abort();
    }
}

fn routes(misario: &Misario) -> Router {
    Router::new()
        .route("/who", get(who))
        .route("/pay", post(|| async { "paid" }).layer(misario.require(role("hr"))))
        .route("/hr", get(|| async { "hr" }).layer(misario.require(role("hr"))))
        .merge(misario.routes())
        .layer(misario.layer())
}

/// Everything that a handler can learn of its caller and that has to be the same in every mode.
async fn who(who: Principal) -> Json<Value> {
    let facts = who.facts();
    Json(json!({
        "subject": who.subject(), "app": who.app(), "roles": who.roles(), "permissions": who.permissions(),
        "org": who.org(), "amr": who.amr(), "auth_time": who.auth_time(), "scopes": who.scopes(),
        "sid": facts.sid, "transport": facts.transport, "login_exp": facts.login_exp,
    }))
}
