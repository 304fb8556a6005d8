//! Layers of several guards around one handler: the innermost judges, and the response is taken care of once.

use misario_core::authn::Requirement;

use super::*;
use crate::testing::app_id;

/// A router of the `inner` app in one of the `outer` app.
fn nested(outer: &Bench, inner: &Bench) -> Router {
    let who = |who: Principal| async move { format!("{} of {}", who.subject(), who.app()) };
    let maybe = |who: Option<Principal>| async move { who.map_or("nobody".into(), |who| who.subject().to_owned()) };
    let inner = Router::new()
        .route("/who", get(who))
        .route("/maybe", get(maybe))
        .route("/login", get(|login: Login| async move { login.sid().to_string() }))
        .route("/hr", get(who).layer(inner.guard.require(role("hr"))))
        .route("/cookies", get(cookies))
        .layer(inner.guard.layer());
    Router::new().route("/who", get(who)).nest("/inner", inner).layer(outer.guard.layer())
}

fn spent(bench: &Bench) -> String {
    bench.jwt(|claims| {
        claims.iat = UnixTime::from_secs(NOW - 900);
        claims.exp = UnixTime::from_secs(NOW - 1);
    })
}

fn cookie_of(bench: &Bench, access: &str) -> String {
    format!("{}={access}", bench.app.cookies.access)
}

async fn ask(router: &Router, path: &str, cookies: &str) -> Response<String> {
    send(router, request(Method::GET, path, &[("cookie", cookies)])).await
}

#[tokio::test]
async fn a_login_of_the_outer_app_is_none_in_the_inner_one() {
    for (one, other) in [("web", "api"), ("api", "web")] {
        let (outer, inner) = (Bench::of(one, Mode::Jwt), Bench::of(other, Mode::Jwt));
        let router = nested(&outer, &inner);
        let (outer_cookie, inner_cookie) =
            (cookie_of(&outer, &outer.jwt(|_| {})), cookie_of(&inner, &inner.jwt(|_| {})));
        for path in ["/inner/who", "/inner/login", "/inner/hr"] {
            assert_eq!(ask(&router, path, &outer_cookie).await.status(), 401, "{path}");
            assert_eq!(ask(&router, path, &inner_cookie).await.status(), 200, "{path}");
        }
        assert_eq!(ask(&router, "/inner/maybe", &outer_cookie).await.body(), "nobody");
        assert_eq!(ask(&router, "/who", &inner_cookie).await.status(), 401);
        let both = format!("{outer_cookie}; {inner_cookie}");
        assert_eq!(ask(&router, "/who", &both).await.body(), &format!("alice of {one}"));
        assert_eq!(ask(&router, "/inner/who", &both).await.body(), &format!("alice of {other}"));
        assert_eq!(ask(&router, "/inner/cookies", &both).await.body(), "");
        let bearer = format!("Bearer {}", outer.jwt(|_| {}));
        let response = send(&router, request(Method::GET, "/inner/who", &[("authorization", &bearer)])).await;
        assert_eq!(response.status(), 401);
    }
}

/// The outer app's login is looked at by a layer in between, the inner app's by the handler; both are due.
#[tokio::test]
async fn cookies_of_both_apps_are_renewed_once_each() {
    let (outer, inner) = (Bench::of("web", Mode::Jwt), Bench::of("api", Mode::Jwt));
    let who = |who: Principal| async move { who.subject().to_owned() };
    let router = Router::new()
        .route("/who", get(who).layer(inner.guard.layer()))
        .layer(outer.guard.require(Requirement::default()))
        .layer(outer.guard.layer());
    let cookies = format!("{}; {}", cookie_of(&outer, &spent(&outer)), cookie_of(&inner, &spent(&inner)));
    for bench in [&outer, &inner] {
        bench.renews(&bench.jwt(|_| {}));
    }
    let response = ask(&router, "/who", &cookies).await;
    assert_eq!(response.status(), 200);
    let lines: Vec<_> =
        response.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect();
    let names: Vec<_> = lines.iter().map(|line| line.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["__Host-misario-web", "__Host-misario-api"]);
    assert_eq!(response.headers().get_all(VARY).iter().count(), 1, "closed by the outermost layer only");
}

#[tokio::test]
async fn one_app_behind_two_guards_is_renewed_once() {
    let bench = Bench::new(Mode::Jwt);
    bench.renews(&bench.jwt(|_| {}));
    let who = |who: Principal| async move { who.subject().to_owned() };
    let of_app = bench.guard.for_app(app_id("web"));
    let router = Router::new()
        .route("/who", get(who).layer(of_app.layer()))
        .layer(bench.guard.require(Requirement::default()))
        .layer(bench.guard.layer());
    let response = ask(&router, "/who", &cookie_of(&bench, &spent(&bench))).await;
    assert_eq!((response.status(), response.headers().get_all(SET_COOKIE).iter().count()), (StatusCode::OK, 1));
    assert_eq!(bench.told.renewals.lock().len(), 1);
}
