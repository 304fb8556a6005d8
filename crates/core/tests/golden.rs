//! What is on the wire and in stores, to the octet: tokens that are out there and records of earlier versions must still
//! be read. Whoever has to change a line of this file breaks every running instance.

#![expect(clippy::unwrap_used, reason = "what is not written or read fails the test")]

use std::collections::BTreeMap;

use misario_core::app::Transport;
use misario_core::changes::{Epoch, Position};
use misario_core::claims::AccessClaims;
use misario_core::client::{Client, ClientKind, Right};
use misario_core::id::{AppId, ClientId, SessionId, Subject};
use misario_core::refresh::{Generation, RefreshPolicy, TokenFamily};
use misario_core::secret::{
    ClientSecret, CsrfBinding, CsrfToken, LoginSeed, RefreshToken, SessionToken, TokenDigest, TokenKey, TokenKeys,
};
use misario_core::session::{Device, SealedSeed, Session, SessionTokenState};
use misario_core::user::{Grant, User, UserState, Username};
use misario_jose::UnixTime;
use misario_testkit::entropy::StuckEntropy;
use serde::Serialize;
use serde::de::DeserializeOwned;

const SEALED_SEED: &str = "QkJCQkJCQkJCQkJCpoXlsP0UHVUIJbrjAXDMMk96wOM30omYdTZC3RWRjDDMWVbVkzZ06nPn8IY4lLB9";
const SESSION_TOKEN: &str =
    "mst_AAAAB6urq6urq6urq6urq6urq6vOOJzD9JRY2icvx1zO8HBvAuaFy2BwuiPmAqRgKDdBhFu06F_T9vJpF8Smw_YiQk0";
const SESSION_DIGEST: &str = "7.OJoYfvorKjcWrTWvcxQ4fsIo5WlFB6o6yGI1mkf-ZbY";
const REFRESH_TOKEN: &str =
    "mrt_AAAAB6urq6urq6urq6urq6urq6sAAAAFaaCkIpB7MrJMC2uok0vkgryzhcCUpKn1o1-OSLxDiui_5-krP3wSRpSuc8gn2tRj";
const CLIENT_SECRET: &str = "mcs_AAAAB0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0ND7J6ytns0K2_7NTez8UAVSQ";
const CLIENT_DIGEST: &str = "7.LR2AmRh0cDLA83l0r6NSkma9pPOUXpMG161IDcfeelo";
const CSRF_TOKEN: &str =
    "mct_AAAAB0RERERERERERERERERERESB-e2E0AYh01VtZX7m_T8ztRpu5ex2qvuMfIFZZdjoBubjLw5LvnRkqEY1mZF4tCw";
const VISITOR_TOKEN: &str =
    "mct_AAAAB0REREREREREREREREREREQHw04e-PY2Vb6Ps3neZxK--bmPluq8mhpRGf9O66U_jgtdghVnq9bN23hUgKqAbfY";
