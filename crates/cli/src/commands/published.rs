//! What a change says once it is true everywhere.

use std::io::{self, Write};

use serde_json::Value;

use crate::output::{FAINT, GOOD};

/// `{"position","waited_ms","acknowledged","fenced"}` on one line; nothing when the answer has none.
pub(crate) fn print(out: &mut dyn Write, published: &Value) -> io::Result<()> {
    let Some(position) = published["position"].as_str() else { return Ok(()) };
    let waited = published["waited_ms"].as_f64().unwrap_or_default();
    let count = |name: &str| published[name].as_u64().unwrap_or_default();
    writeln!(
        out,
        "{GOOD}true everywhere{GOOD:#} after {waited:.1} ms {FAINT}(position {position}, {} acknowledged, {} fenced){FAINT:#}",
        count("acknowledged"),
        count("fenced"),
    )
}
