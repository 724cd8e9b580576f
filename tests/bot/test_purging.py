"""What is too old goes, nothing younger, and no open ticket ever."""

import random
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table
from sqlmodel import SQLModel, col, func, select
from structlog.testing import capture_logs

from bot.purging import Purging
from bot.settings import Settings, StorageSettings
from bot.timers import Timers
from handlers.retention import Retention
from storage import retention
from storage.database import Database
from storage.tables import (
    ActionLog,
    Attachment,
    AttachmentState,
    Correction,
    Duty,
    Extension,
    JoiningMiss,
    Message,
    Offer,
    Purge,
    Reply,
    ReplyState,
    Review,
    ReviewState,
    Ticket,
    TicketEvent,
    TicketReport,
    TicketUnit,
    metadata,
)
from storage.tickets import reports
from tests.storage.rows import NOON, ago, keep, message, reply, report, ticket
from tests.support.street import ROOT, MovingClock, Street, make_world

RULES = Retention()
YEARS = timedelta(days=3 * 365.25)


def purge(database: Database, media: Path = Path("nowhere"), now: datetime = NOON) -> retention.Counts:
    return purging(database, media, now).work()


def purging(database: Database, media: Path = Path("nowhere"), now: datetime = NOON) -> Purging:
    return Purging(database, RULES, lambda: now, media, sleep=lambda _: None)


def rows(database: Database, table: type[SQLModel]) -> list[Any]:
    with database.reading() as session:
        return list(session.exec(select(table)))


def old(**more: Any) -> Message:
    return message(**({"received_at": ago(days=8), "handled_at": ago(days=8), "outcome": "none"} | more))


def closed(**more: Any) -> Ticket:
    at = NOON - YEARS - timedelta(days=1)
    return ticket(**({"state": "closed", "resolution": "fixed", "closed_at": at} | more))


def event(of: Ticket, **more: Any) -> TicketEvent:
    return TicketEvent(ticket_id=of.id, at=NOON, actor="zhou", action="accept", **more)


def review(of: Message, **more: Any) -> Review:
    values = {
        "account": "a", "room": "river", "label": "flood", "urgency": 1, "chance": 0.5,
        "made_at": NOON, "expires_at": NOON,
    }  # fmt: skip
    return Review(message_id=of.id, **(values | more))


def test_old_chatter_goes_with_its_answers(database: Database) -> None:
    gone, young, waiting = old(), message(handled_at=NOON), message(received_at=ago(days=8))
    keep(database, gone, young, waiting)
    keep(database, reply(message_id=gone.id, state=ReplyState.SENT), reply(message_id=young.id))
    assert purge(database) == retention.Counts(messages=1, others=1)
    assert {row.id for row in rows(database, Message)} == {young.id, waiting.id}
    assert [row.message_id for row in rows(database, Reply)] == [young.id]


def test_what_is_still_wanted_stays(database: Database) -> None:
    matter = ticket(opened_at=ago(days=400))
    reported, spoken, pictured, undecided, unsaid = (old() for _ in range(5))
    keep(database, matter, reported, spoken, pictured, undecided, unsaid)
    keep(
        database,
        report(matter, reported),
        event(matter, message_id=spoken.id),
        Attachment(message_id=pictured.id, ticket_id=matter.id, due_at=NOON),
        review(undecided),
        reply(message_id=unsaid.id, state=ReplyState.SENDING),
    )
    assert purge(database) == retention.Counts()
    assert len(rows(database, Message)) == 5


def test_lessons_stay_without_their_message(database: Database) -> None:
    judged = old()
    keep(database, judged)
    keep(
        database,
        review(judged, state=ReviewState.IGNORED),
        Correction(at=ago(days=7), kind="review", message_id=judged.id, text="早", label="none"),
        Correction(at=ago(days=7, hours=1), kind="relabel", message_id=judged.id, text="早", label="flood"),
    )
    assert purge(database) == retention.Counts(messages=1, others=1)
    left = rows(database, Correction)
    assert [(one.kind, one.message_id) for one in left] == [("review", None)]


