//! String content between its quotes, escapes and all.

use std::borrow::Cow;

/// String content as it stands in a scanned text: its escapes are known to be well-formed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    pub(crate) const fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// The content as it stands in the text.
    pub(crate) const fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether the content, escapes undone, is `other`.
    pub(crate) fn is(self, other: &str) -> bool {
        if self.escaped { self.chars().eq(other.chars()) } else { self.raw == other }
    }

    /// Whether both contents are the same, escapes undone.
    pub(crate) fn same_as(self, other: Text<'_>) -> bool {
        match (self.escaped, other.escaped) {
            (false, false) => self.raw == other.raw,
            _ => self.chars().eq(other.chars()),
        }
    }

    /// The content, escapes undone; copied only when there are any.
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(self.chars().collect()) } else { Cow::Borrowed(self.raw) }
    }

    /// A hash of the content, escapes undone: equal contents have equal hashes (FNV-1a).
    pub(crate) fn hash(self) -> u32 {
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        if self.escaped {
            let mut buffer = [0; 4];
            self.chars().fold(0x811c_9dc5, |hash, c| c.encode_utf8(&mut buffer).bytes().fold(hash, step))
        } else {
            self.raw.bytes().fold(0x811c_9dc5, step)
        }
    }

    fn chars(self) -> Chars<'a> {
        Chars(self.raw.chars())
    }
}

/// The characters of a text, escapes undone. Malformed escapes, which the scan refuses, end the iteration.
struct Chars<'a>(std::str::Chars<'a>);

impl Chars<'_> {
    fn hex4(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + self.0.next()?.to_digit(16)?;
        }
        Some(code)
    }

    fn unicode(&mut self) -> Option<char> {
        let high = self.hex4()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        self.0.next().filter(|c| *c == '\\')?;
        self.0.next().filter(|c| *c == 'u')?;
        let low = self.hex4()?.checked_sub(0xdc00)?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.0.next()?;
        if c != '\\' {
            return Some(c);
        }
        match self.0.next()? {
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode(),
            other => Some(other),
        }
    }
}
