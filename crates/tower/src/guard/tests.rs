use misario_core::app::{Mode, Transport};
use misario_core::authn::{AskedFor, CredentialFault, RequestFault, UnavailableFault};
use misario_core::changes::{ChangeKind, Target};
use misario_core::id::Subject;
use misario_jose::UnixTime;
use std::time::Duration;

use super::*;
use crate::testing::{Bench, NOW, parts, sid, with_bearer, with_cookie};

async fn checked(bench: &Bench, parts: &Parts) -> Result<Checked, Refused> {
    bench.guard.check(&CheckRequest::of(parts), &Requirement::default()).await
}

async fn rejected(bench: &Bench, parts: &Parts) -> Rejection {
    checked(bench, parts).await.unwrap_err().rejection
}

fn spent(bench: &Bench) -> String {
    bench.jwt(|claims| {
        claims.iat = UnixTime::from_secs(NOW - 900);
        claims.exp = UnixTime::from_secs(NOW - 1);
    })
}

fn half_spent(bench: &Bench) -> String {
    bench.jwt(|claims| claims.iat = UnixTime::from_secs(NOW - 1_000))
}

#[tokio::test]
async fn a_jwt_is_judged_from_memory() {
    let bench = Bench::new(Mode::Jwt);
    let checked = checked(&bench, &with_bearer(&bench.jwt(|_| {}))).await.unwrap();
    assert_eq!(checked.permit.principal().subject(), "alice");
    assert!(bench.told.asked.lock().is_empty());
}

#[tokio::test]
async fn a_session_is_asked_for_once() {
    let bench = Bench::new(Mode::Session);
    let token = bench.session_token(sid(1));
    bench.knows(&token, bench.session(sid(1)));
    for _ in 0..3 {
        checked(&bench, &with_cookie(&token)).await.unwrap();
    }
    assert_eq!(*bench.told.asked.lock(), [(token, AskedFor::Load)]);
}

#[tokio::test]
async fn a_revocation_that_was_applied_refuses_at_once() {
    let bench = Bench::new(Mode::Jwt);
    let request = with_bearer(&bench.jwt(|_| {}));
    checked(&bench, &request).await.unwrap();
    bench.apply(ChangeKind::Revoked { target: Target::Login(sid(1)), before: None });
    assert_eq!(rejected(&bench, &request).await, CredentialFault::Revoked.into());
}

#[tokio::test]
async fn without_a_lease_the_authority_is_asked_and_else_it_cannot_be_told() {
    let bench = Bench::new(Mode::Jwt);
    let token = bench.jwt(|_| {});
    checked(&bench, &with_bearer(&token)).await.unwrap();
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(rejected(&bench, &with_bearer(&token)).await, UnavailableFault::LeaseExpired.into());
    bench.knows(&token, bench.session(sid(1)));
    checked(&bench, &with_bearer(&token)).await.unwrap();
    assert_eq!(*bench.told.asked.lock(), [(token.clone(), AskedFor::Verdict), (token, AskedFor::Verdict)]);
}

/// Both are asked about; what was said of the one is not taken for the other.
#[tokio::test]
async fn two_sessions_in_one_request_are_told_apart() {
    let bench = Bench::new(Mode::Session);
    let (one, other) = (bench.session_token(sid(1)), bench.session_token(sid(2)));
    let both = parts(
        http::Method::GET,
        &[("authorization", &format!("Bearer {one}")), ("cookie", &format!("__Host-misario-web={other}"))],
    );
    bench.knows(&one, bench.session(sid(1)));
    bench.knows(&other, bench.session(sid(2)));
    assert_eq!(rejected(&bench, &both).await, RequestFault::CredentialsConflict.into());
    assert_eq!(bench.told.asked.lock().len(), 2);
}

#[tokio::test]
async fn a_spent_cookie_is_renewed_and_the_request_goes_on() {
    let bench = Bench::new(Mode::Jwt);
    bench.renews(&bench.jwt(|_| {}));
    let spent = spent(&bench);
    let checked = checked(&bench, &with_cookie(&spent)).await.unwrap();
    assert_eq!(checked.fresh.unwrap().set_cookies().len(), 1);
    assert_eq!(*bench.told.renewals.lock(), [(Some(spent), None)]);
}

