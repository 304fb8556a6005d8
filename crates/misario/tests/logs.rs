//! A connected app whose subscriber takes in everything, `log` included: what the shipped filter lets through holds no
//! credential, and what it holds back does.

#![expect(clippy::unwrap_used, reason = "a step that fails here panics; that is the test's answer")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::{Router, routing::get};
use base64_simd::STANDARD;
use http::{Request, StatusCode};
use misario::{ClientId, Misario, Mode, Principal};
use misario_core::client::Right;
use misario_server::instance::NewClient;
use tower::ServiceExt as _;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// What a subscriber wrote.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn holds(&self, text: &str) -> bool {
        let written = self.0.lock().unwrap();
        written.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// Two logs of this process: of everything at the finest level, and of what the filter of the command line lets through.
fn logged() -> (Written, Written) {
    let (all, shipped) = (Written::default(), Written::default());
    let writing = |to: &Written| {
        let to = to.clone();
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || to.clone())
    };
    let trace = || EnvFilter::new("trace");
    let layers = vec![
        writing(&all).with_filter(trace()).boxed(),
        writing(&shipped).with_filter(trace().and(filter_fn(misario::may_be_logged))).boxed(),
    ];
    let subscriber = tracing_subscriber::registry().with(layers);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing_log::LogTracer::init().unwrap();
    (all, shipped)
}

async fn get_who(app: &Router, token: &str) -> StatusCode {
    let request = Request::get("/who").header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_apps_log_holds_no_credential_under_the_shipped_filter() {
    let (all, shipped) = logged();
    let folder = tempfile::tempdir().unwrap();
    let authority = Misario::embedded(folder.path().join("app.db")).app("web", Mode::Session).start().await.unwrap();
    let server = authority.server().unwrap();
    let id = ClientId::new("web-backend").unwrap();
    let rights = [Right::Feed, Right::Issue].into();
    let client = NewClient { id, app: Some(misario::AppId::new("web").unwrap()), rights, scopes: Vec::new() };
    let secret = server.instance().add_client(client).await.unwrap().1.expose().to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = server.router();
    tokio::spawn(async move { misario_server::serve(listener, router, std::future::pending()).await });

    let misario = Misario::connect(&url).client("web-backend", &secret).app("web").start().await.unwrap();
    let app: Router =
        Router::new().route("/who", get(|_: Principal| async {})).merge(misario.routes()).layer(misario.layer());
    let signed_in = misario.login("usr_x").into_response(&Request::new(()).into_parts().0).await;
    let octets = axum::body::to_bytes(signed_in.into_body(), 1 << 16).await.unwrap();
    let signed_in: serde_json::Value = serde_json::from_slice(&octets).unwrap();
    let token = signed_in["access_token"].as_str().unwrap();
    // A session is asked for by the feed, with the token in a frame.
    assert_eq!(get_who(&app, token).await, StatusCode::OK);
    misario.shutdown().await;

    let handshake = STANDARD.encode_to_string(format!("web-backend:{secret}"));
    assert!(all.holds(&handshake), "what is warned of is so: else the warning and the filter could go");
    for (what, text) in [("secret", secret.as_str()), ("secret", &handshake), ("token", token)] {
        assert!(!shipped.holds(text), "the {what} is in the log");
    }
    assert!(shipped.holds("following the authority from a snapshot"), "misario's own is there");
}
