-- One row: where the log and the revisions stand.
CREATE TABLE marks (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    epoch    INTEGER NOT NULL,
    head     INTEGER NOT NULL, -- the last entry
    base     INTEGER NOT NULL, -- the last entry that was pruned
    revision INTEGER NOT NULL  -- the last that was given to anything
) STRICT;

CREATE TABLE sessions (
    sid      BLOB PRIMARY KEY,
    subject  TEXT NOT NULL,
    app      TEXT NOT NULL,
    revision INTEGER NOT NULL,
    ends     INTEGER NOT NULL, -- the idle deadline, which is never later than the end of the login
    body     TEXT NOT NULL     -- the whole session, as JSON
) STRICT;
CREATE INDEX sessions_of_subject ON sessions (subject, sid);
CREATE INDEX sessions_of_app ON sessions (app, sid);
CREATE INDEX sessions_by_end ON sessions (ends);

CREATE TABLE log (
    epoch INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    until INTEGER NOT NULL,
    kind  BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_by_end ON log (until);

CREATE TABLE fences (
    key   TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    until INTEGER -- absent: for ever
) STRICT, WITHOUT ROWID;
CREATE INDEX fences_by_end ON fences (until) WHERE until IS NOT NULL;

CREATE TABLE records (
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    alias    TEXT,
    revision INTEGER NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;
CREATE UNIQUE INDEX records_by_alias ON records (kind, alias) WHERE alias IS NOT NULL;
