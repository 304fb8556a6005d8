//! Which fences concern a session, and how a fence is put up again: one rule for all stores (PROTOCOL rule 23).

use crate::changes::{Fence, FenceKey, Position};
use crate::session::Session;

/// The keys of the fences that end `session` when it was issued before them.
pub fn ending(session: &Session) -> [FenceKey; 4] {
    [
        FenceKey::Login(session.sid),
        FenceKey::User(session.subject.clone()),
        FenceKey::App(session.app.clone()),
        FenceKey::Everything,
    ]
}

/// The key of the fence before which the session's grant is stale.
pub fn staling(session: &Session) -> FenceKey {
    FenceKey::Stale(session.subject.clone())
}

/// Whether a fence that cuts off at `before` refuses what was issued at `issued`. Only what was issued earlier: who
/// signs in after a revocation is not concerned by it.
pub fn refuses(before: Position, issued: Position) -> bool {
    issued < before
}

/// The fence that stands after `new` was put up where `old` stood: a cut-off only ever rises, and a life only grows.
pub fn raised(old: Option<Fence>, new: Fence) -> Fence {
    let Some(old) = old else { return new };
    let until = match (old.until, new.until) {
        (Some(old), Some(new)) => Some(old.max(new)),
        _ => None,
    };
    Fence { before: old.before.max(new.before), until }
}

#[cfg(test)]
mod tests {
    use misario_jose::UnixTime;

    use super::*;
    use crate::changes::Epoch;

    #[test]
    fn a_fence_is_never_lowered_and_never_shortened() {
        let fence = |seq, until: Option<u64>| Fence {
            before: Position::new(Epoch(1), seq),
            until: until.map(UnixTime::from_secs),
        };
        assert_eq!(raised(None, fence(3, Some(5))), fence(3, Some(5)));
        assert_eq!(raised(Some(fence(9, Some(1))), fence(3, Some(5))), fence(9, Some(5)));
        assert_eq!(raised(Some(fence(1, None)), fence(3, Some(5))), fence(3, None));
        assert_eq!(raised(Some(fence(1, Some(5))), fence(3, None)), fence(3, None));
    }
}