def whole_ticket(database: Database, media: Path) -> Ticket:
    """With something in every table that hangs on a ticket."""
    matter, said, picture = closed(), old(), old(kind="image", account="local", external_id="abc")
    keep(database, matter)
    said.ticket_id = picture.ticket_id = matter.id
    keep(database, said, picture)
    keep(
        database,
        report(matter, said),
        event(matter, message_id=said.id),
        reply(ticket_id=matter.id, message_id=said.id),
        reply(ticket_id=matter.id),
        review(said, ticket_id=matter.id, state=ReviewState.ACCEPTED),
        Attachment(
            message_id=picture.id, ticket_id=matter.id, due_at=NOON, path="1.png", state=AttachmentState.KEPT
        ),
        TicketUnit(ticket_id=matter.id, unit="fire", name="消防", notified_at=NOON),
        Offer(ticket_id=matter.id, account="a", room="r", made_by="zhou", made_at=NOON, expires_at=NOON),
        Extension(ticket_id=matter.id, minutes=5, asked_by="zhou", asked_at=NOON),
    )
    for name in ("1.png", "local/abc", "other.png"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(b"x")
    return matter


def test_a_ticket_goes_whole(database: Database, tmp_path: Path) -> None:
    media = tmp_path / "media"
    whole_ticket(database, media)
    assert purge(database, media) == retention.Counts(messages=2, tickets=1, pictures=1, others=8)
    with database.reading() as session:
        left = {t.name: session.execute(select(func.count()).select_from(t)).scalar_one() for t in _tables()}
    assert {name for name, count in left.items() if count} == {"purge", "alembic_version"} & set(left)
    assert [path.name for path in media.rglob("*") if path.is_file()] == ["other.png"]


def _tables() -> list[Table]:
    return metadata.sorted_tables


def test_every_table_that_refers_to_what_goes_is_known() -> None:
    known = {"reply", "review", "correction", "message", "ticket", "ticket_report", "ticket_event"}
    known |= {"attachment", "ticket_unit", "offer", "extension"}
    for table in _tables():
        if {key.column.table.name for key in table.foreign_keys} & {"message", "ticket"}:
            assert table.name in known, f"{table.name}: see storage/retention.py"
    # Without these each row that goes would have the other table searched.
    for table in _tables():
        leading = {index.columns[0].name for index in table.indexes} | {
            c.name for c in list(table.primary_key)[:1]
        }
        for key in table.foreign_keys:
            assert key.parent.name in leading, f"{table.name}.{key.parent.name} needs an index"


def test_what_another_ticket_needs_goes_over_to_it(database: Database) -> None:
    over, goes_on = closed(), ticket()
    keep(database, goes_on)
    over.merged_into = goes_on.id
    keep(database, over)
    shared, own = old(ticket_id=over.id), old(ticket_id=over.id)
    keep(database, shared, own)
    keep(database, report(over, shared), report(over, own), report(goes_on, shared))
    other = closed(closed_at=NOON, merged_into=over.id)
    keep(database, other)
    assert purge(database).tickets == 1
    assert [(row.id, row.ticket_id) for row in rows(database, Message)] == [(shared.id, goes_on.id)]
    with database.reading() as session:
        assert len(reports(session, goes_on.id)) == 1
    assert {row.id: row.merged_into for row in rows(database, Ticket)} == {goes_on.id: None, other.id: None}


def test_other_old_rows(database: Database) -> None:
    ages = {"young": ago(days=6), "week": ago(days=8), "years": NOON - YEARS - timedelta(days=1)}
    for at in ages.values():
        keep(
            database,
            JoiningMiss(account="a", person="x", at=at),
            Duty(person_id="zhou", area="CTM", since=at, until=at),
            ActionLog(at=at, actor="zhou", action="x"),
            reply(created_at=at, state=ReplyState.SENT),
            reply(created_at=at, state=ReplyState.WAITING),
        )
    purge(database)
    left = {table: len(rows(database, table)) for table in (JoiningMiss, Duty, ActionLog, Reply)}
    assert left == {JoiningMiss: 1, Duty: 2, ActionLog: 2, Reply: 4}


def test_a_run_is_counted_and_told_in_numbers_only(database: Database) -> None:
    keep(database, *(old(text="秘密") for _ in range(3)))
    with capture_logs() as told:
        purge(database)
    row = rows(database, Purge)[0]
    assert (row.at, row.messages, row.tickets, row.pictures, row.others) == (NOON, 3, 0, 0, 0)
    assert told == [
        {"event": "purged", "log_level": "info", "messages": 3, "tickets": 0, "pictures": 0, "others": 0}
    ]


def test_more_than_a_step(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 7)
    monkeypatch.setattr(retention, "_TICKETS", 2)
    over = [closed() for _ in range(5)]
    keep(database, *over)
    keep(database, *(old(ticket_id=random.choice(over).id) for _ in range(30)))
    for said in rows(database, Message):
        keep(database, event(over[0], message_id=said.id))
    kept = [old() for _ in range(10)]
    keep(database, *kept, *(old(received_at=ago(days=9)) for _ in range(20)), *(old() for _ in range(20)))
    keep(database, *(review(one) for one in kept))
    dry = purging(database).count()
    found = purge(database)
    assert (found.messages, found.tickets) == (70, 5)
    assert (dry.messages, dry.tickets) == (70, 5)
    assert {row.id for row in rows(database, Message)} == {one.id for one in kept}


def test_a_dry_run_changes_nothing(database: Database, tmp_path: Path) -> None:
    whole_ticket(database, tmp_path)
    found = purging(database, tmp_path).count()
    assert (found.messages, found.tickets, found.pictures) == (2, 1, 1)
    assert len(rows(database, Ticket)) == 1
    assert rows(database, Purge) == []


def test_a_stop_is_obeyed_and_the_rest_goes_next_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 5)
    keep(database, *(old() for _ in range(12)))
    run = Purging(database, RULES, lambda: NOON, Path("nowhere"), sleep=lambda _: run.stop())
    assert run.work().messages == 5
    assert purge(database).messages == 7


