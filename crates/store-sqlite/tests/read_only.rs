//! Files that may not be written: said at the opening, with nothing changed.

#![expect(clippy::unwrap_used, reason = "a test without a store fails")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use misario_core::store::SessionStore;
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::child::{self, Again};
use misario_testkit::samples::{inserted, session, sid};

const TEST: &str = "what_may_not_be_written_is_called_that";

/// Somebody for whom permissions count; they do not for root.
const NOBODY: u32 = 65_534;

fn code_of_opening(folder: &Path) -> Result<SqliteStore, &'static str> {
    SqliteStore::open(&folder.join("misario.db"), Options::default()).map_err(|error| error.code())
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_written_is_called_that() {
    if let Some(folder) = child::role() {
        tokio::runtime::Runtime::new().unwrap().block_on(without_rights(folder.as_ref()));
        return child::tell("done");
    }
    let folder = tempfile::tempdir().unwrap();
    let role = folder.path().to_str().unwrap();
    let mut again = Again::test(TEST).role(role);
    if rustix::process::geteuid().is_root() {
        // The program has to be where that user can run it, too.
        let program = folder.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        again = Again::program(&program, TEST).role(role).with(|command| {
            command.uid(NOBODY).gid(NOBODY);
        });
    }
    let (told, well) = again.start().wait();
    assert_eq!((told.last().map(String::as_str), well), (Some("done"), true));
}

async fn without_rights(home: &Path) {
    let folder = home.join("store");
    fs::create_dir(&folder).unwrap();
    let (database, lock) = (folder.join("misario.db"), folder.join("misario.db.lock"));

    // Nothing may be made in the folder.
    allow(&folder, 0o500);
    assert_eq!(code_of_opening(&folder).err(), Some("store_read_only"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    allow(&folder, 0o700);

    let store = code_of_opening(&folder).unwrap();
    inserted(&store, &session(1)).await;
    store.close().await.unwrap();
    let before = fs::read(&database).unwrap();

    // The file, the lock, and the folder while both are there.
    for (path, mode) in [(&database, 0o400), (&lock, 0o400), (&folder, 0o500)] {
        let usual = fs::metadata(path).unwrap().permissions();
        allow(path, mode);
        assert_eq!(code_of_opening(&folder).err(), Some("store_read_only"), "{}", path.display());
        assert_eq!(fs::read(&database).unwrap(), before);
        fs::set_permissions(path, usual).unwrap();
    }
    let store = code_of_opening(&folder).unwrap();
    assert!(store.load(&sid(1)).await.unwrap().is_some());

    // While it is open, rights on the files count no more; what is open stays usable.
    allow(&database, 0o400);
    inserted(&store, &session(2)).await;
    allow(&database, 0o000);
    store.close().await.unwrap();
    assert_eq!(code_of_opening(&folder).err(), Some("store_read_only"));
}
