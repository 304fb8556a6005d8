//! Limits of this process.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Lets this process hold as many connections as the system allows: the soft limit (often 1,024) is for programs that
/// use `select`. Where it cannot be raised, it stays.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
