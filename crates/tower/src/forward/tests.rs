use axum::routing::any;
use base64_simd::STANDARD;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method};
use misario_core::app::Mode;
use misario_core::id::ClientId;
use tower::ServiceExt as _;

use super::*;
use crate::http_client::Limits;
use crate::testing::{Bench, client_secret};

/// What an answer of the authority protects itself with.
const PROTECTION: [(&str, &str); 7] = [
    ("content-security-policy", "default-src 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("clear-site-data", "\"cookies\""),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

/// What the stand-in for the authority was sent.
async fn echo(parts: Parts, body: String) -> impl axum::response::IntoResponse {
    let lines: Vec<_> =
        parts.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    let text = format!("{} {}\n{}\n{body}", parts.method, parts.uri, lines.join("\n"));
    let headers = [("set-cookie", "a=1"), ("location", "/next"), ("server", "secret"), ("content-type", "text/x-echo")];
    (StatusCode::ACCEPTED, headers, axum::response::AppendHeaders(PROTECTION), text)
}

/// Served where the test's own authority listens: this is about what goes over the wire, not about what is answered.
async fn authority() -> String {
    authority_of(Router::new().fallback(any(echo))).await
}

async fn authority_of(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

fn app(bench: &Bench, url: &str) -> Router {
    let forwarder = forwarder(bench, url);
    forwarder.routes().layer(forwarder.0.guard.layer())
}

fn forwarder(bench: &Bench, url: &str) -> Forwarder {
    Forwarder::new(target(url), bench.guard.for_app(bench.app.id.clone()))
}

fn target(url: &str) -> Arc<Target> {
    Arc::new(Target::new(url, &ClientId::new("web-backend").unwrap(), &client_secret(7)).unwrap())
}

fn request(method: Method, path: &str) -> http::request::Builder {
    http::Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", "theme=dark; __Host-misario-web=access; __Host-misario-web-refresh=refresh")
        .header("cookie", "__Host-misario-web-visitor=nonce; __Host-misario-other=foreign")
        .header("authorization", "Bearer a.b.c")
        .header("authorization", "Basic dTpw")
        .header("origin", "https://web.example.com")
        .header("sec-fetch-site", "same-origin")
        .header("x-csrf-token", "mct_x")
        .header("content-type", "application/json")
        .header("user-agent", "test")
        .header("misario-app", "admin")
        .header("misario-client", "Basic Zm9yZ2Vk")
        .header("misario-forwarded-for", "203.0.113.9")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-http-method-override", "DELETE")
}

async fn text(response: Response) -> String {
    let octets = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(octets.to_vec()).unwrap()
}

#[tokio::test]
async fn the_authority_is_shown_what_it_needs_and_nothing_else() {
    let bench = Bench::new(Mode::Session);
    let mut sent = request(Method::POST, "/v1/login?return_to=%2F").body(Body::from("{}")).unwrap();
    sent.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4_000))));
    let shown = text(app(&bench, &authority().await).oneshot(sent).await.unwrap()).await;
    let mut lines: Vec<_> = shown.lines().filter(|line| !line.starts_with("host: ")).collect();
    lines.sort_unstable();
    let client = STANDARD.encode_to_string(format!("web-backend:{}", client_secret(7).expose()));
    let client = format!("misario-client: Basic {client}");
    let expected = [
        "POST /v1/login?return_to=%2F",
        "authorization: Bearer a.b.c",
        "content-length: 2",
        "content-type: application/json",
        "cookie: __Host-misario-web=access; __Host-misario-web-refresh=refresh; __Host-misario-web-visitor=nonce",
        "misario-app: web",
        client.as_str(),
        "misario-forwarded-for: 192.0.2.7",
        "origin: https://web.example.com",
        "sec-fetch-site: same-origin",
        "user-agent: test",
        "x-csrf-token: mct_x",
        "{}",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn the_answer_is_relayed_without_what_is_the_authoritys_own() {
    let bench = Bench::new(Mode::Session);
    let sent = request(Method::GET, "/v1/me").body(Body::empty()).unwrap();
    let response = app(&bench, &authority().await).oneshot(sent).await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let headers: &HeaderMap = response.headers();
    assert_eq!(
        (&headers[SET_COOKIE], &headers[LOCATION], &headers[CONTENT_TYPE]),
        (&"a=1".parse().unwrap(), &"/next".parse().unwrap(), &"text/x-echo".parse().unwrap(),)
    );
    assert!(!headers.contains_key("server"));
    for (name, value) in PROTECTION {
        assert_eq!(headers[name], value);
    }
}

#[tokio::test]
async fn an_authority_that_is_down_is_no_logout() {
    let bench = Bench::new(Mode::Session);
    // A port that was free a moment ago, and that nobody listens on.
    let url = format!("http://{}", tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    let sent = request(Method::POST, "/v1/refresh").body(Body::empty()).unwrap();
    let response = app(&bench, &url).oneshot(sent).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after") && !response.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn an_app_that_is_refused_itself_is_no_logout() {
    let bench = Bench::new(Mode::Session);
    let refused = |code: &'static str| async move {
        let body = format!("{{\"status\":401,\"code\":\"{code}\",\"ref\":\"r\"}}");
        let headers = [("www-authenticate", "Basic realm=\"misario\""), ("set-cookie", "a=1")];
        (StatusCode::UNAUTHORIZED, headers, body)
    };
    let router = Router::new()
        .route("/v1/refresh", post(move || refused("invalid_client")))
        .route("/v1/login", post(move || refused("invalid_credentials")));
    let app = app(&bench, &authority_of(router).await);
    let sent = |path| request(Method::POST, path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(sent("/v1/refresh")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers();
    assert!(headers.contains_key("retry-after"));
    assert!(!headers.contains_key("www-authenticate") && !headers.contains_key(SET_COOKIE));
    assert!(text(response).await.contains("\"code\":\"unavailable\""));
    let response = app.oneshot(sent("/v1/login")).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "this one is about the user");
}

#[tokio::test]
async fn a_wrong_secret_is_logged_once_in_a_while() {
    let bench = Bench::new(Mode::Session);
    let forwarder = forwarder(&bench, "http://127.0.0.1:1");
    assert!(forwarder.complain());
    assert!(!forwarder.complain());
    bench.clock.advance(COMPLAINT);
    assert!(forwarder.complain());
}

#[tokio::test]
async fn a_service_that_tells_no_address_is_warned_of_once() {
    let bench = Bench::new(Mode::Session);
    let url = authority().await;
    let mut sent = request(Method::GET, "/v1/me").body(Body::empty()).unwrap();
    sent.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4_000))));
    let forwarder = forwarder(&bench, &url);
    let app: Router = forwarder.routes();
    app.clone().oneshot(sent).await.unwrap();
    assert!(!forwarder.0.missed_peer.load(Ordering::Relaxed));
    app.oneshot(request(Method::GET, "/v1/me").body(Body::empty()).unwrap()).await.unwrap();
    assert!(forwarder.0.missed_peer.load(Ordering::Relaxed));
    assert!(!forwarder.miss_peer(), "it was said");
}

