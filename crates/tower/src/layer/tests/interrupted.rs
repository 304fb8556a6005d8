//! Requests that end before their time: whoever comes after them notices nothing.

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, oneshot};

use super::*;

/// A client that went away drops the future of its request, here in the middle of the handler.
#[tokio::test]
async fn a_request_that_is_given_up_leaves_the_others_alone() {
    let bench = Bench::new(Mode::Jwt);
    let (reached, never) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hangs = {
        let (reached, never) = (Arc::clone(&reached), Arc::clone(&never));
        move |_: Principal| async move {
            reached.notify_one();
            never.notified().await;
        }
    };
    let router = Router::new()
        .route("/hangs", get(hangs).layer(bench.guard.require(role("hr"))))
        .route("/me", get(|who: Principal| async move { who.subject().to_owned() }))
        .layer(bench.guard.layer());
    let cookie = cookie(&bench.jwt(|_| {}));
    for _ in 0..10 {
        let hanging = send(&router, request(Method::GET, "/hangs", &[("cookie", &cookie)]));
        tokio::select! {
            _ = hanging => panic!("it hangs"),
            () = reached.notified() => {}
        }
        let response = send(&router, request(Method::GET, "/me", &[("cookie", &cookie)])).await;
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "alice"));
    }
    assert_eq!(Arc::strong_count(&never), 2, "what was given up is gone: the test and the router hold one each");
}

#[tokio::test]
async fn a_check_that_is_given_up_is_made_anew() {
    let bench = Bench::new(Mode::Session);
    let token = bench.session_token(sid(1));
    let (held, holds) = oneshot::channel::<()>();
    bench.told.hold(holds);
    let router = router(&bench);
    let first = send(&router, request(Method::GET, "/me", &[("cookie", &cookie(&token))]));
    assert!(first.now_or_never().is_none(), "the authority is asked and does not answer");
    drop(held);
    bench.knows(&token, bench.session(sid(1)));
    let response = get_with_cookie(&bench, "/me", &token).await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "alice"));
    assert_eq!(bench.told.asked.lock().len(), 2);
}

#[tokio::test]
async fn a_handler_that_panics_takes_nobody_with_it() {
    let bench = Bench::new(Mode::Jwt);
    let panics = |who: Principal| async move {
        assert!(who.subject().is_empty(), "this handler is broken");
    };
    let router = Router::new()
        .route("/panics", get(panics).layer(bench.guard.require(role("hr"))))
        .route("/me", get(|who: Principal| async move { who.subject().to_owned() }))
        .layer(bench.guard.layer());
    let cookie = cookie(&bench.jwt(|_| {}));
    for _ in 0..10 {
        let (own, cookies) = (router.clone(), cookie.clone());
        let sent = async move { send(&own, request(Method::GET, "/panics", &[("cookie", &cookies)])).await };
        assert!(tokio::spawn(sent).await.unwrap_err().is_panic());
        let response = send(&router, request(Method::GET, "/me", &[("cookie", &cookie)])).await;
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "alice"));
    }
    // Changes are applied under the lock that checks read by.
    bench.lease();
    bench.switch(Mode::Session);
}
