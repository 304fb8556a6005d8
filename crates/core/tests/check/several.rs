//! Two credentials in one request, and credentials that browsers send by themselves.

use misario_core::authn::{AppHint, Check, Request, Requirement, Step, UnavailableFault, Via};
use misario_core::claims::AccessClaims;
use misario_core::secret::{CsrfBinding, CsrfToken};

use crate::bench::{Answered, Bench, JOINED, after, app_id, at, bearer, claims, cookie, sid, subject, yes};

fn bob() -> AccessClaims {
    AccessClaims { sub: subject("bob"), sid: Some(sid(2)), jti: "j-2".to_owned(), ..claims() }
}

#[test]
fn two_live_credentials_of_different_logins_conflict() {
    let bench = Bench::new();
    let (alice, bob) = (bench.sign(&claims()), bench.sign(&bob()));
    assert_eq!(bench.get(&bearer(&alice).and_cookie(&bob), after(1)).code(), "credentials_conflict");
    let again = bench.sign(&AccessClaims { sid: Some(sid(3)), ..claims() });
    let two_logins = bearer(&alice).and_cookie(&again);
    assert_eq!(bench.get(&two_logins, after(1)).code(), "credentials_conflict", "one user's two logins, too");
}

#[test]
fn two_credentials_of_one_login_are_one() {
    let bench = Bench::new();
    let jwt = bench.sign(&claims());
    let both = bearer(&jwt).and_cookie(&bench.session_token(sid(1)));
    assert_eq!(bench.get(&both, after(1)).code(), "load", "the one beside it may be another's");
    let Answered::Yes(permit) = bench.get_with(&both, after(1), &yes(sid(1), at(JOINED))) else { panic!("refused") };
    assert_eq!(permit.via(), Via::Header);
    let Answered::Yes(_) = bench.get(&bearer(&jwt).and_cookie(&jwt), after(1)) else { panic!("refused") };
}

#[test]
fn a_dead_cookie_beside_a_live_bearer_is_not_there() {
    let bench = Bench::new();
    let alice = bench.sign(&claims());
    let ended = bench.sign(&AccessClaims { exp: after(1).wall, ..bob() });
    for dead in [ended.as_str(), "mst_", "mrt_AAAA", "x", ""] {
        let Answered::Yes(permit) = bench.get(&bearer(&alice).and_cookie(dead), after(1)) else { panic!("{dead}") };
        assert_eq!((permit.principal().subject(), permit.via()), ("alice", Via::Header));
    }
}

/// Nobody knows whether it lives, and whose it is: that is no word that it is dead.
#[test]
fn a_cookie_that_cannot_be_told_is_not_taken_for_a_dead_one() {
    let bench = Bench::new();
    let both = bearer(&bench.sign(&claims())).and_cookie(&bench.session_token(sid(2)));
    let (requirement, web) = (Requirement::default(), app_id("web"));
    let hint = AppHint { own: Some(&web), parameter: None };
    let request = Request { method: "GET", headers: &both, hint, form_token: None };
    let mut check = Check::begin(&bench.memory, &requirement, request).unwrap();
    let Step::Ask(ask) = check.step(&bench.memory, after(1)) else { panic!("nothing was asked") };
    let fault = UnavailableFault::Store { code: "store_timeout" };
    let Step::Done(Err(rejection)) = check.resume(&bench.memory, after(1), &ask, Err(fault)) else { panic!("let in") };
    assert_eq!(rejection.code(), "store_timeout");
}

#[test]
fn a_dead_bearer_is_not_replaced_by_a_live_cookie() {
    let bench = Bench::new();
    let ended = bench.sign(&AccessClaims { exp: after(1).wall, ..bob() });
    let shown = bearer(&ended).and_cookie(&bench.sign(&claims()));
    assert_eq!(bench.get(&shown, after(1)).code(), "jwt_expired", "the client chose the bearer token");
}

#[test]
fn an_unsafe_request_with_a_cookie_proves_where_it_comes_from() {
    let bench = Bench::new();
    let any = Requirement::default();
    let jwt = bench.sign(&claims());
    let post = |shown| bench.check(&any, "POST", &shown, after(1)).code();
    assert_eq!(bench.get(&cookie(&jwt), after(1)).code(), "yes");
    assert_eq!(post(cookie(&jwt)), "csrf_token_missing");
    assert_eq!(post(cookie(&jwt).and("origin", "https://evil.example")), "csrf_cross_site");
    assert_eq!(post(cookie(&jwt).and("origin", "https://web.example.com")), "yes");
    assert_eq!(post(cookie(&jwt).and("sec-fetch-site", "same-origin")), "yes");
    assert_eq!(post(bearer(&jwt)), "yes", "nobody but the client sends this header");
    let session = cookie(&bench.session_token(sid(1)));
    let answer = |_: &_| Some(yes(sid(1), at(JOINED)));
    assert_eq!(bench.drive(&any, "POST", &session, after(1), answer).code(), "csrf_token_missing");
}

#[test]
fn a_csrf_token_counts_for_its_own_login() {
    let bench = Bench::new();
    let jwt = bench.sign(&claims());
    let token = |n| CsrfToken::issue(bench.memory.replica_keys(), CsrfBinding::Login(&sid(n)), &bench.entropy).unwrap();
    let post = |requirement: &Requirement, text: &str| {
        let shown = cookie(&jwt).and("sec-fetch-site", "same-origin").and("x-csrf-token", text);
        bench.check(requirement, "POST", &shown, after(1)).code()
    };
    let strict = Requirement::default().csrf_token();
    assert_eq!(post(&strict, token(1).expose()), "yes");
    assert_eq!(post(&strict, token(2).expose()), "csrf_token_invalid");
    assert_eq!(post(&strict, ""), "csrf_token_invalid");
    let silent = cookie(&jwt).and("sec-fetch-site", "same-origin");
    assert_eq!(bench.check(&strict, "POST", &silent, after(1)).code(), "csrf_token_missing");
}

#[test]
fn what_is_missing_is_said_to_be_missing() {
    let bench = Bench::new();
    let jwt = bench.sign(&claims());
    for shown in [cookie(""), bearer("mrt_AAAA"), cookie("").and("authorization", "Basic dTpw")] {
        assert_eq!(bench.get(&shown, after(1)).code(), "credential_missing");
    }
    assert_eq!(bench.get(&cookie(&jwt).and_cookie(&jwt), after(1)).code(), "cookie_duplicate");
}

#[test]
fn a_header_that_is_no_text_is_malformed() {
    let bench = Bench::new();
    let jwt = bench.sign(&claims());
    for name in ["authorization", "misario-app", "origin"] {
        let shown = cookie(&jwt).and(name, "Bearer \u{e9}");
        let web = app_id("web");
        // The app is told by the header alone: where the route has its own, nobody reads it.
        let hint = AppHint { own: (name == "authorization").then_some(&web), parameter: None };
        let request = Request { method: "GET", headers: &shown, hint, form_token: None };
        let requirement = Requirement::default();
        let refused = Check::begin(&bench.memory, &requirement, request).unwrap_err();
        assert_eq!(refused.code(), "header_malformed", "{name}");
    }
}
