//! The symmetric keys behind tokens.

use misario_jose::mac::MacKey;
use misario_jose::seal::SealKey;

/// What a replica holds of a token key: enough to recognise a token and to judge a CSRF token, not enough to tell
/// whether a token counts.
#[derive(Clone)]
pub struct ReplicaKey {
    /// Its number.
    pub id: u32,
    pub(super) tag: MacKey,
    pub(super) csrf: MacKey,
    exported: zeroize::Zeroizing<[u8; 32]>,
}

impl ReplicaKey {
    /// The key that [`ReplicaKey::export`] wrote.
    pub fn import(id: u32, secret: &[u8; 32]) -> Self {
        let root = MacKey::new(secret);
        Self {
            id,
            tag: MacKey::new(&root.derive("misario/tag")),
            csrf: MacKey::new(&root.derive("misario/csrf")),
            exported: zeroize::Zeroizing::new(*secret),
        }
    }

    /// The key for the feed. It is a secret: it lets its holder make texts that look like tokens, and CSRF tokens.
    pub fn export(&self) -> &[u8; 32] {
        &self.exported
    }
}

impl std::fmt::Debug for ReplicaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReplicaKey({})", self.id)
    }
}

/// The replica halves of all token keys that still count; the last is the one to make CSRF tokens with.
#[derive(Debug, Clone, Default)]
pub struct ReplicaKeys(Vec<ReplicaKey>);

impl ReplicaKeys {
    /// These keys.
    pub fn new(keys: Vec<ReplicaKey>) -> Self {
        Self(keys)
    }

    /// The key of that number.
    pub fn find(&self, id: u32) -> Option<&ReplicaKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// The key to make CSRF tokens with.
    pub fn current(&self) -> Option<&ReplicaKey> {
        self.0.last()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &ReplicaKey> {
        self.0.iter()
    }
}

/// A token key at the authority: one root secret, one derived key per purpose.
#[derive(Clone)]
pub struct TokenKey {
    pub(super) replica: ReplicaKey,
    pub(super) digest: MacKey,
    pub(super) derive: MacKey,
    pub(super) seal: SealKey,
}

impl TokenKey {
    /// The key number `id` with this root secret.
    pub fn new(id: u32, root: &[u8; 32]) -> Self {
        let root = MacKey::new(root);
        Self {
            replica: ReplicaKey::import(id, &root.derive("misario/replica")),
            digest: MacKey::new(&root.derive("misario/digest")),
            derive: MacKey::new(&root.derive("misario/derive")),
            seal: SealKey::new(root.derive("misario/seal")),
        }
    }

    /// Its number.
    pub const fn id(&self) -> u32 {
        self.replica.id
    }

    /// What a replica may have of it.
    pub const fn replica(&self) -> &ReplicaKey {
        &self.replica
    }

    /// For sealing other secrets of the instance (signing keys) at rest.
    pub const fn seal(&self) -> &SealKey {
        &self.seal
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.id())
    }
}

/// The authority's token keys. The last one makes new logins; older ones stay until every login made under them is
/// gone, because its tokens are derived with them.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    current: TokenKey,
    older: Vec<TokenKey>,
    replica: ReplicaKeys,
}

impl TokenKeys {
    /// `current` makes new logins, `older` (oldest first) still count.
    pub fn new(current: TokenKey, older: Vec<TokenKey>) -> Self {
        let replica = older.iter().chain([&current]).map(|key| key.replica.clone()).collect();
        Self { current, older, replica: ReplicaKeys::new(replica) }
    }

    /// The key that new logins are made with.
    pub const fn current(&self) -> &TokenKey {
        &self.current
    }

    /// The key of that number.
    pub fn find(&self, id: u32) -> Option<&TokenKey> {
        std::iter::once(&self.current).chain(&self.older).find(|key| key.id() == id)
    }

    /// What replicas may have.
    pub const fn replica(&self) -> &ReplicaKeys {
        &self.replica
    }
}
