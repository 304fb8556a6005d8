use rusqlite::ffi;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::schema;

type Answer = oneshot::Receiver<Result<(), Failure>>;

/// A writer whose orders are given by hand.
fn writer() -> (Running, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let (lock, _files) = ProcessLock::take(&path).unwrap();
    let mut connection = Connection::open(&path).unwrap();
    schema::migrate(&mut connection, misario_core::changes::Epoch(1)).unwrap();
    let marks = Marks::read(&connection).unwrap();
    let writer = Writer {
        connection,
        marks,
        standing: Arc::new(Standing::at(marks.head)),
        tally: Arc::default(),
        path,
        readers: Vec::new(),
        lock: Arc::new(lock),
    };
    (Running { writer, checkpoints: Checkpoints::default(), unsynced: false }, folder)
}

fn job(work: impl FnMut(&mut Tx<'_>) -> Result<(), Failure> + Send + 'static) -> (Box<dyn Job>, Answer) {
    match write(work, |(), _| ()) {
        (Order::Write(job), answer) => (job, answer),
        (Order::Close, _) => unreachable!("a write is a write"),
    }
}

/// Writes the fence `key`.
fn puts(key: &'static str) -> (Box<dyn Job>, Answer) {
    job(move |tx| {
        tx.connection.execute("INSERT INTO fences (key, epoch, seq) VALUES (?1, 1, 1)", [key])?;
        Ok(())
    })
}

fn failing(code: i32) -> (Box<dyn Job>, Answer) {
    job(move |tx| {
        tx.connection.execute("INSERT INTO fences (key, epoch, seq) VALUES ('half', 1, 1)", [])?;
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into())
    })
}

fn stored(running: &Running) -> Vec<String> {
    let mut statement = running.writer.connection.prepare("SELECT key FROM fences ORDER BY key").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn carry_out(running: &mut Running, jobs: Vec<(Box<dyn Job>, Answer)>) -> Vec<Result<(), &'static str>> {
    let (jobs, answers): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
    running.carry_out(jobs);
    let code = |failure: Failure| failure.to_store_error().code();
    answers.into_iter().map(|mut answer| answer.try_recv().unwrap().map_err(code)).collect()
}

#[test]
fn one_failure_undoes_its_own_savepoint() {
    let (mut running, _folder) = writer();
    let answers = carry_out(&mut running, vec![puts("a"), failing(ffi::SQLITE_IOERR_READ), puts("b")]);
    assert_eq!(answers, [Ok(()), Err("store_unavailable"), Ok(())]);
    assert_eq!(stored(&running), ["a", "b"]);
}

#[test]
fn a_failure_that_takes_the_transaction_down_costs_only_its_own_write() {
    let (mut running, _folder) = writer();
    let deadly = job(|tx| {
        // What SQLite does by itself when memory or disk ends.
        tx.connection.execute_batch("ROLLBACK")?;
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None).into())
    });
    let answers = carry_out(&mut running, vec![puts("a"), deadly, puts("b")]);
    assert_eq!(answers, [Ok(()), Err("store_full"), Ok(())]);
    assert_eq!(stored(&running), ["a", "b"]);
}

#[test]
fn after_a_failed_fsync_nothing_is_acknowledged_any_more() {
    let (mut running, _folder) = writer();
    let answers = carry_out(&mut running, vec![puts("a"), failing(ffi::SQLITE_IOERR_FSYNC), puts("b")]);
    assert_eq!(answers, [Err("store_unavailable"); 3]);
    assert_eq!(carry_out(&mut running, vec![puts("c")]), [Err("store_unavailable")]);
    assert_eq!(stored(&running), Vec::<String>::new());
    assert!(running.writer.connection.is_autocommit(), "no transaction is left open");
}

#[test]
fn a_write_that_came_to_nothing_moves_no_mark() {
    let (mut running, _folder) = writer();
    let before = running.writer.marks;
    let (greedy, answer) = job(|tx| {
        tx.marks.head = tx.marks.head.next();
        tx.marks.next_revision();
        Err(Failure::damaged("row", "so it was said"))
    });
    let answers = carry_out(&mut running, vec![(greedy, answer), puts("a")]);
    assert_eq!(answers, [Err("store_corrupt"), Ok(())]);
    assert_eq!(running.writer.marks, before);
    assert_eq!(running.writer.standing.head().unwrap(), before.head);
}

#[test]
fn nobody_waits_for_an_abandoned_write_and_it_is_not_done() {
    let (mut running, _folder) = writer();
    let (abandoned, answer) = puts("a");
    drop(answer);
    running.carry_out(vec![abandoned]);
    assert_eq!(stored(&running), Vec::<String>::new());
}

/// What panics must not let another process in while this one still tells where the store stands.
#[test]
fn a_writer_that_panics_ends_the_store_and_keeps_the_lock() {
    let (running, folder) = writer();
    let path = running.writer.path.clone();
    let standing = Arc::clone(&running.writer.standing);
    let (panicking, answer) = job(|_| panic!("a bug, as the test wants it"));
    let (orders, queue) = mpsc::channel(1);
    orders.try_send(Order::Write(panicking)).unwrap();
    let thread = thread::spawn(move || running.run(queue));
    assert!(thread.join().is_err());
    assert!(answer.blocking_recv().is_err());
    assert!(standing.head().is_err() && standing.replicas().is_err());
    assert_eq!(ProcessLock::take(&path).unwrap_err().code(), "store_locked");
    drop((orders, folder));
}
