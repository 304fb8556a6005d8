//! Sessions.

use misario_core::changes::Position;
use misario_core::id::SessionId;
use misario_core::session::Session;
use misario_core::store::{
    Cursor, Inserted, LoadedSession, Page, Revision, SessionFilter, SessionStore, StoreError, StoreFuture, Swapped,
    fencing, limits,
};
use misario_jose::UnixTime;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, params};

use super::fences;
use crate::SqliteStore;
use crate::cell;
use crate::failure::Failure;
use crate::marks::Marks;
use crate::writer::Tx;

/// A session on its way into the file.
struct Stored {
    sid: SessionId,
    subject: String,
    app: String,
    ends: i64,
    body: String,
    issued: Position,
    fences: [String; 4],
}

impl Stored {
    fn of(session: &Session) -> Result<Self, StoreError> {
        let body = serde_json::to_string(session).map_err(StoreError::unavailable)?;
        limits::check_session_size(body.len())?;
        Ok(Self {
            sid: session.sid,
            subject: session.subject.as_str().to_owned(),
            app: session.app.as_str().to_owned(),
            ends: cell::from_time(session.idle_deadline()),
            body,
            issued: session.issued,
            fences: fences::keys_ending(session),
        })
    }

    fn is_fenced(&self, connection: &Connection) -> Result<bool, Failure> {
        let cut_off = fences::cut_off(connection, &self.fences)?;
        Ok(cut_off.is_some_and(|before| fencing::refuses(before, self.issued)))
    }

    fn insert(&self, tx: &mut Tx<'_>) -> Result<Inserted, Failure> {
        if self.is_fenced(tx.connection)? {
            return Ok(Inserted::Fenced);
        }
        if revision_of(tx.connection, &self.sid)?.is_some() {
            return Ok(Inserted::Exists);
        }
        let revision = tx.marks.next_revision();
        self.execute(
            tx.connection,
            "INSERT INTO sessions (sid, subject, app, revision, ends, body)
             VALUES (:sid, :subject, :app, :revision, :ends, :body)",
            revision,
        )?;
        Ok(Inserted::Done(revision))
    }

    fn swap(&self, expected: Revision, tx: &mut Tx<'_>) -> Result<Swapped, Failure> {
        if self.is_fenced(tx.connection)? {
            return Ok(Swapped::Fenced);
        }
        match revision_of(tx.connection, &self.sid)? {
            None => return Ok(Swapped::Gone),
            Some(found) if found != expected => return Ok(Swapped::Conflict),
            Some(_) => {}
        }
        let revision = tx.marks.next_revision();
        self.execute(
            tx.connection,
            "UPDATE sessions SET subject = :subject, app = :app, revision = :revision, ends = :ends, body = :body
             WHERE sid = :sid",
            revision,
        )?;
        Ok(Swapped::Done(revision))
    }

    fn execute(&self, connection: &Connection, statement: &str, revision: Revision) -> Result<(), Failure> {
        connection.prepare_cached(statement)?.execute(named_params! {
            ":sid": self.sid.as_bytes(),
            ":subject": self.subject,
            ":app": self.app,
            ":revision": cell::from_u64(revision.0),
            ":ends": self.ends,
            ":body": self.body,
        })?;
        Ok(())
    }
}

fn revision_of(connection: &Connection, sid: &SessionId) -> Result<Option<Revision>, Failure> {
    let mut statement = connection.prepare_cached("SELECT revision FROM sessions WHERE sid = ?1")?;
    let revision: Option<i64> = statement.query_row([sid.as_bytes()], |row| row.get(0)).optional()?;
    revision.map(|revision| cell::to_u64(revision).map(Revision)).transpose()
}

/// The session in the columns (sid, body, revision). A row that holds somebody else's session is damaged.
fn read(row: &Row<'_>) -> Result<(Session, Revision), Failure> {
    let session: Session =
        serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(|error| Failure::damaged("session", error))?;
    let sid: [u8; 16] = row.get(0)?;
    if sid != *session.sid.as_bytes() {
        return Err(Failure::damaged("session", "it is under another handle"));
    }
    Ok((session, Revision(cell::to_u64(row.get(2)?)?)))
}

