//! A scanned object and the index of its members.

use super::scan::{Found, Member, Name, Scanner};
use super::text::Text;
use super::value::Value;
use crate::JsonError;

/// Where the members of an object are; reused, so that reading the next object allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Index {
    members: Vec<Member>,
    names: Vec<Name>,
}

/// An object whose whole text was found to be strict JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a> {
    text: &'a str,
    members: &'a [Member],
}

impl<'a> Object<'a> {
    /// Scans `bytes` as one object.
    pub(crate) fn read(bytes: &'a [u8], index: &'a mut Index) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        Scanner::new(text, &mut index.names).document(&mut index.members)?;
        Ok(Self { text, members: &index.members })
    }

    /// The whole text.
    pub(crate) const fn text(&self) -> &'a str {
        self.text
    }

    /// The member called `name`, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        let member = self.members.iter().find(|m| self.name_of(m).is(name))?;
        Some(self.value_of(&member.value))
    }

    /// The members in their order.
    pub(crate) fn members(&self) -> impl Iterator<Item = (Text<'a>, Value<'a>)> {
        self.members.iter().map(|m| (self.name_of(m), self.value_of(&m.value)))
    }

    fn name_of(&self, member: &Member) -> Text<'a> {
        let span = member.name.span;
        let raw = self.text.get(span.start..span.end).unwrap_or_default();
        Text::new(raw, member.name.escaped)
    }

    fn value_of(&self, found: &Found) -> Value<'a> {
        Value::new(self.text, found)
    }
}

#[cfg(test)]
mod tests;