/// A sign-out everywhere may wait for the lease of whoever is cut off, and is no failure while it does.
#[tokio::test]
async fn an_authority_that_waits_for_a_lease_is_waited_for() {
    let bench = Bench::new(Mode::Session);
    bench.guard.memory().write().replica_mut().set_ttl(Duration::from_mins(1));
    let (answers, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::new().fallback(any(move || {
        let (answer, answered) = tokio::sync::oneshot::channel::<()>();
        let _ = answers.send(answer);
        async move { drop(answered.await) }
    }));
    let url = authority_of(router).await;
    let impatient = HttpClient::within(Limits { call: Duration::from_millis(20), idle: Duration::from_secs(1) });
    let forwarder = Forwarder::by(impatient.clone(), target(&url), bench.guard.for_app(bench.app.id.clone()));
    let app: Router = forwarder.routes();
    let sent = request(Method::POST, "/v1/logout-all").body(Body::empty()).unwrap();
    let answered = tokio::spawn(app.oneshot(sent));
    let answer = asked.recv().await.unwrap();
    // Begun later, and given up: so the first one has outlived the limit that is none of a lease.
    let other = http::Request::get(&url).body(Full::default()).unwrap();
    assert!(impatient.call(other, Duration::ZERO).await.is_err());
    answer.send(()).unwrap();
    assert_eq!(answered.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn only_what_belongs_to_sign_in_is_forwarded() {
    let bench = Bench::new(Mode::Session);
    let app = app(&bench, &authority().await);
    for (method, path, status) in [
        (Method::DELETE, "/v1/sessions/0123", 202),
        (Method::GET, "/v1/sessions", 202),
        (Method::GET, "/v1/login?app=web", 202),
        (Method::GET, "/assets/style.0123456789abcdef.css", 202),
        (Method::GET, "/assets/app.css", 404),
        (Method::POST, "/v1/sessions", 405),
        (Method::GET, "/v1/feed", 404),
        (Method::GET, "/admin/v1/users", 404),
        (Method::DELETE, "/v1/sessions/0123/more", 404),
    ] {
        let sent = request(method, path).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(sent).await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn the_apps_own_assets_are_its_own() {
    let bench = Bench::new(Mode::Session);
    let own = Router::new().route("/assets/{*path}", get(|| async { "own" }));
    let app = app(&bench, &authority().await).merge(own);
    let sent = request(Method::GET, "/assets/app.css").body(Body::empty()).unwrap();
    assert_eq!(text(app.oneshot(sent).await.unwrap()).await, "own");
}

#[tokio::test]
async fn a_large_body_stays_here() {
    let bench = Bench::new(Mode::Session);
    let sent = request(Method::POST, "/v1/login").body(Body::from(vec![b' '; MAX_BODY + 1])).unwrap();
    let response = app(&bench, &authority().await).oneshot(sent).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
