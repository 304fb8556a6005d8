//! Access JWTs, judged from memory alone.

use misario_core::app::{App, Mode, Transport};
use misario_core::authn::{AppHint, Check, Request, Requirement, Step, permission, role, scope};
use misario_core::changes::{ChangeKind, Target};
use misario_core::claims::{ACCESS_TYP, AccessClaims};
use misario_core::id::ClientId;
use misario_core::refresh::Generation;
use misario_jose::{Algorithm, KeyId, SigningKey};

use crate::bench::{Answered, Bench, JOINED, after, app_id, at, bearer, claims, cookie, sid, subject};

#[test]
fn a_good_token_is_answered_from_memory_the_second_time_too() {
    let bench = Bench::new();
    let token = bearer(&bench.sign(&claims()));
    for _ in 0..2 {
        let Answered::Yes(permit) = bench.get(&token, after(1)) else { panic!("refused") };
        assert_eq!(permit.principal().subject(), "alice");
        assert_eq!(permit.login().unwrap().sid(), sid(1));
    }
    assert_eq!(bench.seen_generation(sid(1)), Some(Generation(7)), "its refresh token's answer arrived");
}

/// The response that brings a renewed cookie may be lost: only the browser's own request shows that it arrived.
#[test]
fn a_cookie_renewed_in_passing_is_not_in_use_before_the_browser_shows_it() {
    let bench = Bench::new();
    let ended = bench.sign(&AccessClaims { exp: after(1).wall, rg: Some(Generation(6)), ..claims() });
    let fresh = bench.sign(&claims());
    let (requirement, web, shown) = (Requirement::default(), app_id("web"), cookie(&ended));
    let hint = AppHint { own: Some(&web), parameter: None };
    let request = Request { method: "GET", headers: &shown, hint, form_token: None };
    let check = Check::begin(&bench.memory, &requirement, request).unwrap();
    let step = check.with_renewed(&fresh).step(&bench.memory, after(1));
    let Step::Done(Ok(permit)) = step else { panic!("{step:?}") };
    assert_eq!(permit.principal().subject(), "alice");
    assert_eq!(bench.seen_generation(sid(1)), None);
    assert_eq!(bench.get(&cookie(&fresh), after(2)).code(), "yes");
    assert_eq!(bench.seen_generation(sid(1)), Some(Generation(7)));
}

#[test]
fn what_is_wrong_with_a_token_is_told() {
    let bench = Bench::new();
    let good = bench.sign(&claims());
    let stranger = SigningKey::generate(Algorithm::Es256, &bench.entropy);
    let impostor = SigningKey::generate(Algorithm::Es256, &bench.entropy).with_kid(KeyId::new("k-1").unwrap());
    let dot = good.rfind('.').unwrap();
    let other = if good.as_bytes()[dot + 1] == b'A' { "B" } else { "A" };
    let tampered = format!("{}{other}{}", &good[..=dot], &good[dot + 2..]);
    assert_eq!(bench.get(&bearer(&good), after(1)).code(), "yes", "and is cached from here on");
    for (token, code) in [
        (bench.sign(&AccessClaims { aud: "app:spa".to_owned(), ..claims() }), "jwt_audience_mismatch"),
        (bench.sign(&AccessClaims { iss: "https://evil.example".to_owned(), ..claims() }), "jwt_issuer_mismatch"),
        (stranger.sign_jwt(ACCESS_TYP, &claims()).unwrap(), "jwt_key_unknown"),
        (impostor.sign_jwt(ACCESS_TYP, &claims()).unwrap(), "jwt_signature_invalid"),
        (bench.key.sign_jwt("jwt", &claims()).unwrap(), "jwt_typ_mismatch"),
        (tampered, "jwt_signature_invalid"),
        (good[..good.len() - 1].to_owned(), "jwt_malformed_base64"),
    ] {
        assert_eq!(bench.get(&bearer(&token), after(1)).code(), code, "{token}");
    }
}

#[test]
fn a_token_ends_whether_it_is_cached_or_not() {
    let (fresh, warm) = (Bench::new(), Bench::new());
    let token = bearer(&warm.sign(&claims()));
    assert_eq!(warm.get(&token, after(899)).code(), "yes");
    for bench in [fresh, warm] {
        let Answered::No(rejection) = bench.get(&token, after(900)) else { panic!("it ended") };
        assert_eq!((rejection.code(), rejection.is_renewable()), ("jwt_expired", true));
    }
}

/// A token of the client `robot`, for itself.
fn robot() -> AccessClaims {
    AccessClaims { sub: subject("robot"), client_id: "robot".to_owned(), sid: None, rg: None, ..claims() }
}

