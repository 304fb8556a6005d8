//! The example does what its README says, with an authority beside it.

#![expect(clippy::unwrap_used, reason = "a step that fails here panics; that is the test's answer")]

#[path = "../../axum-minimal/tests/support/mod.rs"]
mod support;

use misario::{Misario, Mode};
use misario_server::instance::NewClient;
use support::{Program, signs_in_and_out};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_at_the_app_gets_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Misario::embedded(folder.path().join("app.db")).app("web", Mode::Session).start().await.unwrap();
    let alice = authority.add_user("alice").roles(["hr"]).create().await.unwrap();
    let server = authority.server().unwrap();
    let client = NewClient {
        id: misario::ClientId::new("web-backend").unwrap(),
        app: Some(misario::AppId::new("web").unwrap()),
        rights: [misario_core::client::Right::Feed].into(),
        scopes: Vec::new(),
    };
    let (_, secret) = server.instance().add_client(client).await.unwrap();
    std::fs::write(folder.path().join("client.secret"), format!("{}\n", secret.expose())).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = server.router();
    tokio::spawn(async move { misario_server::serve(listener, router, std::future::pending()).await });

    let program = env!("CARGO_BIN_EXE_axum-connected");
    let (connected, _said) = Program::start(program, folder.path(), &[&url, "client.secret"]).await;
    signs_in_and_out(&connected, alice.password()).await;
    connected.stop().await;
}
