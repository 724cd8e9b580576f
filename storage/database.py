"""The engine: one synchronous driver family for SQLite and PostgreSQL, schema by alembic."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import Session

_READ = "gridbot_read"
_UPGRADE_LOCK = 0x67726964  # of PostgreSQL's advisory locks: two processes that start at once take turns

# What passes by itself or is mended by a person while we wait; the rest would be refused again.
_PASSING_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
# Classes of SQLSTATE: connection, rollback (deadlock), resources, not ready, operator, system; read-only.
_PASSING_POSTGRESQL = ("08", "40", "53", "55", "57", "58", "25006")


class DatabaseError(Exception):
    """The database cannot be used as it is; the message says where, why and what to do."""


class DatabaseTooNew(DatabaseError):
    """The database was written by a newer version of the program."""


class Database:
    """Engine and sessions. `transaction()` writes, `reading()` reads a snapshot; both are for worker threads.

    `url` is an SQLAlchemy URL, e.g. `sqlite:///data/gridbot.db` or `postgresql+psycopg://...`.
    Raises DatabaseError when the URL is not understood.
    """

    def __init__(self, url: str, *, durable: bool = True, busy_seconds: float = 5) -> None:
        """busy_seconds: how long SQLite waits for another process's lock before it says so."""
        parsed = _parsed(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.shown_url = parsed.render_as_string(hide_password=True)
        # One writer at a time on SQLite anyway: waiting here is fair, waiting in SQLite is not.
        self._write_lock = threading.Lock() if self.is_sqlite else None
        try:
            if self.is_sqlite:
                Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
                self.engine = _sqlite(parsed, durable, busy_seconds)
            else:
                self.engine = create_engine(parsed, pool_pre_ping=True)
        except OSError as error:
            raise DatabaseError(f"cannot open {self.shown_url}: {error.strerror}") from error
        except (ArgumentError, ImportError) as error:
            raise DatabaseError(f"storage.url: no driver for {self.shown_url}: {error}") from error
        self._reader = self.engine.execution_options(**{_READ: True})

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A write transaction; committed at the end, rolled back on any exception."""
        if self._write_lock:
            with self._write_lock, Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        else:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read-only look, which never waits for a writer on SQLite (WAL)."""
        with Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def upgrade(self) -> None:
        """Brings the schema to this version. DatabaseTooNew when it is already beyond it."""
        config = _alembic_config()
        script = ScriptDirectory.from_config(config)
        try:
            with self.engine.connect() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
        except (DBAPIError, OSError) as error:
            raise DatabaseError(f"cannot open {self.shown_url}: {short(error)}") from error
        known = {revision.revision for revision in script.walk_revisions()}
        if current is not None and current not in known:
            raise DatabaseTooNew(
                f"{self.shown_url} was written by a newer gridbot (schema {current}); "
                "start that version, or restore an older backup"
            )
        if current == script.get_current_head():
            return
        try:
            with self.engine.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except DBAPIError as error:
            raise DatabaseError(f"cannot upgrade {self.shown_url}: {short(error)}") from error

    def close(self) -> None:
        self.engine.dispose()


def short(error: BaseException) -> str:
    """The driver's own words, without the statement and its parameters (they hold personal data)."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


def is_passing(error: BaseException | None) -> bool:
    """Whether trying again may help: locked, full, gone, restarting, deadlock."""
    while error is not None:
        if isinstance(error, DBAPIError) and _passes(error):
            return True
        # SQLite ends the transaction when the disk is full: the last we hear is of a savepoint that is gone.
        error = error.__context__
    return False


def _passes(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return str(state).startswith(_PASSING_POSTGRESQL)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(f"storage.url is not a database URL: {error}") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise DatabaseError(f"storage.url: sqlite or postgresql, not {parsed.get_backend_name()}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise DatabaseError("storage.url: name a file, such as sqlite:///data/gridbot.db")
    return parsed


def _sqlite(url: URL, durable: bool, busy_seconds: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": busy_seconds, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'OFF'}",
            "foreign_keys=ON",
            "cache_size=-65536",  # 64 MiB: inserts into large tables slow down 3-5 times without
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred read-then-write transaction fails as busy under load; IMMEDIATE waits its turn.
        reading = connection.get_execution_options().get(_READ)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
