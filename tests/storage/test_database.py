"""The schema is alembic's, and a database that cannot be used says so in a sentence."""

import os
import sqlite3
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlmodel import select

from storage import database as module
from storage.database import Database, DatabaseError, DatabaseTooNew, is_passing
from storage.tables import Digest, GatewayGap, Room, Ticket, TicketEvent
from tests.support.databases import PostgresServer

NOON = datetime(2026, 7, 12, 4, 0, tzinfo=UTC)
DAY = date(2026, 7, 12)


def digest(scope: str, text: str = "") -> Digest:
    return Digest(scope=scope, day=DAY, text=text, made_at=NOON)


def scopes(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.exec(select(Digest.scope)))


def test_migrations_lead_to_the_tables(database: Database) -> None:
    config = module._alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)  # raises where a table differs from its migration


def test_there_and_back(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    config = module._alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    database.upgrade()
    assert scopes(database) == []
    database.close()


def test_an_older_database_keeps_its_rows(empty_url: str) -> None:
    database = Database(empty_url)
    config = module._alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(_TICKET_OF_0001))
        connection.execute(text(_EVENT_OF_0001))
    database.upgrade()
    with database.transaction() as session:
        ticket = session.exec(select(Ticket)).one()
        assert (ticket.number, ticket.merged_into) == ("CTM0712-001", None)
        assert session.exec(select(TicketEvent.ticket_id)).all() == [ticket.id]
        ticket.merged_into = ticket.id
    database.close()


_TICKET_OF_0001 = """
    INSERT INTO ticket (id, number, street, day, running, label, urgency, state, level, account, room, area,
                        reporter, opened_at, clock_from, updated_at, reminders)
    VALUES (7, 'CTM0712-001', 'CTM', '2026-07-12', 1, 'flood', 2, 'closed', 'grid', 'a', 'river', 'CTM',
            'tang', '2026-07-12 04:00:00', '2026-07-12 04:00:00', '2026-07-12 04:00:00', 0)
"""
_EVENT_OF_0001 = """
    INSERT INTO ticket_event (id, ticket_id, at, actor, action, data)
    VALUES (8, 7, '2026-07-12 04:00:00', 'bot', 'open', '{}')
"""


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    with database.transaction() as session:
        session.add(digest("CTM"))
    database.upgrade()
    database.close()
    again = Database(empty_url)
    again.upgrade()
    assert scopes(again) == ["CTM"]
    again.close()


def test_two_that_start_at_once_take_turns(empty_url: str) -> None:
    failures: list[DatabaseError] = []

    def start() -> None:
        database = Database(empty_url)
        try:
            database.upgrade()
        except DatabaseError as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match=r"newer gridbot \(schema 9999\)"):
        database.upgrade()


def test_somebody_elses_database_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE ticket (whatever INTEGER)"))
    with pytest.raises(DatabaseError, match="cannot upgrade"):
        database.upgrade()
    database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://root@localhost/x", "sqlite or postgresql, not mysql"),
        ("postgresql+nosuch://localhost/x", "no driver"),
        ("sqlite+nosuch:///x.db", "no driver"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
    ],
)
def test_wrong_url(url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said):
        Database(url)


def test_unreachable_server_is_named_without_its_password() -> None:
    database = Database("postgresql+psycopg://me:secret@127.0.0.1:1/x")
    with pytest.raises(DatabaseError, match=r"cannot open .*//me:\*\*\*@127\.0\.0\.1") as raised:
        database.upgrade()
    assert "secret" not in str(raised.value)


