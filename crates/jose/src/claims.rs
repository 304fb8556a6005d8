//! The registered claims, typed (RFC 7519 §4.1).
//!
//! A claim is absent, well-formed or malformed; these three never mix. Reading a malformed time as "absent" has been
//! a vulnerability more than once (CVE-2026-25537).

use std::borrow::Cow;

use crate::error::ClaimProblem;
use crate::json::{DateProblem, Object, Value};
use crate::{JwtError, UnixTime};

/// A claim: malformed, absent or there.
pub(crate) type Claim<T> = Result<Option<T>, JwtError>;

/// The registered claims of a payload.
#[derive(Debug, Clone)]
pub(crate) struct Claims<'a> {
    object: Object<'a>,
    pub(crate) issuer: Claim<Cow<'a, str>>,
    pub(crate) subject: Claim<Cow<'a, str>>,
    pub(crate) jwt_id: Claim<Cow<'a, str>>,
    pub(crate) audience: Claim<Audience<'a>>,
    pub(crate) expires: Claim<UnixTime>,
    pub(crate) not_before: Claim<UnixTime>,
    pub(crate) issued_at: Claim<UnixTime>,
}

impl<'a> Claims<'a> {
    pub(crate) fn read(object: Object<'a>) -> Self {
        Self {
            issuer: text(&object, "iss"),
            subject: text(&object, "sub"),
            jwt_id: text(&object, "jti"),
            audience: object.get("aud").map(Audience::read).transpose(),
            expires: date(&object, "exp"),
            not_before: date(&object, "nbf"),
            issued_at: date(&object, "iat"),
            object,
        }
    }

    /// All members.
    pub(crate) const fn object(&self) -> &Object<'a> {
        &self.object
    }
}

/// The recipients that a token names: one string, or an array of strings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audience<'a>(Value<'a>);

impl<'a> Audience<'a> {
    fn read(value: Value<'a>) -> Result<Self, JwtError> {
        if value.text().is_some() || value.all_elements(|element| element.text().is_some()) {
            Ok(Self(value))
        } else {
            Err(malformed("aud", ClaimProblem::WrongType))
        }
    }

    /// Whether `id` is among them, character by character.
    pub(crate) fn contains(self, id: &str) -> bool {
        match self.0.text() {
            Some(only) => only.is(id),
            None => !self.0.all_elements(|element| !element.text().is_some_and(|text| text.is(id))),
        }
    }

    /// The claim as it stands in the payload.
    pub(crate) const fn raw(self) -> &'a str {
        self.0.raw()
    }
}

fn text<'a>(object: &Object<'a>, claim: &'static str) -> Claim<Cow<'a, str>> {
    let Some(value) = object.get(claim) else {
        return Ok(None);
    };
    let text = value.string().ok_or(malformed(claim, ClaimProblem::WrongType))?;
    if text.is_empty() {
        return Err(malformed(claim, ClaimProblem::Empty));
    }
    // A NUL ends a name for some readers and not for others: "user-1\0admin" would be two users.
    if text.chars().any(char::is_control) {
        return Err(malformed(claim, ClaimProblem::ControlCharacters));
    }
    Ok(Some(text))
}

fn date(object: &Object<'_>, claim: &'static str) -> Claim<UnixTime> {
    let Some(value) = object.get(claim) else {
        return Ok(None);
    };
    value.numeric_date().map(Some).map_err(|problem| {
        let problem = match problem {
            DateProblem::NotANumber => ClaimProblem::WrongType,
            DateProblem::OutOfRange => ClaimProblem::OutOfRange,
        };
        malformed(claim, problem)
    })
}

const fn malformed(claim: &'static str, problem: ClaimProblem) -> JwtError {
    JwtError::ClaimMalformed { claim, problem }
}