#[tokio::test]
async fn a_stale_cookie_is_renewed_too() {
    let bench = Bench::new(Mode::Jwt);
    let stale = bench.jwt(|_| {});
    bench.apply(ChangeKind::SubjectChanged { subject: Subject::new("alice").unwrap(), before: None });
    bench.renews(&bench.jwt(|claims| claims.pos = crate::testing::at(3)));
    assert!(checked(&bench, &with_cookie(&stale)).await.unwrap().fresh.is_some());
}

#[tokio::test]
async fn a_renewed_cookie_goes_out_even_if_the_route_wants_more() {
    let bench = Bench::new(Mode::Jwt);
    bench.renews(&bench.jwt(|_| {}));
    let request = with_cookie(&spent(&bench));
    let admin = misario_core::authn::role("admin");
    let refused = bench.guard.check(&CheckRequest::of(&request), &admin).await.unwrap_err();
    assert_eq!((refused.rejection.code(), refused.fresh.is_some()), ("role_missing", true));
}

#[tokio::test]
async fn a_login_that_cannot_be_renewed_is_refused_as_the_authority_says() {
    let bench = Bench::new(Mode::Jwt);
    let request = with_cookie(&spent(&bench));
    *bench.told.renewal.lock() = Some(Err(RenewError::Refused(CredentialFault::Revoked.into())));
    assert_eq!(rejected(&bench, &request).await, CredentialFault::Revoked.into());
    *bench.told.renewal.lock() = None;
    assert_eq!(rejected(&bench, &request).await, UnavailableFault::Authority.into(), "never a logout");
}

#[tokio::test]
async fn half_way_a_cookie_is_renewed_in_passing_once_a_second() {
    let bench = Bench::new(Mode::Jwt);
    bench.renews(&bench.jwt(|_| {}));
    let request = with_cookie(&half_spent(&bench));
    assert!(checked(&bench, &request).await.unwrap().fresh.is_some());
    assert!(checked(&bench, &request).await.unwrap().fresh.is_none(), "a sibling that was already on its way");
    bench.clock.advance(Duration::from_secs(1));
    assert!(checked(&bench, &request).await.unwrap().fresh.is_some(), "the response was lost");
}

#[tokio::test]
async fn a_renewal_in_passing_that_fails_changes_nothing() {
    let bench = Bench::new(Mode::Jwt);
    let request = with_cookie(&half_spent(&bench));
    assert!(checked(&bench, &request).await.unwrap().fresh.is_none());
    assert_eq!(bench.told.renewals.lock().len(), 1);
}

#[tokio::test]
async fn after_a_switch_a_cookie_is_exchanged_however_young() {
    let bench = Bench::new(Mode::Jwt);
    let request = with_cookie(&bench.jwt(|_| {}));
    bench.renews(&bench.session_token(sid(1)));
    assert!(checked(&bench, &request).await.unwrap().fresh.is_none());
    bench.switch(Mode::Session);
    assert!(checked(&bench, &request).await.unwrap().fresh.is_some());
}

#[tokio::test]
async fn nobody_renews_for_a_client_that_can_do_it_itself() {
    let bench = Bench::new(Mode::Jwt);
    bench.renews(&bench.jwt(|_| {}));
    assert_eq!(rejected(&bench, &with_bearer(&spent(&bench))).await.code(), "jwt_expired");
    assert!(checked(&bench, &with_bearer(&half_spent(&bench))).await.unwrap().fresh.is_none());
    let split = bench.jwt(|claims| {
        claims.iat = UnixTime::from_secs(NOW - 1_000);
        claims.trn = Some(Transport::Split);
    });
    assert!(checked(&bench, &with_cookie(&split)).await.unwrap().fresh.is_none());
    assert!(bench.told.renewals.lock().is_empty());
}

#[tokio::test]
async fn a_guard_of_one_app_takes_no_other() {
    let bench = Bench::new(Mode::Jwt);
    let guard = bench.guard.for_app(AppId::new("web").unwrap());
    let token = format!("Bearer {}", bench.jwt(|_| {}));
    let request = parts(http::Method::GET, &[("authorization", &token), ("misario-app", "other")]);
    assert!(guard.check(&CheckRequest::of(&request), &Requirement::default()).await.is_ok());
    assert_eq!(rejected(&bench, &request).await, RequestFault::AppUnknown.into());
}
