//! One pass of the check under one lock.

use misario_core::authn::{
    Answer, AppHint, Ask, Check, Permit, Rejection, Request, Requirement, Step, UnavailableFault,
};
use misario_core::id::AppId;
use misario_core::secret::SecretText;

use super::renew::Need;
use super::{CheckRequest, Guard};
use crate::authority::Question;

/// How a pass ended.
pub(super) enum Pass {
    /// The check is done, and this of the login wants renewal.
    Done { outcome: Result<Permit, Rejection>, need: Option<Need> },
    /// The authority has to be asked.
    Ask(Pending),
}

/// A question that is not answered yet.
pub(super) struct Pending {
    app: AppId,
    credential: SecretText,
    ask: Ask,
}

/// A question with its answer.
pub(super) struct Answered {
    pending: Pending,
    answer: Result<Answer, UnavailableFault>,
}

impl Pending {
    pub(super) fn question(&self) -> Question<'_> {
        Question {
            app: &self.app,
            credential: self.credential.expose(),
            asked_for: self.ask.asked_for,
            holder: self.ask.holder,
        }
    }

    pub(super) const fn answered(self, answer: Result<Answer, UnavailableFault>) -> Answered {
        Answered { pending: self, answer }
    }
}

impl Guard {
    pub(super) fn pass(&self, request: &CheckRequest<'_>, requirement: &Requirement, answers: &[Answered]) -> Pass {
        // The clocks first: what is read under the lock is then not older than they say.
        let now = self.clock().moment();
        let memory = self.memory().read();
        let hint = AppHint { own: self.app(), parameter: request.parameter };
        let shown = Request { method: request.method, headers: &request.headers, hint, form_token: request.form_token };
        let mut check = match Check::begin(&memory, requirement, shown) {
            Ok(check) => check,
            Err(rejection) => return Pass::Done { outcome: Err(rejection), need: None },
        };
        let fresh = request.fresh.iter().find(|fresh| fresh.app().id == check.app().id);
        if let Some(fresh) = fresh.filter(|fresh| fresh.replaces(&check)) {
            check = check.with_renewed(fresh.access());
        }
        let mut step = check.step(&memory, now);
        loop {
            let ask = match step {
                Step::Done(outcome) => {
                    let need = if fresh.is_none() { Need::of(&check, &outcome, now.wall) } else { None };
                    return Pass::Done { outcome, need };
                }
                Step::Ask(ask) => ask,
            };
            // By the credential's text, never by its turn: what was said of one must not be taken for the other.
            let text = check.credential().map(|credential| credential.text().to_owned()).unwrap_or_default();
            let Some(known) = answers.iter().find(|answered| answered.pending.credential.expose() == text) else {
                let (app, credential) = (check.app().id.clone(), SecretText::new(text));
                return Pass::Ask(Pending { app, credential, ask });
            };
            step = check.resume(&memory, now, &known.pending.ask, known.answer.clone());
        }
    }
}
