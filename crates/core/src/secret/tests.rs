use std::sync::atomic::{AtomicU64, Ordering};

use misario_jose::Entropy;

use super::*;
use crate::id::{ClientId, SessionId};
use crate::refresh::Generation;

/// Counts up, so that tests are repeatable.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

fn keys() -> TokenKeys {
    TokenKeys::new(TokenKey::new(2, &[2; 32]), vec![TokenKey::new(1, &[1; 32])])
}

fn entropy() -> Counting {
    Counting(AtomicU64::new(7))
}

#[test]
fn a_session_token_is_derived_again_and_recognised() {
    let (keys, entropy) = (keys(), entropy());
    let sid = SessionId::generate(&entropy);
    let seed = LoginSeed::generate(&keys, &entropy);
    let token = SessionToken::derive(&keys, &seed, sid, 1).unwrap();
    let text = token.to_text(keys.replica()).unwrap();
    let read = SessionToken::parse(keys.replica(), text.expose()).unwrap();
    assert_eq!(read.sid(), sid);
    assert!(read.digest(&keys).unwrap().matches(&token.digest(&keys).unwrap()));

    let stored = seed.seal(&keys, &sid, &entropy).unwrap();
    let again = LoginSeed::open(&keys, &sid, &stored).unwrap();
    let same = SessionToken::derive(&keys, &again, sid, 1).unwrap();
    assert_eq!(same.to_text(keys.replica()).unwrap().expose(), text.expose());
    let next = SessionToken::derive(&keys, &again, sid, 2).unwrap();
    assert!(!next.digest(&keys).unwrap().matches(&token.digest(&keys).unwrap()));
    let other = SessionId::generate(&entropy);
    assert!(LoginSeed::open(&keys, &other, &stored).is_none(), "a seed cannot be moved to another record");
}

#[test]
fn every_changed_character_is_noticed() {
    let (keys, entropy) = (keys(), entropy());
    let seed = LoginSeed::generate(&keys, &entropy);
    let token = RefreshToken::derive(&keys, &seed, SessionId::generate(&entropy), Generation(3)).unwrap();
    let text = token.to_text(keys.replica()).unwrap();
    for position in 0..text.expose().len() {
        for replacement in ['A', '_', '=', '.'] {
            let mut changed = text.expose().to_owned();
            changed.replace_range(position..=position, &replacement.to_string());
            if changed != text.expose() {
                assert!(RefreshToken::parse(keys.replica(), &changed).is_err(), "{position} {replacement}");
            }
        }
    }
    for shape in ["", "mrt_", &text.expose()[..50], &format!("{}A", text.expose()), &format!(" {}", text.expose())] {
        assert!(RefreshToken::parse(keys.replica(), shape).is_err());
    }
}

#[test]
fn a_replica_cannot_make_a_refresh_token_that_counts() {
    let (keys, entropy) = (keys(), entropy());
    let sid = SessionId::generate(&entropy);
    let seed = LoginSeed::generate(&keys, &entropy);
    let genuine = RefreshToken::derive(&keys, &seed, sid, Generation(1)).unwrap();
    assert!(genuine.is_genuine(&keys, &seed));
    let guessed = LoginSeed::generate(&keys, &entropy);
    let forged = RefreshToken::derive(&keys, &guessed, sid, Generation(1)).unwrap();
    let forged = RefreshToken::parse(keys.replica(), forged.to_text(keys.replica()).unwrap().expose()).unwrap();
    assert!(!forged.is_genuine(&keys, &seed), "its tag is right, its secret is not");
}

#[test]
fn kinds_do_not_stand_in_for_each_other() {
    let (keys, entropy) = (keys(), entropy());
    let sid = SessionId::generate(&entropy);
    let seed = LoginSeed::generate(&keys, &entropy);
    let session = SessionToken::derive(&keys, &seed, sid, 1).unwrap().to_text(keys.replica()).unwrap();
    let csrf = CsrfToken::issue(keys.replica(), CsrfBinding::Login(&sid), &entropy).unwrap();
    assert!(RefreshToken::parse(keys.replica(), session.expose()).is_err());
    // The same length and a right tag for the other prefix must not help.
    let relabelled = csrf.expose().replacen("mct_", "mst_", 1);
    assert!(matches!(SessionToken::parse(keys.replica(), &relabelled), Err(SecretError::WrongTag { .. })));
}

#[test]
fn a_csrf_token_counts_for_its_login_only() {
    let (keys, entropy) = (keys(), entropy());
    let (own, other) = (SessionId::generate(&entropy), SessionId::generate(&entropy));
    let token = CsrfToken::issue(keys.replica(), CsrfBinding::Login(&own), &entropy).unwrap();
    assert!(CsrfToken::check(keys.replica(), CsrfBinding::Login(&own), token.expose()).is_ok());
    assert!(CsrfToken::check(keys.replica(), CsrfBinding::Login(&other), token.expose()).is_err());
    assert!(CsrfToken::check(keys.replica(), CsrfBinding::Visitor(own.as_bytes()), token.expose()).is_err());
}

#[test]
fn a_client_secret_belongs_to_one_client() {
    let (keys, entropy) = (keys(), entropy());
    let (a, b) = (ClientId::new("a").unwrap(), ClientId::new("b").unwrap());
    let secret = ClientSecret::generate(&keys, &entropy);
    let read = ClientSecret::parse(&keys, secret.to_text(&keys).unwrap().expose()).unwrap();
    assert!(read.digest(&keys, &a).unwrap().matches(&secret.digest(&keys, &a).unwrap()));
    assert!(!read.digest(&keys, &b).unwrap().matches(&secret.digest(&keys, &a).unwrap()));
}

#[test]
fn an_old_key_still_counts_and_an_unknown_one_is_named() {
    let (keys, entropy) = (keys(), entropy());
    let before = TokenKeys::new(TokenKey::new(1, &[1; 32]), vec![]);
    let seed = LoginSeed::generate(&before, &entropy);
    let token = SessionToken::derive(&before, &seed, SessionId::generate(&entropy), 1).unwrap();
    let text = token.to_text(before.replica()).unwrap();
    assert!(SessionToken::parse(keys.replica(), text.expose()).is_ok());
    let later = TokenKeys::new(TokenKey::new(2, &[2; 32]), vec![]);
    assert!(matches!(SessionToken::parse(later.replica(), text.expose()), Err(SecretError::UnknownKey { key: 1, .. })));
}

#[test]
fn secrets_do_not_print() {
    let (keys, entropy) = (keys(), entropy());
    let seed = LoginSeed::generate(&keys, &entropy);
    let token = SessionToken::derive(&keys, &seed, SessionId::generate(&entropy), 1).unwrap();
    let text = token.to_text(keys.replica()).unwrap();
    let printed = format!("{seed:?} {token:?} {text:?} {keys:?} {:?}", token.digest(&keys));
    assert!(!printed.contains(&text.expose()[8..40]));
    assert!(!printed.contains(&b64u::encode(seed.secret.as_slice())));
}