def test_unreadable_paths(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DatabaseError, match=r"cannot open .*file/x\.db: "):
        Database(f"sqlite:///{tmp_path / 'file' / 'x.db'}")
    folder = tmp_path / "folder.db"
    folder.mkdir()
    with pytest.raises(DatabaseError, match=r"cannot open .*folder\.db: "):
        Database(f"sqlite:///{folder}").upgrade()
    (tmp_path / "text.db").write_text("no database at all " * 100)
    with pytest.raises(DatabaseError, match=r"text\.db: file is not a database"):
        Database(f"sqlite:///{tmp_path / 'text.db'}").upgrade()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_forbidden_folder(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(DatabaseError, match=r"cannot open .*Permission denied"):
        Database(f"sqlite:///{tmp_path / 'closed' / 'below' / 'x.db'}")


def test_a_locked_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    database = Database(f"sqlite:///{file}", busy_seconds=0.05)
    with pytest.raises(DatabaseError, match=r"x\.db: database is locked"):
        database.upgrade()
    other.execute("ROLLBACK")
    database.upgrade()
    database.close()
    other.close()


def test_settings_of_sqlite(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.reading() as session:
        found = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


def test_all_or_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(digest("one"))
        session.flush()
        session.add(digest("one"))
    assert scopes(database) == []


def test_a_savepoint_undoes_only_itself(database: Database) -> None:
    with database.transaction() as session:
        session.add(digest("before"))
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(digest("before"))
            session.flush()
        session.add(digest("after"))
    assert scopes(database) == ["after", "before"]


def test_readers_see_the_last_commit_while_one_writes(database: Database) -> None:
    with database.transaction() as session:
        session.add(digest("one"))
        session.flush()
        assert scopes(database) == []
    assert scopes(database) == ["one"]


def test_writers_in_threads_take_turns(database: Database) -> None:
    def write(name: str) -> None:
        for number in range(20):
            with database.transaction() as session:
                session.add(digest(f"{name}{number}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scopes(database)) == 80


def test_times_come_back_as_aware_utc(database: Database) -> None:
    noon_in_the_street = datetime.fromisoformat("2026-07-12T12:00:00.123456+08:00")
    with database.transaction() as session:
        session.add(GatewayGap(gateway="local", began_at=noon_in_the_street))
    with database.reading() as session:
        gap = session.exec(select(GatewayGap)).one()
    assert gap.began_at == noon_in_the_street
    assert gap.began_at.tzinfo is UTC
    assert gap.ended_at is None


def test_a_time_without_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 7, 12, 12, 0)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive datetime"), database.transaction() as session:
        session.add(Room(account="a", id="r", first_seen_at=naive))


def test_what_passes_and_what_does_not(sqlite_url: str) -> None:
    database, other = Database(sqlite_url, busy_seconds=0.01), Database(sqlite_url, busy_seconds=0.01)
    with other.transaction() as holding:
        holding.add(digest("held"))
        holding.flush()
        with pytest.raises(OperationalError) as locked, database.transaction() as session:
            session.add(digest("waiting"))
    assert is_passing(locked.value)
    with pytest.raises(OperationalError) as wrong, database.transaction() as session:
        session.execute(text("SELECT * FROM nowhere"))
    assert not is_passing(wrong.value)
    with pytest.raises(IntegrityError) as twice, database.transaction() as session:
        session.add_all([digest("one"), digest("one")])
    assert not is_passing(twice.value)
    assert not is_passing(ValueError("something else"))
    database.close()
    other.close()


def test_a_full_disk_passes_even_within_a_savepoint(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    @event.listens_for(database.engine, "connect")
    def small(connection: sqlite3.Connection, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    with pytest.raises(OperationalError) as full, database.transaction() as session:
        for number in range(50):
            with session.begin_nested():
                session.add(digest(str(number), "x" * 3000))
                session.flush()
    assert is_passing(full.value)
    assert scopes(database) == []
    database.close()


def test_postgresql_coming_back_is_waited_for(postgres: PostgresServer, postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(OperationalError) as ended, database.transaction() as session:
        session.add(digest("lost"))
        session.flush()
        assert postgres.break_connections(postgres_url) == 1
        session.add(digest("never"))
        session.flush()
    assert is_passing(ended.value)
    with database.transaction() as session:  # the pool has noticed
        session.add(digest("there"))
    assert scopes(database) == ["there"]
    with pytest.raises(OperationalError) as nested, database.transaction() as session, session.begin_nested():
        session.add(digest("lost"))
        session.flush()
        postgres.break_connections(postgres_url)
        session.add(digest("lost, too"))
        session.flush()
    assert is_passing(nested.value)
    database.close()


def test_what_postgresql_refuses_for_good_does_not_pass(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(OperationalError) as large, database.transaction() as session:
        session.add(digest(os.urandom(10_000).hex()))  # too large for the unique index
    assert not is_passing(large.value)
    database.close()
