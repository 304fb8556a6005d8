//! Forms on routes that have asked for something already.

use misario_core::app::App;
use misario_core::authn::Requirement;
use misario_core::changes::ChangeKind;

use super::*;
use crate::Guard;
use crate::testing::app_id;

async fn send_form(router: Router, guard: &Guard, cookie: &str, form: String) -> Response<String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/pay")
        .header("cookie", cookie)
        .header("origin", OWN)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    send(&router.layer(guard.layer()), request).await
}

#[tokio::test]
async fn a_form_is_of_the_app_that_its_route_asked_for() {
    let bench = Bench::new(Mode::Jwt);
    let api = App { id: app_id("api"), ..Bench::of("api", Mode::Jwt).app };
    bench.apply(ChangeKind::AppChanged { app: Box::new(api) });
    let token = CsrfToken::issue(bench.keys.replica(), CsrfBinding::Login(&sid(1)), &Counting::default()).unwrap();
    let form = format!("amount=5&_csrf={}", token.expose());
    // By the request alone nobody could tell which of the two apps of one origin is meant.
    let asked_for = bench.guard.require(Requirement::default().of_app(app_id("web")));
    let router = Router::new().route("/pay", post(pay).layer(asked_for));
    let cookie = format!("__Host-misario-web={}", bench.jwt(|_| {}));
    assert_eq!(send_form(router, &bench.guard, &cookie, form.clone()).await.body(), "alice pays 5");

    let other = Bench::of("api", Mode::Jwt);
    let router = Router::new().route("/pay", post(pay).layer(other.guard.require(role("hr"))));
    let both = format!("{cookie}; __Host-misario-api={}", other.jwt(|claims| claims.sub = "bob".parse().unwrap()));
    let response = send_form(router, &bench.guard, &both, form).await;
    assert_eq!(response.body(), "bob pays 5", "the caller is who was asked for the role");
}
