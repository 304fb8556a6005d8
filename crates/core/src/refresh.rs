//! Refresh tokens: one pure decision, made effective by one compare-and-swap.
//!
//! A login has one family of refresh tokens, numbered by [`Generation`]. The newest is the *head*. Showing the head
//! makes the next one; what a client may have missed is given again; what nobody honest would show ends the login.
//!
//! RFC 9700 section 4.14.2: "the authorization server [...] cannot determine which party submitted the invalid refresh
//! token, but it will revoke the active refresh token." Honest clients lose responses and have several tabs, so the
//! rule needs its exceptions, and these are all of them ([`decide`]):
//!
//! | shown | head | answer |
//! |---|---|---|
//! | the head | | rotate |
//! | the head's parent | never used | the head again, however late: the response was lost |
//! | rotated, or answered by the row above, less than `reuse_interval` ago | any | the head: a sibling tab's request that was on the wire |
//! | replaced at a step-up | any | refused, and nothing else |
//! | older | | reuse: the family is revoked |
//!
//! An answer by the second row starts the interval of the parent again ([`TokenFamily::retried`]): tabs that wake up
//! together all show the token whose successor was lost, and the first of them uses the head while the others' requests
//! are on the wire. An answer by the third row starts nothing again, so no old token keeps itself alive.
//!
//! *Used* means shown for refresh, or its access token accepted where the authority sees it. A session token is the same
//! before and after a rotation, so in `session` mode only the former tells. Within the exceptions a
//! thief gains the token that the owner has too, and the next refresh of either outside the interval ends both.

use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};

/// The place of a refresh token in its family; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

/// The refresh tokens of one login: everything the decision needs, and no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFamily {
    head: Generation,
    head_used: bool,
    /// Rotations, and lost responses given again, less than a reuse interval before the last of them; oldest first.
    #[serde(default)]
    recent: Vec<Rotated>,
    /// Tokens before this one were replaced; see [`TokenFamily::replaced`].
    #[serde(default = "nothing_replaced")]
    floor: Generation,
}

const fn nothing_replaced() -> Generation {
    Generation(0)
}

/// A token that was rotated away, and when; or when its lost response was given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Rotated {
    generation: Generation,
    at: UnixTime,
}

/// How many recent rotations a family remembers. An honest client makes one per access lifetime; one that makes more
/// than this within a reuse interval has its oldest siblings' late requests taken for reuse.
const RECENT: usize = 32;

/// How refresh tokens are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// Seconds for which a rotated token is still answered with the head, whether or not that was used.
    pub reuse_interval: u64,
}

/// What is to be done with a refresh token that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Swap in [`TokenFamily::rotated`] and hand out its head.
    Rotate {
        /// The head to be.
        next: Generation,
    },
    /// Swap in [`TokenFamily::retried`], if there is one, and hand out the head that is there.
    Retry {
        /// The head.
        head: Generation,
    },
    /// Shown outside the retry rule: revoke the login, through the log.
    Reused {
        /// The head at that time.
        head: Generation,
    },
    /// Not a token this family ever had. Refuse, and change nothing.
    Reject,
}

/// What is to be done with the token `shown` of `family`. The token has proved genuine, and login and lifetimes are
/// judged elsewhere.
pub fn decide(family: &TokenFamily, shown: Generation, policy: RefreshPolicy, now: UnixTime) -> Rotation {
    let head = family.head;
    if shown > head || shown.0 == 0 || shown < family.floor {
        return Rotation::Reject;
    }
    if shown == head {
        return head.0.checked_add(1).map_or(Rotation::Reject, |next| Rotation::Rotate { next: Generation(next) });
    }
    if family.lost_response(shown) || family.rotated_within(shown, policy.reuse_interval, now) {
        return Rotation::Retry { head };
    }
    Rotation::Reused { head }
}

impl TokenFamily {
    /// A family whose first token is about to be handed out.
    pub const fn first() -> Self {
        Self { head: Generation(1), head_used: false, recent: Vec::new(), floor: nothing_replaced() }
    }

    /// The newest token.
    pub const fn head(&self) -> Generation {
        self.head
    }

    /// Whether the newest token, or the access token that came with it, was seen in use.
    pub const fn head_used(&self) -> bool {
        self.head_used
    }

    /// The family after its head was shown at `now`.
    pub fn rotated(&self, next: Generation, policy: RefreshPolicy, now: UnixTime) -> Self {
        Self { head: next, head_used: false, recent: self.recent_and(self.head, policy, now), floor: self.floor }
    }

    /// The family after its head was given again at `now`, because its response was lost; `None` if nothing is to be
    /// stored.
    ///
    /// Within its interval `shown` starts no other, so a burst of requests costs one write. Once the head was used,
    /// this is always `None`: showing an old token does not make it last.
    pub fn retried(&self, shown: Generation, policy: RefreshPolicy, now: UnixTime) -> Option<Self> {
        let starts_again = self.lost_response(shown) && !self.rotated_within(shown, policy.reuse_interval, now);
        starts_again.then(|| Self { recent: self.recent_and(shown, policy, now), ..self.clone() })
    }

    /// The family after its user proved once more who they are: a new head goes to whoever proved it, and all tokens
    /// before it are worth nothing, not even the end of the login.
    pub fn replaced(&self) -> Self {
        // A family that has used up its numbers ends with the token it has, as a rotation would tell.
        let head = Generation(self.head.0.saturating_add(1));
        Self { head, head_used: false, recent: Vec::new(), floor: head }
    }

    /// The family after an access token that came with `generation` was accepted at the authority; `None` if that
    /// tells nothing new.
    pub fn seen(&self, generation: Generation) -> Option<Self> {
        (generation == self.head && !self.head_used).then(|| Self { head_used: true, ..self.clone() })
    }

    /// Whether nothing shows that anybody got the head that `shown` was rotated to.
    const fn lost_response(&self, shown: Generation) -> bool {
        shown.0.saturating_add(1) == self.head.0 && !self.head_used
    }

    /// What is still recent, and `generation` as of `now`.
    fn recent_and(&self, generation: Generation, policy: RefreshPolicy, now: UnixTime) -> Vec<Rotated> {
        let mut recent = self.recent.clone();
        recent.retain(|rotated| now.secs_since(rotated.at) < policy.reuse_interval);
        if recent.len() >= RECENT {
            recent.remove(0);
        }
        recent.push(Rotated { generation, at: now });
        recent
    }

    /// A clock that went back makes a rotation look recent, not old: that answers a token again and logs nobody out.
    fn rotated_within(&self, shown: Generation, interval: u64, now: UnixTime) -> bool {
        self.recent.iter().any(|rotated| rotated.generation == shown && now.secs_since(rotated.at) < interval)
    }
}

#[cfg(test)]
mod tests;
