//! What a replica asks its authority and what it is answered: JSON in the bodies of `Ask` and `Answer` frames.
//!
//! Both ends use the types here: a replica writes [`AskBody`] and reads [`AnswerBody`], the server the other way round.
//! Bodies hold credentials; the types that hold them do not print.

use std::fmt;
use std::sync::Arc;

use misario_core::authn::{Answer, AskedFor, Facts, Holder, Rejection, UnavailableFault};
use misario_core::changes::Position;
use misario_core::id::AppId;
use misario_core::secret::SecretText;
use misario_core::store::StoreError;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::authority::{Authority, Question, RenewError, RenewQuestion, Renewed};

/// A body is not what this version of misario sends.
#[derive(Debug, thiserror::Error)]
#[error("the body of a question or answer is malformed")]
pub struct BodyError {
    /// What the reader said.
    #[from]
    source: serde_json::Error,
}

/// What a replica asks.
#[derive(Clone)]
pub struct AskBody(Asked);

#[derive(Clone)]
enum Asked {
    Credential { app: AppId, credential: SecretText, asked_for: AskedFor, holder: Holder },
    Renewal { app: AppId, access: Option<SecretText>, refresh: Option<SecretText> },
}

/// What it is answered.
#[derive(Clone)]
pub struct AnswerBody(Answered);

