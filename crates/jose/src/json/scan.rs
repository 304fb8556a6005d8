//! One pass over a JSON text that checks all of it.

use super::text::Text;
use super::{MAX_DEPTH, MAX_MEMBERS};
use crate::JsonError;

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// A span of the text, in octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// String content between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quoted {
    pub(crate) span: Span,
    pub(crate) escaped: bool,
}

/// A value, quotes included when it is a string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) escaped: bool,
}

/// A member name that is compared with the later ones of its object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    quoted: Quoted,
    hash: u32,
}

/// A member of the outermost object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: Quoted,
    pub(crate) value: Found,
}

/// Reads `text` from octet `at` on.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Names of the objects that are open, innermost last.
    names: &'a mut Vec<Name>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, names: &'a mut Vec<Name>) -> Self {
        names.clear();
        Self { text, at: 0, names }
    }

    /// Reads the whole text as one object and reports its members.
    pub(crate) fn document(&mut self, members: &mut Vec<Member>) -> Result<(), JsonError> {
        members.clear();
        if self.text.starts_with('\u{feff}') {
            return Err(JsonError::ByteOrderMark);
        }
        self.skip_space();
        if self.peek() != Some(b'{') {
            // A scalar or array is told apart from garbage for whoever has to debug it.
            self.value(1)?;
            return Err(JsonError::NotAnObject);
        }
        self.object(1, Some(members))?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(JsonError::TrailingData { position: self.at });
        }
        Ok(())
    }

    /// Reads the elements of an array that was scanned before; `each` says whether to go on.
    pub(crate) fn elements(&mut self, mut each: impl FnMut(Found) -> bool) -> Result<(), JsonError> {
        self.expect(b'[')?;
        self.skip_space();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            if !each(self.value(1)?) {
                return Ok(());
            }
            if !self.eat(b',') {
                return self.expect(b']');
            }
            self.skip_space();
        }
    }

    fn value(&mut self, depth: usize) -> Result<Found, JsonError> {
        let start = self.at;
        let mut escaped = false;
        let kind = match self.peek() {
            Some(b'"') => {
                escaped = self.string()?.escaped;
                Kind::String
            }
            Some(b'{') => {
                self.object(depth, None)?;
                Kind::Object
            }
            Some(b'[') => {
                self.array(depth)?;
                Kind::Array
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            _ => self.literal()?,
        };
        let span = Span { start, end: self.at };
        self.skip_space();
        Ok(Found { kind, span, escaped })
    }

    fn object(&mut self, depth: usize, mut report: Option<&mut Vec<Member>>) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep { limit: MAX_DEPTH });
        }
        let base = self.names.len();
        self.expect(b'{')?;
        self.skip_space();
        if !self.eat(b'}') {
            loop {
                let name = self.name(base)?;
                self.expect(b':')?;
                self.skip_space();
                let value = self.value(depth + 1)?;
                if let Some(members) = report.as_deref_mut() {
                    members.push(Member { name, value });
                }
                if !self.eat(b',') {
                    break;
                }
                self.skip_space();
            }
            self.expect(b'}')?;
        }
        self.names.truncate(base);
        Ok(())
    }

    /// Reads a member name and compares it with the earlier names of the same object, which begin at `base`.
    fn name(&mut self, base: usize) -> Result<Quoted, JsonError> {
        let position = self.at;
        let quoted = self.string()?;
        self.skip_space();
        let text = self.text_of(quoted);
        let name = Name { quoted, hash: text.hash() };
        let earlier = self.names.get(base..).unwrap_or_default();
        if earlier.len() >= MAX_MEMBERS {
            return Err(JsonError::TooManyMembers { limit: MAX_MEMBERS });
        }
        if earlier.iter().any(|e| e.hash == name.hash && self.text_of(e.quoted).same_as(text)) {
            return Err(JsonError::DuplicateName { position });
        }
        self.names.push(name);
        Ok(quoted)
    }

    fn text_of(&self, quoted: Quoted) -> Text<'a> {
        let raw = self.text.get(quoted.span.start..quoted.span.end).unwrap_or_default();
        Text::new(raw, quoted.escaped)
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep { limit: MAX_DEPTH });
        }
        self.expect(b'[')?;
        self.skip_space();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            if !self.eat(b',') {
                return self.expect(b']');
            }
            self.skip_space();
        }
    }

    fn string(&mut self) -> Result<Quoted, JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                // RFC 8259 §7: control characters must be escaped.
                Some(0..=0x1f) | None => return Err(self.syntax()),
                Some(_) => self.at += 1,
            }
        }
        let span = Span { start, end: self.at };
        self.at += 1;
        Ok(Quoted { span, escaped })
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let position = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                match self.hex4()? {
                    0xd800..=0xdbff => self.low_surrogate(position),
                    0xdc00..=0xdfff => Err(JsonError::LoneSurrogate { position }),
                    _ => Ok(()),
                }
            }
            _ => Err(self.syntax()),
        }
    }

    fn low_surrogate(&mut self, position: usize) -> Result<(), JsonError> {
        if self.eat(b'\\') && self.eat(b'u') && (0xdc00..=0xdfff).contains(&self.hex4()?) {
            Ok(())
        } else {
            Err(JsonError::LoneSurrogate { position })
        }
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.syntax())?;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        // Only an exponent or more than 300 digits can leave the range of a double.
        let text = self.text.get(start..self.at).unwrap_or_default();
        let short = text.len() < 300 && !text.contains(['e', 'E']);
        if short || text.parse::<f64>().is_ok_and(f64::is_finite) {
            Ok(())
        } else {
            Err(JsonError::NumberRange { position: start })
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<Kind, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, kind) in [("true", Kind::Bool), ("false", Kind::Bool), ("null", Kind::Null)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(self.syntax())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.eat(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    const fn syntax(&self) -> JsonError {
        JsonError::Syntax { position: self.at }
    }
}
