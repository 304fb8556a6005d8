use misario_core::app::Mode;
use misario_core::authn::CredentialFault;

use super::*;
use crate::testing::{Bench, at, sid};

async fn answered(bench: &Bench, asked: AskBody) -> AnswerBody {
    let asked = AskBody::decode(&asked.encode()).unwrap();
    let answer = AnswerBody::by(&*bench.told, asked).await;
    AnswerBody::decode(&answer.encode()).unwrap()
}

async fn asked(bench: &Bench, credential: &str, asked_for: AskedFor) -> Result<Answer, UnavailableFault> {
    let question = Question { app: &bench.app.id, credential, asked_for, holder: Holder::Caller };
    answered(bench, AskBody::of(question)).await.into_answer()
}

#[tokio::test]
async fn an_answer_arrives_as_the_authority_gave_it() {
    let bench = Bench::new(Mode::Session);
    let facts = bench.session(sid(1));
    bench.knows("token", facts.clone());
    let answer = asked(&bench, "token", AskedFor::Load).await.unwrap();
    assert_eq!(answer, Answer { as_of: at(2), outcome: Ok(Arc::new(facts)) });
    let refused = Answer { as_of: at(9), outcome: Err(CredentialFault::SessionIdle.into()) };
    bench.told.answers.lock().insert("token".to_owned(), refused.clone());
    assert_eq!(asked(&bench, "token", AskedFor::Verdict).await, Ok(refused));
    let seen = [("token".to_owned(), AskedFor::Load), ("token".to_owned(), AskedFor::Verdict)];
    assert_eq!(*bench.told.asked.lock(), seen);
}

#[tokio::test]
async fn a_renewal_arrives_as_the_authority_made_it() {
    let bench = Bench::new(Mode::Hybrid);
    bench.renews("fresh");
    let question = RenewQuestion { app: &bench.app.id, access: Some("old"), refresh: None };
    let renewed = answered(&bench, AskBody::of_renewal(question)).await.into_renewal().unwrap();
    assert_eq!((renewed.access.expose(), renewed.set_cookies.len()), ("fresh", 1));
    assert_eq!(*bench.told.renewals.lock(), [(Some("old".to_owned()), None)]);
    *bench.told.renewal.lock() = Some(Err(RenewError::Refused(CredentialFault::Revoked.into())));
    let refused = answered(&bench, AskBody::of_renewal(question)).await.into_renewal().unwrap_err();
    assert_eq!(refused, RenewError::Refused(CredentialFault::Revoked.into()));
}

#[tokio::test]
async fn what_cannot_be_told_is_never_a_refusal() {
    let bench = Bench::new(Mode::Session);
    assert_eq!(asked(&bench, "unknown", AskedFor::Load).await, Err(UnavailableFault::Authority));
    let question = RenewQuestion { app: &bench.app.id, access: None, refresh: None };
    let renewal = answered(&bench, AskBody::of_renewal(question)).await.into_renewal();
    assert_eq!(renewal.unwrap_err(), RenewError::Unavailable(UnavailableFault::Authority));
    for (body, fault) in [
        (AnswerBody::not_allowed(), UnavailableFault::Authority),
        (AnswerBody::unavailable("store_full"), UnavailableFault::Store { code: "store_full" }),
        (AnswerBody::unavailable("from_the_future"), UnavailableFault::Authority),
    ] {
        let body = AnswerBody::decode(&body.encode()).unwrap();
        assert_eq!(body.clone().into_answer(), Err(fault.clone()));
        assert_eq!(body.into_renewal().unwrap_err(), RenewError::Unavailable(fault));
    }
}

/// A mix-up of numbers must not turn one kind of answer into the other.
#[tokio::test]
async fn an_answer_to_another_question_tells_nothing() {
    let bench = Bench::new(Mode::Session);
    bench.renews("fresh");
    bench.knows("token", bench.session(sid(1)));
    let question = RenewQuestion { app: &bench.app.id, access: None, refresh: None };
    let renewal = answered(&bench, AskBody::of_renewal(question)).await;
    assert_eq!(renewal.into_answer(), Err(UnavailableFault::Authority));
    let question =
        Question { app: &bench.app.id, credential: "token", asked_for: AskedFor::Load, holder: Holder::Caller };
    let answer = answered(&bench, AskBody::of(question)).await;
    assert!(matches!(answer.into_renewal(), Err(RenewError::Unavailable(_))));
}

#[test]
fn the_form_of_a_question_is_fixed() {
    let app = AppId::new("web").unwrap();
    let question = Question { app: &app, credential: "c", asked_for: AskedFor::Verdict, holder: Holder::Host };
    let text = String::from_utf8(AskBody::of(question).encode()).unwrap();
    assert_eq!(text, r#"{"ask":"credential","app":"web","credential":"c","verdict":true,"renewed":true}"#);
    let question = RenewQuestion { app: &app, access: Some("a"), refresh: None };
    let text = String::from_utf8(AskBody::of_renewal(question).encode()).unwrap();
    assert_eq!(text, r#"{"ask":"renewal","app":"web","access":"a","refresh":null}"#);
    for malformed in
        [&b"{}"[..], b"", b"[]", br#"{"ask":"credential","app":"Web","credential":"c","verdict":true,"renewed":false}"#]
    {
        assert!(AskBody::decode(malformed).is_err());
    }
}

#[test]
fn bodies_do_not_print_what_they_hold() {
    let app = AppId::new("web").unwrap();
    let question = Question { app: &app, credential: "canary", asked_for: AskedFor::Load, holder: Holder::Caller };
    let renewed = Renewed { access: SecretText::new("canary".to_owned()), set_cookies: vec!["canary".to_owned()] };
    let answer = AnswerBody(Answered::Renewal(Ok(renewed.clone())));
    for printed in [format!("{:?}", AskBody::of(question)), format!("{answer:?}"), format!("{renewed:?}{question:?}")] {
        assert!(!printed.contains("canary"), "{printed}");
    }
}
