//! One value of a scanned object.

use std::borrow::Cow;

use super::scan::{Found, Kind, Scanner};
use super::text::Text;
use crate::UnixTime;

/// The largest integer that every JSON reader represents exactly (RFC 8259 §6).
const MAX_DATE: u64 = 1 << 53;

/// A value of a scanned text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    raw: &'a str,
    kind: Kind,
    escaped: bool,
}

/// Why a value is no `NumericDate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateProblem {
    NotANumber,
    OutOfRange,
}

impl<'a> Value<'a> {
    pub(crate) fn new(text: &'a str, found: &Found) -> Self {
        let raw = text.get(found.span.start..found.span.end).unwrap_or_default();
        Self { raw, kind: found.kind, escaped: found.escaped }
    }

    /// The type of the value.
    pub(crate) const fn kind(self) -> Kind {
        self.kind
    }

    /// The value as it stands in the text.
    pub(crate) const fn raw(self) -> &'a str {
        self.raw
    }

    /// The content when the value is a string.
    pub(crate) fn text(self) -> Option<Text<'a>> {
        let content = self.raw.strip_prefix('"')?.strip_suffix('"')?;
        Some(Text::new(content, self.escaped))
    }

    /// The content, escapes undone, when the value is a string.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        self.text().map(Text::decode)
    }

    /// Whether the value is an array and `each` holds for all its elements.
    pub(crate) fn all_elements(self, mut each: impl FnMut(Value<'a>) -> bool) -> bool {
        let mut all = self.kind == Kind::Array;
        if all {
            let mut names = Vec::new();
            let walked = Scanner::new(self.raw, &mut names).elements(|found| {
                all &= each(Value::new(self.raw, &found));
                all
            });
            all &= walked.is_ok();
        }
        all
    }

    /// The moment that the value names as a `NumericDate` (RFC 7519 §2); fractions of a second are cut off.
    ///
    /// Cutting is right for all three time claims, because `now` is cut too: an `exp` is never stretched, and an
    /// `iat` that was written with fractions a moment ago does not lie in the future.
    pub(crate) fn numeric_date(self) -> Result<UnixTime, DateProblem> {
        if self.kind != Kind::Number {
            return Err(DateProblem::NotANumber);
        }
        if self.raw.starts_with('-') {
            return Err(DateProblem::OutOfRange);
        }
        if self.raw.bytes().all(|b| b.is_ascii_digit()) {
            return match self.raw.parse() {
                Ok(secs) if secs <= MAX_DATE => Ok(UnixTime::from_secs(secs)),
                _ => Err(DateProblem::OutOfRange),
            };
        }
        whole_seconds(self.raw).ok_or(DateProblem::OutOfRange)
    }
}

/// The whole seconds of a number with a fraction or an exponent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the value was found to lie between 0 and 2^53, where every whole double is a u64"
)]
fn whole_seconds(raw: &str) -> Option<UnixTime> {
    let secs = raw.parse::<f64>().ok()?;
    (0.0..=MAX_DATE as f64).contains(&secs).then(|| UnixTime::from_secs(secs as u64))
}
