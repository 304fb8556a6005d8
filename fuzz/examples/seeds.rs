//! Writes the seeds that only this code can make: texts and frames under the fixed keys of the fuzz targets.
//!
//! `cargo run --example seeds` in this folder, after a format has got something to say that it could not say before.

use std::{error::Error, fs, path::Path};

use misario_core::changes::codec::{encode_change, encode_kind};
use misario_core::changes::frame::{Body, ParentFrame, ReplicaFrame, Use};
use misario_core::changes::{Change, ChangeKind, Epoch, Position, Target};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::refresh::Generation;
use misario_core::secret::{ClientSecret, LoginSeed, RefreshToken, SecretText, SessionToken};
use misario_fuzz::{Fixed, NOW, token_keys};

const SID: SessionId = SessionId::from_bytes([7; 16]);

fn main() -> Result<(), Box<dyn Error>> {
    secrets()?;
    feed()
}

fn secrets() -> Result<(), Box<dyn Error>> {
    let keys = token_keys();
    let seed = LoginSeed::generate(&keys, &Fixed);
    let generation = Generation(3);
    let session = SessionToken::derive(&keys, &seed, SID, generation.0).and_then(|token| token.to_text(keys.replica()));
    let refresh = RefreshToken::derive(&keys, &seed, SID, generation).and_then(|token| token.to_text(keys.replica()));
    let client = ClientSecret::generate(&keys, &Fixed).to_text(&keys);
    for (name, text) in [("session", session), ("refresh", refresh), ("client", client)] {
        let text: SecretText = text.ok_or("the key is not there")?;
        write("core_secrets", name, text.expose().as_bytes())?;
    }
    Ok(())
}

fn feed() -> Result<(), Box<dyn Error>> {
    let keys: Vec<_> = token_keys().replica().iter().cloned().collect();
    let position = Position::new(Epoch(1), 5);
    let target = Target::User(Subject::new("alice")?);
    let kind = ChangeKind::Revoked { target, before: Some(position) };
    let change = Change { position, at: NOW, until: NOW, kind };
    let welcome = ParentFrame::Welcome { version: 1, ttl_ms: 2000, issuer: "https://i".to_owned(), leeway_secs: 60 };
    let ask = ReplicaFrame::Ask { request: 1, body: Body::new(vec![1, 2]) };
    let uses = vec![Use { sid: SID, at: NOW, generation: Some(Generation(3)) }];
    let seen = ReplicaFrame::Seen { app: AppId::new("web")?, uses };
    let seeds = [
        // The first octet chooses the reader.
        ("change", 0, encode_change(&change)?),
        ("kind", 1, encode_kind(&ChangeKind::SessionChanged { sid: SID })?),
        ("seen", 2, seen.encode()?),
        ("ask", 2, ask.encode()?),
        ("changes", 3, ParentFrame::Changes { after: position, entries: vec![change.clone()] }.encode()?),
        (
            "snapshot",
            3,
            ParentFrame::Snapshot { position, changes: vec![change], replica_keys: keys, more: false }.encode()?,
        ),
        ("welcome", 3, welcome.encode()?),
    ];
    for (name, reader, octets) in seeds {
        write("core_feed", name, &[&[reader], octets.as_slice()].concat())?;
    }
    Ok(())
}

fn write(target: &str, name: &str, octets: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), octets)?)
}