/// The codes after a change, for a token that was cached and for one that was not.
fn after_change(claims: &AccessClaims, kind: &ChangeKind) -> [&'static str; 2] {
    [true, false].map(|cached| {
        let mut bench = Bench::new();
        let token = bearer(&bench.sign(claims));
        if cached {
            assert_eq!(bench.get(&token, after(1)).code(), "yes");
        }
        bench.apply(kind.clone());
        bench.get(&token, after(1)).code()
    })
}

fn revoked(target: Target) -> ChangeKind {
    ChangeKind::Revoked { target, before: None }
}

#[test]
fn whatever_is_revoked_ends_its_tokens_cached_or_not() {
    for target in [
        Target::Token("j-1".to_owned()),
        Target::Login(sid(1)),
        Target::User(subject("alice")),
        Target::App(app_id("web")),
        Target::Key("k-1".to_owned()),
        Target::Everything,
    ] {
        assert_eq!(after_change(&claims(), &revoked(target.clone())), ["credential_revoked"; 2], "{target:?}");
    }
    let client = revoked(Target::Client(ClientId::new("robot").unwrap()));
    assert_eq!(after_change(&robot(), &client), ["credential_revoked"; 2]);
}

#[test]
fn a_revocation_of_something_else_ends_nothing() {
    for target in [
        Target::Token("j-2".to_owned()),
        Target::Login(sid(2)),
        Target::User(subject("bob")),
        Target::App(app_id("spa")),
        // The app's name is the token's `client_id`, and yet it is no client's own token.
        Target::Client(ClientId::new("web").unwrap()),
        Target::Key("k-2".to_owned()),
    ] {
        assert_eq!(after_change(&claims(), &revoked(target.clone())), ["yes"; 2], "{target:?}");
    }
}

#[test]
fn whoever_signs_in_after_a_revocation_stays_in_even_in_the_same_second() {
    let wide = [Target::User(subject("alice")), Target::App(app_id("web")), Target::Everything];
    for target in wide {
        let mut bench = Bench::new();
        let cut_off = bench.revoke(target.clone());
        let code = |pos| bench.get(&bearer(&bench.sign(&AccessClaims { pos, ..claims() })), after(0)).code();
        assert_eq!(code(at(JOINED)), "credential_revoked", "{target:?}");
        assert_eq!((code(cut_off), code(cut_off.next())), ("yes", "yes"), "{target:?}");
    }
    for target in [Target::Login(sid(1)), Target::Token("j-1".to_owned()), Target::Key("k-1".to_owned())] {
        let mut bench = Bench::new();
        let pos = bench.revoke(target.clone()).next();
        let token = bench.sign(&AccessClaims { pos, ..claims() });
        assert_eq!(bench.get(&bearer(&token), after(0)).code(), "credential_revoked", "{target:?} ends for good");
    }
}

#[test]
fn a_change_of_roles_makes_older_tokens_stale_and_a_refresh_helps() {
    let mut bench = Bench::new();
    let token = bearer(&bench.sign(&claims()));
    assert_eq!(bench.get(&token, after(1)).code(), "yes");
    let cut_off = bench.apply(ChangeKind::SubjectChanged { subject: subject("alice"), before: None });
    let Answered::No(rejection) = bench.get(&token, after(1)) else { panic!("its roles are old") };
    assert_eq!((rejection.code(), rejection.is_renewable()), ("token_stale", true));
    let renewed = bench.sign(&AccessClaims { pos: cut_off, ..claims() });
    assert_eq!(bench.get(&bearer(&renewed), after(1)).code(), "yes");
}