def test_once_a_night_and_made_up_for(database: Database, tmp_path: Path) -> None:
    clock = MovingClock()  # 10:00 in the street
    rules = Settings(organisation=ROOT / "organisation.yaml", storage=StorageSettings(media=tmp_path))
    timers = Timers(database, make_world, clock, rules)
    assert timers.purge() is not None  # was missed
    assert timers.purge() is None
    clock.move(hours=17)
    assert timers.purge() is None
    clock.move(minutes=30)
    assert timers.purge() is not None
    assert Timers(database, make_world, clock, rules).purge() is None


def test_two_processes_at_once(database_url: str) -> None:
    database = Database(database_url)
    keep(database, *(old() for _ in range(600)), *(closed() for _ in range(30)))
    found: list[retention.Counts] = []

    def process() -> None:
        own = Database(database_url)
        found.append(purge(own))
        own.close()

    threads = [threading.Thread(target=process) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.messages for one in found) == 600
    assert sum(one.tickets for one in found) == 30
    assert rows(database, Message) == []
    database.close()


@settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_nothing_younger_and_no_open_ticket(
    sqlite_template: Path, tmp_path: Path, data: st.DataObject
) -> None:
    file = tmp_path / "property.db"
    file.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{file}", durable=False)
    age = st.integers(0, 5 * 365)
    matters = [
        ticket(
            state=data.draw(st.sampled_from(["closed", "closed", "in_progress"])),
            closed_at=ago(days=data.draw(age)),
            opened_at=ago(days=5 * 365),
        )
        for _ in range(4)
    ]
    for one in matters:
        one.closed_at = one.closed_at if one.state == "closed" else None
    keep(database, *matters)
    said = []
    for _ in range(12):
        first, second = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 3))
        of = matters[first].id if first < len(matters) else None
        at = ago(days=data.draw(age))
        one = message(received_at=at, handled_at=at, ticket_id=of)
        keep(database, one)
        said.append(one)
        if of is not None:  # of merged tickets both know the report
            keep(database, *(report(matters[place], one) for place in sorted({first, second})))
    young = {one.id for one in said if one.received_at >= ago(days=7)}
    reported_still = {
        row.message_id
        for row in rows(database, TicketReport)
        if not _over(next(m for m in matters if m.id == row.ticket_id))
    }
    purge(database)
    left = {row.id for row in rows(database, Message)}
    # A message of a ticket lives and goes with its tickets; another one for a week.
    assert left == {
        one.id for one in said if (one.id in reported_still if one.ticket_id is not None else one.id in young)
    }
    assert {row.id for row in rows(database, Ticket)} == {one.id for one in matters if not _over(one)}
    database.close()


def _over(one: Ticket) -> bool:
    return one.state == "closed" and one.closed_at is not None and one.closed_at < NOON - YEARS


def test_the_bot_goes_on_meanwhile(database: Database) -> None:
    """A message said between two steps is stored, handled and kept."""
    keep(database, *(old() for _ in range(600)))
    street = Street(database, clock=MovingClock(NOON))
    run = Purging(
        database, RULES, lambda: NOON, Path("nowhere"), sleep=lambda _: street.say("river", "tang", "早")
    )
    assert run.work().messages == 600
    assert street.intake.failed == 0
    with database.reading() as session:
        assert session.exec(
            select(func.count()).where(col(Message.text) == "早", col(Message.room) == "river")
        ).one()
