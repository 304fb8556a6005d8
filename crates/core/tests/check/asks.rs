//! What memory cannot tell, and what becomes of the authority's answer.

use std::sync::Arc;
use std::time::Duration;

use misario_core::authn::{
    Answer, AppHint, Ask, Check, CredentialFault, Facts, Request, Requirement, Step, UnavailableFault,
};
use misario_core::changes::{ChangeKind, Target};
use misario_core::claims::{ACCESS_TYP, AccessClaims};
use misario_jose::{Algorithm, KeySet, SigningKey};

use crate::bench::{
    Bench, JOINED, Shown, after, app_id, at, bearer, claims, cookie, session_facts, sid, subject, without_lease, yes,
};

#[test]
fn without_a_lease_the_authority_is_asked_and_its_answer_is_not_kept() {
    let bench = Bench::new();
    let token = bearer(&bench.sign(&claims()));
    assert_eq!(bench.get(&token, after(1)).code(), "yes");
    let facts = Facts::of_claims(claims(), app_id("web"), None);
    let answer = Answer { as_of: at(JOINED), outcome: Ok(Arc::new(facts)) };
    for _ in 0..2 {
        assert_eq!(bench.get(&token, without_lease(after(1))).code(), "verdict", "never from memory");
        assert_eq!(bench.get_with(&token, without_lease(after(1)), &answer).code(), "yes");
    }
    let no = Answer { as_of: at(JOINED), outcome: Err(CredentialFault::Revoked.into()) };
    assert_eq!(bench.get_with(&token, without_lease(after(1)), &no).code(), "credential_revoked");
}

/// The code when the authority does not answer.
fn unanswered(bench: &Bench, requirement: &Requirement, shown: &Shown, leased: bool) -> &'static str {
    let now = if leased { after(1) } else { without_lease(after(1)) };
    let (memory, web) = (&bench.memory, app_id("web"));
    let hint = AppHint { own: Some(&web), parameter: None };
    let request = Request { method: "GET", headers: shown, hint, form_token: None };
    let mut check = Check::begin(memory, requirement, request).unwrap();
    let Step::Ask(ask) = check.step(memory, now) else { panic!("nothing was asked") };
    match check.resume(memory, now, &ask, Err(UnavailableFault::Authority)) {
        Step::Done(Err(rejection)) => {
            assert!(!rejection.is_anonymous() && !rejection.is_renewable(), "no client may take it for a logout");
            rejection.code()
        }
        step => panic!("{step:?}"),
    }
}

#[test]
fn an_authority_that_does_not_answer_is_no_logout_and_never_a_yes() {
    let bench = Bench::new();
    let jwt = bearer(&bench.sign(&claims()));
    let session = cookie(&bench.session_token(sid(1)));
    let leased = Requirement::default();
    assert_eq!(unanswered(&bench, &leased, &jwt, false), "lease_expired");
    assert_eq!(unanswered(&bench, &leased, &session, false), "lease_expired");
    assert_eq!(unanswered(&bench, &leased, &session, true), "authority_unavailable");
    assert_eq!(unanswered(&bench, &leased.authoritative(), &jwt, true), "authority_unavailable");
}

/// Whoever has no lease because of its store is told of the store.
#[test]
fn what_keeps_the_authority_from_answering_is_passed_on() {
    let bench = Bench::new();
    let (requirement, web, shown) = (Requirement::default(), app_id("web"), bearer(&bench.sign(&claims())));
    let hint = AppHint { own: Some(&web), parameter: None };
    let request = Request { method: "GET", headers: &shown, hint, form_token: None };
    let mut check = Check::begin(&bench.memory, &requirement, request).unwrap();
    let now = without_lease(after(1));
    let Step::Ask(ask) = check.step(&bench.memory, now) else { panic!("nothing was asked") };
    let fault = UnavailableFault::Store { code: "store_full" };
    let Step::Done(Err(rejection)) = check.resume(&bench.memory, now, &ask, Err(fault)) else { panic!("let in") };
    assert_eq!(rejection.code(), "store_full");
}

#[test]
fn routes_that_want_the_authoritys_word_ask_for_it_each_time() {
    let bench = Bench::new();
    let token = bearer(&bench.sign(&claims()));
    assert_eq!(bench.get(&token, after(1)).code(), "yes");
    let fresh = Requirement::default().fresh(Duration::from_mins(1));
    for requirement in [Requirement::default().authoritative(), fresh.clone()] {
        assert_eq!(bench.check(&requirement, "GET", &token, after(1)).code(), "verdict");
    }
    let facts = Arc::new(Facts::of_claims(claims(), app_id("web"), None));
    let word = |_: &Ask| Some(Answer { as_of: at(JOINED), outcome: Ok(Arc::clone(&facts)) });
    for (later, code) in [(60, "yes"), (61, "authentication_too_old")] {
        assert_eq!(bench.drive(&fresh, "GET", &token, after(later), word).code(), code);
    }
}