fn load(connection: &Connection, sid: &SessionId) -> Result<Option<LoadedSession>, Failure> {
    let mut statement = connection.prepare_cached("SELECT sid, body, revision FROM sessions WHERE sid = ?1")?;
    let mut rows = statement.query([sid.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (session, revision) = read(row)?;
    let stale = fences::find(connection, &fencing::staling(&session).to_string())?;
    Ok(Some(LoadedSession {
        as_of: Marks::read(connection)?.head,
        revoked_before: fences::cut_off(connection, &fences::keys_ending(&session))?,
        stale_before: stale.map(|fence| fence.before),
        session,
        revision,
    }))
}

fn list(connection: &Connection, filter: &SessionFilter, after: Option<Cursor>, limit: u32) -> Result<Page, Failure> {
    // No handle is as small as no octets at all.
    let after = after.as_ref().map_or(&[][..], |Cursor(sid)| sid.as_bytes());
    let more_than_limit = limit + 1;
    let page = |statement, filter: &[&dyn ToSql]| {
        let mut statement = connection.prepare_cached(statement)?;
        let params: Vec<&dyn ToSql> = [&after as &dyn ToSql, &more_than_limit].iter().chain(filter).copied().collect();
        let mut rows = statement.query(&*params)?;
        let mut sessions = Vec::new();
        while let Some(row) = rows.next()? {
            sessions.push(read(row)?);
        }
        Ok::<_, Failure>(sessions)
    };
    let mut sessions = match filter {
        SessionFilter::All => {
            page("SELECT sid, body, revision FROM sessions WHERE sid > ?1 ORDER BY sid LIMIT ?2", &[])
        }
        SessionFilter::Of(subject) => page(
            "SELECT sid, body, revision FROM sessions WHERE subject = ?3 AND sid > ?1 ORDER BY sid LIMIT ?2",
            &[&subject.as_str()],
        ),
        // The sign keeps the planner off the app's index: a user has a few sessions, an app has them all.
        SessionFilter::OfIn(subject, app) => page(
            "SELECT sid, body, revision FROM sessions WHERE subject = ?3 AND +app = ?4 AND sid > ?1
             ORDER BY sid LIMIT ?2",
            &[&subject.as_str(), &app.as_str()],
        ),
        SessionFilter::In(app) => page(
            "SELECT sid, body, revision FROM sessions WHERE app = ?3 AND sid > ?1 ORDER BY sid LIMIT ?2",
            &[&app.as_str()],
        ),
    }?;
    let more = sessions.len() > limit as usize;
    sessions.truncate(limit as usize);
    let next = sessions.last().filter(|_| more).map(|(session, _)| Cursor(session.sid));
    Ok(Page { sessions, next })
}

impl SessionStore for SqliteStore {
    fn insert<'a>(&'a self, session: &'a Session) -> StoreFuture<'a, Inserted> {
        Box::pin(async move {
            let stored = Stored::of(session)?;
            self.write(move |tx| stored.insert(tx)).await
        })
    }

    fn load<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, Option<LoadedSession>> {
        let sid = *sid;
        Box::pin(self.read(move |connection| load(connection, &sid)))
    }

    fn swap<'a>(&'a self, session: &'a Session, expected: Revision) -> StoreFuture<'a, Swapped> {
        Box::pin(async move {
            let stored = Stored::of(session)?;
            self.write(move |tx| stored.swap(expected, tx)).await
        })
    }

    fn remove<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, bool> {
        let sid = *sid;
        Box::pin(self.write(move |tx| {
            let mut statement = tx.connection.prepare_cached("DELETE FROM sessions WHERE sid = ?1")?;
            Ok(statement.execute([sid.as_bytes()])? > 0)
        }))
    }

    fn list(&self, filter: SessionFilter, after: Option<Cursor>, limit: u32) -> StoreFuture<'_, Page> {
        let limit = limits::page_size(limit);
        Box::pin(self.read(move |connection| list(connection, &filter, after, limit)))
    }

    fn sweep_sessions(&self, ended_before: UnixTime, limit: u32) -> StoreFuture<'_, u32> {
        Box::pin(self.write(move |tx| {
            let mut statement = tx.connection.prepare_cached(
                "DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE ends < ?1 ORDER BY ends LIMIT ?2)",
            )?;
            let swept = statement.execute(params![cell::from_time(ended_before), limit])?;
            Ok(u32::try_from(swept).unwrap_or(u32::MAX))
        }))
    }
}