const CLAIMS: &str = concat!(
    r#"{"iss":"https://auth.example.com","aud":"https://app.example.com","sub":"user-1","client_id":"web","#,
    r#""iat":1800000010,"exp":1800000910,"jti":"token-1","pos":"3.41","cv":2,"#,
    r#""sid":"abababababababababababababababab","auth_time":1800000000,"amr":["pwd"],"roles":["staff"],"#,
    r#""permissions":["invoices:read"],"scope":"read write","org":"löwe","login_exp":1800043200,"trn":"split","#,
    r#""rg":5}"#,
);
const SESSION: &str = concat!(
    r#"{"sid":"abababababababababababababababab","app":"web","subject":"user-1","transport":"cookie","#,
    r#""issued":"3.41","created":1800000000,"created_tick":123456,"auth_time":1800000001,"login_exp":1800043200,"idle":1800,"#,
    r#""last_seen":1800000030,"grant":{"roles":["staff"],"permissions":["invoices:read"]},"grant_at":"3.40","#,
    r#""amr":["pwd"],"org":"löwe","device":{"label":"Firefox, Linux","network":"192.0.2.0/24"},"seed":{"key":7,"#,
    r#""sealed":"QkJCQkJCQkJCQkJCpoXlsP0UHVUIJbrjAXDMMk96wOM30omYdTZC3RWRjDDMWVbVkzZ06nPn8IY4lLB9"},"#,
    r#""token":{"generation":3,"digest":"7.OJoYfvorKjcWrTWvcxQ4fsIo5WlFB6o6yGI1mkf-ZbY"},"family":{"head":3,"#,
    r#""head_used":true,"recent":[{"generation":2,"at":1800000020}],"floor":2},"data":{"cart":[1,2]}}"#,
);
const USER: &str = concat!(
    r#"{"subject":"user-1","username":"alice","password":"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA","#,
    r#""state":"disabled","grants":{"web":{"roles":["staff"],"permissions":["invoices:read"]}},"org":"löwe","#,
    r#""created":1800000000}"#,
);
const CLIENT: &str = concat!(
    r#"{"id":"backend","app":"web","kind":{"kind":"secret","#,
    r#""digests":["7.LR2AmRh0cDLA83l0r6NSkma9pPOUXpMG161IDcfeelo"]},"rights":["introspect","revoke","feed","#,
    r#""issue","admin"],"scopes":["read"],"disabled":true,"created":1800000000}"#,
);

/// The token key number 7 of the root secret 00 01 02 … 1f.
fn keys() -> TokenKeys {
    let mut root = [0; 32];
    for (octet, number) in root.iter_mut().zip(0..) {
        *octet = number;
    }
    TokenKeys::new(TokenKey::new(7, &root), Vec::new())
}

fn sid() -> SessionId {
    SessionId::from_bytes([0xab; 16])
}

fn seed() -> LoginSeed {
    LoginSeed::open(&keys(), &sid(), &SealedSeed { key: 7, sealed: SEALED_SEED.to_owned() }).unwrap()
}

const fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000 + seconds)
}

fn json(digest: &TokenDigest) -> String {
    serde_json::to_value(digest).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_sealed_seed_is_this() {
    let entropy = StuckEntropy(0x42);
    let sealed = LoginSeed::generate(&keys(), &entropy).seal(&keys(), &sid(), &entropy).unwrap();
    assert_eq!((sealed.key, sealed.sealed.as_str()), (7, SEALED_SEED));
    let moved = SessionId::from_bytes([0xac; 16]);
    assert!(LoginSeed::open(&keys(), &moved, &sealed).is_none());
}

#[test]
fn a_session_token_and_its_digest_are_these() {
    let token = SessionToken::derive(&keys(), &seed(), sid(), 3).unwrap();
    assert_eq!(token.to_text(keys().replica()).unwrap().expose(), SESSION_TOKEN);
    let read = SessionToken::parse(keys().replica(), SESSION_TOKEN).unwrap();
    assert_eq!((read.sid(), json(&read.digest(&keys()).unwrap()).as_str()), (sid(), SESSION_DIGEST));
}

#[test]
fn a_refresh_token_is_this() {
    let token = RefreshToken::derive(&keys(), &seed(), sid(), Generation(5)).unwrap();
    assert_eq!(token.to_text(keys().replica()).unwrap().expose(), REFRESH_TOKEN);
    let read = RefreshToken::parse(keys().replica(), REFRESH_TOKEN).unwrap();
    assert_eq!((read.sid(), read.generation()), (sid(), Generation(5)));
    assert!(read.is_genuine(&keys(), &seed()));
}

#[test]
fn a_client_secret_and_its_digest_are_these() {
    let secret = ClientSecret::generate(&keys(), &StuckEntropy(0x43));
    assert_eq!(secret.to_text(&keys()).unwrap().expose(), CLIENT_SECRET);
    let read = ClientSecret::parse(&keys(), CLIENT_SECRET).unwrap();
    assert_eq!(json(&read.digest(&keys(), &ClientId::new("backend").unwrap()).unwrap()), CLIENT_DIGEST);
}

#[test]
fn a_csrf_token_is_this() {
    let (sid, nonce) = (sid(), [0x11; 16]);
    for (binding, text) in [(CsrfBinding::Login(&sid), CSRF_TOKEN), (CsrfBinding::Visitor(&nonce), VISITOR_TOKEN)] {
        let token = CsrfToken::issue(keys().replica(), binding, &StuckEntropy(0x44)).unwrap();
        assert_eq!(token.expose(), text);
        CsrfToken::check(keys().replica(), binding, text).unwrap();
    }
}

/// It is written like that, and read from it.
fn is<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, text: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), text);
    assert_eq!(serde_json::from_str::<T>(text).unwrap(), *value);
}