#[test]
fn a_session_is_loaded_once() {
    let bench = Bench::new();
    let token = cookie(&bench.session_token(sid(1)));
    assert_eq!(bench.get(&token, after(1)).code(), "load");
    assert_eq!(bench.get_with(&token, after(1), &yes(sid(1), at(JOINED))).code(), "yes");
    assert_eq!(bench.get(&token, after(299)).code(), "yes");
    assert_eq!(bench.get(&cookie(&bench.session_token(sid(2))), after(1)).code(), "load");
    assert_eq!(bench.get(&token, without_lease(after(1))).code(), "verdict");
}

/// Of 300 seconds of idle time a twentieth is 15; the authority knows of the use that it was asked about.
#[test]
fn a_use_is_noted_when_the_last_one_known_is_some_time_ago() {
    let bench = Bench::new();
    let token = cookie(&bench.session_token(sid(1)));
    assert_eq!(bench.get_with(&token, after(0), &yes(sid(1), at(JOINED))).code(), "yes");
    for (later, noted) in [(0, None), (14, None), (15, Some(15)), (16, Some(16))] {
        assert_eq!(bench.get(&token, after(later)).code(), "yes");
        assert_eq!(bench.touched_at(sid(1)), noted.map(|later| after(later).wall), "{later}");
    }
}

#[test]
fn at_the_idle_deadline_the_authority_is_asked_and_memory_refuses_nothing() {
    let bench = Bench::new();
    let token = cookie(&bench.session_token(sid(1)));
    assert_eq!(bench.get_with(&token, after(1), &yes(sid(1), at(JOINED))).code(), "yes");
    assert_eq!(bench.get(&token, after(300)).code(), "load");
    let used_elsewhere = Facts { deadline: after(500).wall, ..session_facts(sid(1)) };
    let answer = Answer { as_of: at(JOINED), outcome: Ok(Arc::new(used_elsewhere)) };
    assert_eq!(bench.get_with(&token, after(300), &answer).code(), "yes");
    assert_eq!(bench.get(&token, after(499)).code(), "yes");
    let no = Answer { as_of: at(JOINED), outcome: Err(CredentialFault::SessionIdle.into()) };
    assert_eq!(bench.get_with(&token, after(500), &no).code(), "session_idle");
}

/// A change happens between a load's question and its answer, which is as of `as_of`; then whether it was answered,
/// and whether from memory the second time.
fn raced(as_of: u64, happens: impl FnOnce(&mut Bench)) -> (&'static str, &'static str) {
    let mut bench = Bench::new();
    let token = cookie(&bench.session_token(sid(1)));
    let (requirement, web) = (Requirement::default(), app_id("web"));
    let hint = AppHint { own: Some(&web), parameter: None };
    let request = Request { method: "GET", headers: &token, hint, form_token: None };
    let mut check = Check::begin(&bench.memory, &requirement, request).unwrap();
    let Step::Ask(ask) = check.step(&bench.memory, after(1)) else { panic!("nothing was asked") };
    happens(&mut bench);
    let first = match check.resume(&bench.memory, after(1), &ask, Ok(yes(sid(1), at(as_of)))) {
        Step::Done(Ok(_)) => "yes",
        Step::Done(Err(rejection)) => rejection.code(),
        Step::Ask(_) => "asked",
    };
    (first, bench.get(&token, after(1)).code())
}

#[test]
fn rules_20_and_21_a_load_that_raced_a_covering_change_is_answered_and_not_kept() {
    let covering = [
        ChangeKind::SessionChanged { sid: sid(1) },
        ChangeKind::SubjectChanged { subject: subject("alice"), before: None },
        ChangeKind::Revoked { target: Target::Login(sid(1)), before: None },
        ChangeKind::Revoked { target: Target::User(subject("alice")), before: None },
        ChangeKind::Revoked { target: Target::App(app_id("web")), before: None },
        ChangeKind::Revoked { target: Target::Everything, before: None },
    ];
    for kind in covering {
        let happens = |bench: &mut Bench| _ = bench.apply(kind.clone());
        assert_eq!(raced(JOINED, happens), ("yes", "load"), "{kind:?}");
        assert_eq!(raced(JOINED + 1, happens), ("yes", "yes"), "{kind:?}: the load shows it already");
    }
    let of_another = |bench: &mut Bench| _ = bench.apply(ChangeKind::SessionChanged { sid: sid(2) });
    assert_eq!(raced(JOINED, of_another), ("yes", "yes"));
    assert_eq!(raced(JOINED, Bench::join), ("yes", "load"), "a rejoin intervened");
    assert_eq!(raced(JOINED - 1, |_| ()), ("yes", "load"), "what happened since is not known");
}