#[derive(Clone)]
enum Answered {
    Credential(Answer),
    Renewal(Result<Renewed, Refusal>),
    Unavailable(String),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum AskForm<A> {
    Credential { app: AppId, credential: A, verdict: bool, renewed: bool },
    Renewal { app: AppId, access: Option<A>, refresh: Option<A> },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum AnswerForm<A, F> {
    Facts { as_of: Position, facts: F },
    Refused { as_of: Position, refusal: Refusal },
    Renewed { access: A, set_cookies: Vec<A> },
    NotRenewed { refusal: Refusal },
    Unavailable { code: A },
}

impl AskBody {
    /// The question about a credential.
    pub fn of(question: Question<'_>) -> Self {
        let credential = SecretText::new(question.credential.to_owned());
        let Question { app, asked_for, holder, .. } = question;
        Self(Asked::Credential { app: app.clone(), credential, asked_for, holder })
    }

    /// The question for a renewal.
    pub fn of_renewal(question: RenewQuestion<'_>) -> Self {
        let secret = |text: &str| SecretText::new(text.to_owned());
        let (access, refresh) = (question.access.map(secret), question.refresh.map(secret));
        Self(Asked::Renewal { app: question.app.clone(), access, refresh })
    }

    /// The app that it concerns.
    pub const fn app(&self) -> &AppId {
        match &self.0 {
            Asked::Credential { app, .. } | Asked::Renewal { app, .. } => app,
        }
    }

    /// The body as octets.
    pub fn encode(&self) -> Vec<u8> {
        let form = match &self.0 {
            Asked::Credential { app, credential, asked_for, holder } => AskForm::Credential {
                app: app.clone(),
                credential: credential.expose(),
                verdict: *asked_for == AskedFor::Verdict,
                renewed: *holder == Holder::Host,
            },
            Asked::Renewal { app, access, refresh } => AskForm::Renewal {
                app: app.clone(),
                access: access.as_ref().map(SecretText::expose),
                refresh: refresh.as_ref().map(SecretText::expose),
            },
        };
        serde_json::to_vec(&form).unwrap_or_default()
    }

    /// The body that these octets are.
    pub fn decode(octets: &[u8]) -> Result<Self, BodyError> {
        let form: AskForm<String> = serde_json::from_slice(octets)?;
        Ok(Self(match form {
            AskForm::Credential { app, credential, verdict, renewed } => Asked::Credential {
                app,
                credential: SecretText::new(credential),
                asked_for: if verdict { AskedFor::Verdict } else { AskedFor::Load },
                holder: if renewed { Holder::Host } else { Holder::Caller },
            },
            AskForm::Renewal { app, access, refresh } => {
                Asked::Renewal { app, access: access.map(SecretText::new), refresh: refresh.map(SecretText::new) }
            }
        }))
    }
}

impl AnswerBody {
    /// What `authority` says.
    pub async fn by(authority: &dyn Authority, asked: AskBody) -> Self {
        match &asked.0 {
            Asked::Credential { app, credential, asked_for, holder } => {
                let (asked_for, holder) = (*asked_for, *holder);
                let question = Question { app, credential: credential.expose(), asked_for, holder };
                authority
                    .ask(question)
                    .await
                    .map_or_else(|fault| unavailable(&fault), |a| Self(Answered::Credential(a)))
            }
            Asked::Renewal { app, access, refresh } => {
                let expose = |text: &Option<SecretText>| text.clone();
                let (access, refresh) = (expose(access), expose(refresh));
                let question = RenewQuestion {
                    app,
                    access: access.as_ref().map(SecretText::expose),
                    refresh: refresh.as_ref().map(SecretText::expose),
                };
                match authority.renew(question).await {
                    Ok(renewed) => Self(Answered::Renewal(Ok(renewed))),
                    Err(RenewError::Refused(rejection)) => Self(Answered::Renewal(Err(Refusal::of(&rejection)))),
                    Err(RenewError::Unavailable(fault)) => unavailable(&fault),
                }
            }
        }
    }

    /// The client may not ask about this app. To its users that is "cannot be told": they have done nothing wrong.
    pub fn not_allowed() -> Self {
        Self::unavailable("client_not_allowed")
    }

    /// It cannot be told at the moment, for the reason with this stable code.
    pub fn unavailable(code: &str) -> Self {
        Self(Answered::Unavailable(code.to_owned()))
    }

    /// The body as octets.
    pub fn encode(&self) -> Vec<u8> {
        let form: AnswerForm<&str, &Facts> = match &self.0 {
            Answered::Credential(Answer { as_of, outcome: Ok(facts) }) => AnswerForm::Facts { as_of: *as_of, facts },
            Answered::Credential(Answer { as_of, outcome: Err(rejection) }) => {
                AnswerForm::Refused { as_of: *as_of, refusal: Refusal::of(rejection) }
            }
            Answered::Renewal(Ok(renewed)) => AnswerForm::Renewed {
                access: renewed.access.expose(),
                set_cookies: renewed.set_cookies.iter().map(String::as_str).collect(),
            },
            Answered::Renewal(Err(refusal)) => AnswerForm::NotRenewed { refusal: refusal.clone() },
            Answered::Unavailable(code) => AnswerForm::Unavailable { code },
        };
        serde_json::to_vec(&form).unwrap_or_default()
    }

    /// The body that these octets are.
    pub fn decode(octets: &[u8]) -> Result<Self, BodyError> {
        let form: AnswerForm<String, Facts> = serde_json::from_slice(octets)?;
        Ok(Self(match form {
            AnswerForm::Facts { as_of, facts } => Answered::Credential(Answer { as_of, outcome: Ok(Arc::new(facts)) }),
            AnswerForm::Refused { as_of, refusal } => {
                Answered::Credential(Answer { as_of, outcome: Err(refusal.read()) })
            }
            AnswerForm::Renewed { access, set_cookies } => {
                Answered::Renewal(Ok(Renewed { access: SecretText::new(access), set_cookies }))
            }
            AnswerForm::NotRenewed { refusal } => Answered::Renewal(Err(refusal)),
            AnswerForm::Unavailable { code } => Answered::Unavailable(code),
        }))
    }

    /// The answer to a question about a credential.
    pub(super) fn into_answer(self) -> Result<Answer, UnavailableFault> {
        match self.0 {
            Answered::Credential(answer) => Ok(answer),
            Answered::Unavailable(code) => Err(fault(&code)),
            Answered::Renewal(_) => Err(UnavailableFault::Authority),
        }
    }

    /// The answer to the question for a renewal.
    pub(super) fn into_renewal(self) -> Result<Renewed, RenewError> {
        match self.0 {
            Answered::Renewal(Ok(renewed)) => Ok(renewed),
            Answered::Renewal(Err(refusal)) => Err(RenewError::Refused(refusal.read())),
            Answered::Unavailable(code) => Err(fault(&code).into()),
            Answered::Credential(_) => Err(UnavailableFault::Authority.into()),
        }
    }
}

fn unavailable(fault: &UnavailableFault) -> AnswerBody {
    AnswerBody::unavailable(Rejection::from(fault.clone()).code())
}

/// A store's own code is passed on; whatever else keeps the authority from answering is one thing from here.
fn fault(code: &str) -> UnavailableFault {
    match StoreError::CODES.iter().find(|(known, _)| *known == code) {
        Some((code, _)) => UnavailableFault::Store { code },
        None => UnavailableFault::Authority,
    }
}

impl fmt::Debug for AskBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskBody").field("app", self.app()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
