//! Every setting there is: the one list that reading, checking, suggestions and the environment go by.

use super::near;

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A text such as `15m`.
    Duration,
    /// A whole number.
    Number,
    /// A list of texts.
    List,
    /// A text that is never shown.
    Secret,
}

impl Kind {
    /// The type with an example, for a message.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text such as \"web\"",
            Self::Duration => "a duration such as \"15m\", \"12h\", \"2s\" or \"30d\"",
            Self::Number => "a whole number such as 3",
            Self::List => "a list of texts such as [\"cookie\"]",
            Self::Secret => "a text",
        }
    }
}

/// A setting; `*` in its path is a name that the user chooses.
#[derive(Debug)]
pub(crate) struct Key {
    path: &'static [&'static str],
    /// Its type.
    pub(crate) kind: Kind,
}

const fn key(path: &'static [&'static str], kind: Kind) -> Key {
    Key { path, kind }
}

/// All settings.
const KEYS: &[Key] = &[
    key(&["issuer"], Kind::Text),
    key(&["leeway"], Kind::Duration),
    key(&["listen", "http"], Kind::Text),
    key(&["listen", "admin"], Kind::Text),
    key(&["storage", "records"], Kind::Text),
    key(&["storage", "live"], Kind::Text),
    key(&["changes", "lease"], Kind::Duration),
    key(&["bootstrap", "secret"], Kind::Secret),
    key(&["bootstrap", "secret_file"], Kind::Text),
    key(&["app", "*", "mode"], Kind::Text),
    key(&["app", "*", "transports"], Kind::List),
    key(&["app", "*", "origins"], Kind::List),
    key(&["app", "*", "trusted_origins"], Kind::List),
    key(&["app", "*", "audience"], Kind::Text),
    key(&["app", "*", "access_ttl"], Kind::Duration),
    key(&["app", "*", "idle"], Kind::Duration),
    key(&["app", "*", "absolute"], Kind::Duration),
    key(&["app", "*", "renew_window"], Kind::Duration),
    key(&["app", "*", "reuse_interval"], Kind::Duration),
    key(&["app", "*", "cookie"], Kind::Text),
    key(&["app", "*", "signing_alg"], Kind::Text),
    key(&["app", "*", "max_logins"], Kind::Number),
    key(&["policy", "*", "app"], Kind::Text),
    key(&["policy", "*", "roles"], Kind::List),
    key(&["policy", "*", "permissions"], Kind::List),
    key(&["policy", "*", "scopes"], Kind::List),
    key(&["policy", "*", "check"], Kind::Text),
];

/// The setting of that path.
pub(crate) fn find(path: &[String]) -> Option<&'static Key> {
    KEYS.iter().find(|key| {
        key.path.len() == path.len() && key.path.iter().zip(path).all(|(known, part)| *known == "*" || known == part)
    })
}

/// A setting that looks like what was written, and the settings of that place.
pub(crate) fn suggest(path: &[String]) -> (Option<String>, String) {
    let Some((last, above)) = path.split_last() else { return (None, String::new()) };
    let here: Vec<&str> = KEYS.iter().filter_map(|key| child(key, above)).collect();
    if here.is_empty() {
        // The mistake is above: the section itself.
        return if above.is_empty() { (None, String::new()) } else { suggest(above) };
    }
    let mut known = here.clone();
    known.dedup();
    let near = near::closest(last, &known)
        .map(|found| above.iter().map(String::as_str).chain([found]).collect::<Vec<_>>().join("."));
    (near, known.join(", "))
}

/// The part of the key's path below `above`, if the key is there.
fn child(key: &Key, above: &[String]) -> Option<&'static str> {
    let matches =
        key.path.len() > above.len() && key.path.iter().zip(above).all(|(known, part)| *known == "*" || known == part);
    if matches { key.path.get(above.len()).copied() } else { None }
}