#[test]
fn a_change_throws_a_cached_session_out() {
    let mut bench = Bench::new();
    let token = cookie(&bench.session_token(sid(1)));
    assert_eq!(bench.get_with(&token, after(1), &yes(sid(1), at(JOINED))).code(), "yes");
    bench.apply(ChangeKind::SessionChanged { sid: sid(2) });
    assert_eq!(bench.get(&token, after(1)).code(), "yes");
    let changed = bench.apply(ChangeKind::SessionChanged { sid: sid(1) });
    assert_eq!(bench.get(&token, after(1)).code(), "load");
    assert_eq!(bench.get_with(&token, after(1), &yes(sid(1), changed)).code(), "yes");
    bench.revoke(Target::Login(sid(1)));
    assert_eq!(bench.get(&token, after(1)).code(), "load", "never from memory again");
}

#[test]
fn garbage_is_refused_before_anybody_is_asked() {
    let bench = Bench::new();
    let good = bench.session_token(sid(1));
    let cut = &good[..good.len() - 1];
    for (text, code) in [
        ("mst_".to_owned(), "secret_malformed"),
        (cut.to_owned(), "secret_malformed"),
        (format!("mst_{}", "A".repeat(good.len() - 4)), "secret_key_unknown"),
        (good.replacen("mst_AAAAAQ", "mst_AAAAAR", 1), "secret_tag_wrong"),
    ] {
        for now in [after(1), without_lease(after(1))] {
            assert_eq!(bench.get(&cookie(&text), now).code(), code, "{text}");
        }
    }
    for text in ["x", "mrt_AAAA", "a.b.c.d"] {
        assert_eq!(bench.get(&cookie(text), after(1)).code(), "credential_unrecognised", "{text}");
    }
}

/// Also where the authority would be asked anyway: whoever floods such a route costs nobody but this process.
#[test]
fn a_jwt_that_nobody_could_accept_is_refused_before_anybody_is_asked() {
    let bench = Bench::new();
    let good = bench.sign(&claims());
    let (body, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{body}.{}", signature.chars().rev().collect::<String>());
    let other_kind = bench.key.sign_jwt("jwt", &claims()).unwrap();
    let routes = [
        (Requirement::default(), without_lease(after(1))),
        (Requirement::default().authoritative(), after(1)),
        (Requirement::default().fresh(Duration::from_mins(1)), after(1)),
    ];
    for (requirement, now) in &routes {
        let code = |text: &str| bench.check(requirement, "GET", &bearer(text), *now).code();
        assert_eq!(code(&good), "verdict");
        assert!(["jwt_signature_invalid", "jwt_malformed_base64"].contains(&code(&forged)), "{}", code(&forged));
        assert_eq!(code("a.b.c"), "jwt_malformed_base64");
        assert_eq!(code("eyJhbGciOiJub25lIn0.e30."), "jwt_algorithm_none");
        assert_eq!(code(&other_kind), "jwt_typ_mismatch");
        assert_eq!(code(&"a.".repeat(20_000)), "credential_oversized");
        let stranger = SigningKey::generate(Algorithm::Es256, &bench.entropy);
        assert_eq!(code(&stranger.sign_jwt(ACCESS_TYP, &claims()).unwrap()), "verdict", "its key may be a new one");
        let other_audience = AccessClaims { aud: "app:new".to_owned(), ..claims() };
        assert_eq!(code(&bench.sign(&other_audience)), "verdict", "so may its audience");
    }
}

#[test]
fn a_symmetric_token_is_asked_about_once_where_its_key_is_not() {
    let mut bench = Bench::new();
    let key = SigningKey::generate(Algorithm::Hs256, &bench.entropy);
    let token = bearer(&key.sign_jwt(ACCESS_TYP, &claims()).unwrap());
    assert_eq!(bench.get(&token, after(1)).code(), "load");
    let facts = Facts::of_claims(claims(), app_id("web"), Some("hs-1"));
    let answer = Answer { as_of: at(JOINED), outcome: Ok(Arc::new(facts)) };
    assert_eq!(bench.get_with(&token, after(1), &answer).code(), "yes");
    assert_eq!(bench.get(&token, after(1)).code(), "yes", "from memory");
    bench.revoke(Target::Token("j-1".to_owned()));
    assert_eq!(bench.get(&token, after(1)).code(), "load", "and not after it was revoked");
    let mut keys = KeySet::new();
    keys.insert(key.verifying_key()).unwrap();
    bench.memory.set_secret_keys(keys);
    assert_eq!(bench.get(&token, after(1)).code(), "credential_revoked");
    let other = AccessClaims { jti: "j-2".to_owned(), ..claims() };
    assert_eq!(bench.get(&bearer(&key.sign_jwt(ACCESS_TYP, &other).unwrap()), after(1)).code(), "yes");
}

#[test]
fn the_authoritys_yes_for_another_app_is_a_no() {
    let bench = Bench::new();
    let token = cookie(&bench.session_token(sid(1)));
    let of_spa = Facts { app: app_id("spa"), ..session_facts(sid(1)) };
    let answer = Answer { as_of: at(JOINED), outcome: Ok(Arc::new(of_spa)) };
    for _ in 0..2 {
        assert_eq!(bench.get_with(&token, after(1), &answer).code(), "app_mismatch");
    }
}