fn grant() -> Grant {
    Grant { roles: vec!["staff".to_owned()], permissions: vec!["invoices:read".to_owned()] }
}

#[test]
fn the_claims_of_an_access_token_are_these() {
    let claims = AccessClaims {
        iss: "https://auth.example.com".to_owned(),
        aud: "https://app.example.com".to_owned(),
        sub: Subject::new("user-1").unwrap(),
        client_id: "web".to_owned(),
        iat: at(10),
        exp: at(910),
        jti: "token-1".to_owned(),
        pos: Position::new(Epoch(3), 41),
        cv: 2,
        sid: Some(sid()),
        auth_time: Some(at(0)),
        amr: vec!["pwd".to_owned()],
        roles: grant().roles,
        permissions: grant().permissions,
        scope: Some("read write".to_owned()),
        org: Some("löwe".to_owned()),
        login_exp: Some(at(43_200)),
        trn: Some(Transport::Split),
        rg: Some(Generation(5)),
    };
    is(&claims, CLAIMS);
}

#[test]
fn the_record_of_a_session_is_this() {
    let policy = RefreshPolicy { reuse_interval: 10 };
    let family = TokenFamily::first().replaced().rotated(Generation(3), policy, at(20));
    let token = SessionToken::parse(keys().replica(), SESSION_TOKEN).unwrap();
    let session = Session {
        sid: sid(),
        app: AppId::new("web").unwrap(),
        subject: Subject::new("user-1").unwrap(),
        transport: Transport::Cookie,
        issued: Position::new(Epoch(3), 41),
        created: at(0),
        created_tick: 123_456,
        auth_time: at(1),
        login_exp: at(43_200),
        idle: 1800,
        last_seen: at(30),
        grant: grant(),
        grant_at: Position::new(Epoch(3), 40),
        amr: vec!["pwd".to_owned()],
        org: Some("löwe".to_owned()),
        device: Device { label: "Firefox, Linux".to_owned(), network: "192.0.2.0/24".to_owned() },
        seed: SealedSeed { key: 7, sealed: SEALED_SEED.to_owned() },
        token: Some(SessionTokenState { generation: 3, digest: token.digest(&keys()).unwrap() }),
        family: Some(family.seen(Generation(3)).unwrap()),
        data: Some(serde_json::json!({ "cart": [1, 2] })),
    };
    is(&session, SESSION);
}

#[test]
fn the_record_of_a_user_is_this() {
    let user = User {
        subject: Subject::new("user-1").unwrap(),
        username: Username::new("Alice").unwrap(),
        password: Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()),
        state: UserState::Disabled,
        grants: BTreeMap::from([(AppId::new("web").unwrap(), grant())]),
        org: Some("löwe".to_owned()),
        created: at(0),
    };
    is(&user, USER);
}

#[test]
fn the_record_of_a_client_is_this() {
    let id = ClientId::new("backend").unwrap();
    let secret = ClientSecret::parse(&keys(), CLIENT_SECRET).unwrap();
    let client = Client {
        kind: ClientKind::Secret { digests: vec![secret.digest(&keys(), &id).unwrap()] },
        id,
        app: Some(AppId::new("web").unwrap()),
        rights: Right::ALL.into(),
        scopes: vec!["read".to_owned()],
        disabled: true,
        created: at(0),
    };
    is(&client, CLIENT);
}
