//! Why a JSON text is refused.

/// Why a JSON text is refused; positions are octets from the start of the decoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The octets are not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// The text begins with a byte order mark (RFC 8259 §8.1).
    #[error("begins with a byte order mark")]
    ByteOrderMark,
    /// The text is a JSON value, but not an object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// The text breaks the grammar of RFC 8259.
    #[error("is not JSON at octet {position}")]
    Syntax {
        /// Where the grammar is broken.
        position: usize,
    },
    /// Something follows the object.
    #[error("goes on after the object, at octet {position}")]
    TrailingData {
        /// Where the extra text begins.
        position: usize,
    },
    /// Two members of one object have the same name, escapes undone.
    #[error("has two members of one name, the second at octet {position}")]
    DuplicateName {
        /// Where the second name begins.
        position: usize,
    },
    /// A `\u` escape names half a surrogate pair.
    #[error("has half a surrogate pair at octet {position}")]
    LoneSurrogate {
        /// Where the escape begins.
        position: usize,
    },
    /// A number is too large to be represented.
    #[error("has a number without a finite value at octet {position}")]
    NumberRange {
        /// Where the number begins.
        position: usize,
    },
    /// Objects and arrays are nested too deeply.
    #[error("is nested more than {limit} deep")]
    TooDeep {
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// One object has too many members.
    #[error("has an object of more than {limit} members")]
    TooManyMembers {
        /// The most members that are read.
        limit: usize,
    },
}