#[test]
fn a_key_that_is_gone_ends_its_tokens() {
    assert_eq!(
        after_change(&claims(), &ChangeKind::KeysChanged { jwks: r#"{"keys":[]}"#.to_owned() }),
        ["jwt_key_unknown"; 2]
    );
}

#[test]
fn what_the_route_asks_for_is_asked_of_the_token() {
    let bench = Bench::new();
    let token = bearer(&bench.sign(&claims()));
    for (requirement, code) in [
        (role("hr"), "yes"),
        (role("admin").or_role("hr"), "yes"),
        (role("admin"), "role_missing"),
        (permission("pay"), "yes"),
        (permission("pay").and_permission("fire"), "permission_missing"),
        (scope("read").and_scope("write"), "yes"),
        (scope("rea"), "scope_missing"),
        // Another app's route does not find its audience in the token.
        (role("hr").of_app(app_id("spa")), "jwt_audience_mismatch"),
        (role("hr").of_app(app_id("nope")), "app_unknown"),
    ] {
        assert_eq!(bench.check(&requirement, "GET", &token, after(1)).code(), code, "{requirement:?}");
    }
}

/// A token of our key whose claims are of another form: from a version that is yet to come, or signed by mistake.
#[test]
fn claims_of_another_form_are_refused_by_name() {
    let bench = Bench::new();
    let whole = serde_json::to_value(claims()).unwrap();
    for (claim, value) in
        [("pos", serde_json::json!("1.x")), ("sid", serde_json::json!(7)), ("roles", serde_json::json!("hr"))]
    {
        let mut other = whole.clone();
        other[claim] = value;
        let token = bench.key.sign_jwt(ACCESS_TYP, &other).unwrap();
        assert_eq!(bench.get(&bearer(&token), after(1)).code(), "claims_malformed", "{claim}");
    }
    let mut other = whole;
    other.as_object_mut().unwrap().remove("pos");
    let token = bench.key.sign_jwt(ACCESS_TYP, &other).unwrap();
    assert_eq!(bench.get(&bearer(&token), after(1)).code(), "claims_malformed");
}

/// A day is the longest that an app may give, and whatever revokes is kept for as long.
#[test]
fn a_token_that_outlives_what_any_app_gives_is_refused() {
    let bench = Bench::new();
    let endless = AccessClaims { exp: after(86_401).wall, ..claims() };
    assert_eq!(bench.get(&bearer(&bench.sign(&endless)), after(1)).code(), "jwt_lifetime_too_long");
    let day = AccessClaims { exp: after(86_400).wall, ..claims() };
    assert_eq!(bench.get(&bearer(&bench.sign(&day)), after(1)).code(), "yes");
}

fn with_audience(audience: &str, former: &[&str]) -> ChangeKind {
    let origin = "https://web.example.com".parse().unwrap();
    let mut app = App::new(app_id("web"), Mode::Hybrid, &[Transport::Cookie, Transport::Bearer], vec![origin]);
    audience.clone_into(&mut app.audience);
    app.former_audiences = former.iter().map(|&former| former.to_owned()).collect();
    ChangeKind::AppChanged { app: Box::new(app) }
}

#[test]
fn a_token_for_a_former_audience_is_accepted() {
    let mut bench = Bench::new();
    let (old, new) = (bench.sign(&claims()), bench.sign(&AccessClaims { aud: "app:new".to_owned(), ..claims() }));
    assert_eq!(bench.get(&bearer(&new), after(1)).code(), "jwt_audience_mismatch");
    bench.apply(with_audience("app:new", &["app:older", "app:web"]));
    for token in [old, new] {
        assert_eq!(bench.get(&bearer(&token), after(1)).code(), "yes");
    }
    let stranger = bench.sign(&AccessClaims { aud: "app:spa".to_owned(), ..claims() });
    assert_eq!(bench.get(&bearer(&stranger), after(1)).code(), "jwt_audience_mismatch");
}

/// Frames are repeated and overlap: what was said before is not said anew.
#[test]
fn a_repeated_change_brings_nothing_back() {
    let mut bench = Bench::new();
    let first = bench.apply(with_audience("app:one", &[]));
    bench.apply(with_audience("app:two", &[]));
    let token = bench.sign(&AccessClaims { aud: "app:two".to_owned(), ..claims() });
    assert_eq!(bench.get(&bearer(&token), after(1)).code(), "yes");
    bench.repeat(first, with_audience("app:one", &[]));
    let other = bench.sign(&AccessClaims { aud: "app:two".to_owned(), jti: "j-2".to_owned(), ..claims() });
    assert_eq!(bench.get(&bearer(&other), after(1)).code(), "yes");
}

/// A key set concerns what a key has signed; cached sessions stay, or every replica would ask for all of them at once.
#[test]
fn a_new_key_set_keeps_cached_sessions() {
    let mut bench = Bench::new();
    let session = cookie(&bench.session_token(sid(1)));
    let answer = crate::bench::yes(sid(1), at(JOINED));
    assert_eq!(bench.get_with(&session, after(1), &answer).code(), "yes");
    let jwt = bearer(&bench.sign(&claims()));
    assert_eq!(bench.get(&jwt, after(1)).code(), "yes");
    bench.apply(ChangeKind::KeysChanged { jwks: r#"{"keys":[]}"#.to_owned() });
    assert_eq!(bench.get(&session, after(1)).code(), "yes", "from memory");
    assert_eq!(bench.get(&jwt, after(1)).code(), "jwt_key_unknown", "and what its key signed is not");
}

/// A connected app's clock may be a moment behind the authority's that signs.
#[test]
fn a_token_from_a_moment_ahead_is_accepted_within_the_leeway() {
    let ahead = AccessClaims { iat: after(1).wall, exp: after(901).wall, ..claims() };
    let strict = Bench::new();
    assert_eq!(strict.get(&bearer(&strict.sign(&ahead)), after(0)).code(), "jwt_issued_in_future");
    let bench = Bench::with_leeway(5);
    assert_eq!(bench.get(&bearer(&bench.sign(&ahead)), after(0)).code(), "yes");
    let too_far = AccessClaims { iat: after(6).wall, jti: "j-6".to_owned(), ..ahead };
    assert_eq!(bench.get(&bearer(&bench.sign(&too_far)), after(0)).code(), "jwt_issued_in_future");
}
