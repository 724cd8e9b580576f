"""Stored first, handled once, each message for itself; the same on both databases."""

import asyncio
import re
import sqlite3
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot import intake as module
from bot.intake import Batch, Intake
from bot.settings import IntakeSettings
from bot.stored import clean
from classifiers.verdict import Sample, Verdict
from handlers.context import Context
from handlers.incoming import Incoming, MessageKind, Quote
from handlers.pipeline import Handled, Reading
from storage.database import Database
from storage.tables import Message, Outcome, Reply, Room, Ticket, TicketEvent, TicketReport
from tests.support.classifier import WordClassifier
from tests.support.databases import PostgresServer
from tests.support.street import MovingClock, Street, make_world
from tests.support.waiting import cancelled, until

WORLD = make_world()
REPORT = "石梯坎3号路灯不亮了"


@pytest.fixture
def street(database: Database) -> Street:
    return Street(database, WORLD)


def another(street: Street, **settings: int) -> Intake:
    """An intake of another process, on the same database."""
    return Intake(street.database, lambda: WORLD, street.clock, IntakeSettings(**settings))


@contextmanager
def spoiled(monkeypatch: pytest.MonkeyPatch, word: str, error: Exception) -> Iterator[None]:
    """Within the block the handling of messages with that word fails, after it has written something."""
    real = module.handle

    def handle(ctx: Context, incoming: Incoming, reading: Reading) -> Handled:
        handled = real(ctx, incoming, reading)
        if word in incoming.text:
            ctx.session.flush()
            raise error
        return handled

    with monkeypatch.context() as patch:
        patch.setattr(module, "handle", handle)
        yield


@contextmanager
def commits(database: Database) -> Iterator[list[None]]:
    """Counts the commits of transactions that wrote something."""
    found: list[None] = []
    wrote = threading.local()

    @event.listens_for(database.engine, "after_cursor_execute")
    def executed(_c: object, _cursor: object, statement: str, *_: object) -> None:
        wrote.it = getattr(wrote, "it", False) or statement.startswith(("INSERT", "UPDATE"))

    @event.listens_for(database.engine, "commit")
    def committed(_c: object) -> None:
        if getattr(wrote, "it", False):
            found.append(None)
        wrote.it = False

    try:
        yield found
    finally:
        event.remove(database.engine, "after_cursor_execute", executed)
        event.remove(database.engine, "commit", committed)


def test_what_is_said_is_stored_with_what_became_of_it(street: Street) -> None:
    said = street.incoming("stairs", "peng", REPORT, quote=Quote("早先的话", "q1"), mentions=("deng",))
    street.hear(said)
    [row] = street.messages()
    assert (row.account, row.external_id, row.room, row.sender) == ("local", said.id, "stairs", "peng")
    assert (row.room_topic, row.sender_name, row.text) == ("石梯坎居民群", "彭师傅", REPORT)
    assert (row.kind, row.mentions, row.quoted_id, row.quoted_text) == ("text", ["deng"], "q1", "早先的话")
    assert (row.sent_at, row.received_at, row.handled_at) == (street.clock(),) * 3
    assert (row.outcome, row.label, row.urgency, row.place) == ("opened", "service", 1, "石梯坎3号")
    assert (row.evidence, row.confidence) == (["word:路灯"], 0.95)
    [ticket] = street.tickets()
    assert row.ticket_id == ticket.id
    with street.reading() as session:
        room = session.get(Room, ("local", "stairs"))
        assert room is not None
        assert (room.topic, room.last_message_at, room.present) == ("石梯坎居民群", street.clock(), True)


def test_chatter_is_stored_and_left_alone(street: Street) -> None:
    assert street.say("stairs", "peng", "早上好") == []
    [row] = street.messages()
    assert (row.outcome, row.ticket_id) == ("none", None)
    assert row.handled_at is not None


def test_a_message_is_stored_before_it_is_handled(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = street.intake._handle

    def look(*args: object) -> Batch:
        seen.append(len([row for row in street.messages() if row.handled_at is None]))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(street.intake, "_handle", look)
    street.say("stairs", "peng", REPORT)
    assert seen == [1]


def test_twice_within_a_batch_is_once(street: Street) -> None:
    said = street.incoming("stairs", "peng", REPORT)
    street.hear(said, said, replace(said, text="the same id with another text"))
    assert [row.text for row in street.messages()] == [REPORT]
    assert len(street.tickets()) == 1


def test_twice_across_batches_is_once(street: Street) -> None:
    said = street.incoming("stairs", "peng", REPORT)
    assert len(street.hear(said)) == 1
    assert street.hear(said) == []
    assert len(street.messages()) == len(street.tickets()) == 1


def test_twice_across_a_restart_is_once(street: Street) -> None:
    said = street.incoming("stairs", "peng", REPORT)
    street.hear(said)
    batch = another(street).work([said])
    assert batch == Batch()
    assert len(street.messages()) == len(street.events()) == 1


def test_the_same_id_at_another_account_is_another_message(street: Street) -> None:
    said = street.incoming("stairs", "peng", "早上好")
    street.hear(said, replace(said, account="other"))
    assert len(street.messages()) == 2


def test_a_batch_shares_its_commits(street: Street) -> None:
    said = [street.incoming("stairs", f"p{n}", REPORT if n % 10 == 0 else "早上好") for n in range(60)]
    with commits(street.database) as found:
        street.intake.work(said)
    assert len(found) == 2
    assert {row.outcome for row in street.messages()} == {"none", "opened", "joined"}


@pytest.mark.parametrize("error", [RuntimeError("怎么办"), KeyError("x"), RecursionError()])
def test_a_bad_message_neither_blocks_nor_undoes_its_neighbours(
    street: Street, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    said = [
        street.incoming("stairs", "peng", "石梯坎3号路灯不亮了"),
        street.incoming("river", "tang", "毒 江岸大厦水管爆了"),
        street.incoming("homestay", "ye", "望江楼路灯坏了"),
    ]
    with spoiled(monkeypatch, "毒", error), capture_logs() as logs:
        replies = street.hear(*said)
    assert [row.outcome for row in street.messages()] == ["opened", "failed", "opened"]
    assert [ticket.room for ticket in street.tickets()] == ["stairs", "homestay"]  # nothing half done
    assert {reply.room for reply in replies} == {"stairs", "homestay"}
    [line] = [line for line in logs if line["event"] == "message_failed"]
    reference = street.messages()[1].reference
    assert line["reference"] == reference
    assert line["error"] == type(error).__name__
    assert "test_intake.py:" in line["at"]
    assert not any("水管" in str(value) for line in logs for value in line.values())
    assert (street.intake.handled, street.intake.failed) == (3, 1)


def test_a_failed_command_is_answered_with_the_reference(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    with spoiled(monkeypatch, "帮助", RuntimeError()), capture_logs():
        [reply] = street.say("stairs", "peng", "#帮助")
    [row] = street.messages()
    assert row.reference is not None
    assert re.fullmatch(r"E[0-9A-F]{6}", row.reference)
    assert row.reference in reply.text


def test_a_failed_report_is_not_spoken_of(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    with spoiled(monkeypatch, "路灯", RuntimeError()), capture_logs():
        assert street.say("stairs", "peng", REPORT) == []


def test_what_cannot_even_be_read_fails_alone(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.read

    def read(world: object, incoming: Incoming, before: object = ()) -> Reading:
        if "毒" in incoming.text:
            raise ValueError(incoming.text)
        return real(WORLD, incoming)

    monkeypatch.setattr(module, "read", read)
    with capture_logs():
        street.hear(street.incoming("river", "tang", "毒"), street.incoming("stairs", "peng", REPORT))
    assert [row.outcome for row in street.messages()] == ["failed", "opened"]


def test_what_spoils_the_whole_transaction_is_handled_alone(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of what became of a message is refused by the database: only that message fails."""
    real = module._handling

    def handling(incoming: Incoming, reading: Reading, handled: Handled) -> object:
        made = real(incoming, reading, handled)
        wrong = "毒" in incoming.text and handled.outcome != Outcome.FAILED
        return replace(made, ticket_id=999_999) if wrong else made

    monkeypatch.setattr(module, "_handling", handling)
    with capture_logs() as logs:
        street.hear(
            street.incoming("stairs", "peng", REPORT),
            street.incoming("river", "tang", "毒 江岸大厦水管爆了"),
            street.incoming("homestay", "ye", "望江楼路灯坏了"),
        )
    assert [row.outcome for row in street.messages()] == ["opened", "failed", "opened"]
    assert [ticket.room for ticket in street.tickets()] == ["stairs", "homestay"]
    assert sum(line["event"] == "message_failed" for line in logs) == 1


def test_what_the_database_refuses_does_not_keep_others_out(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.as_row
    monkeypatch.setattr(
        module,
        "as_row",
        lambda incoming, now: real(incoming, now) | ({"kind": None} if "毒" in incoming.text else {}),
    )
    with capture_logs() as logs:
        street.hear(
            street.incoming("stairs", "peng", REPORT),
            street.incoming("river", "tang", "毒"),
            street.incoming("homestay", "ye", "早"),
        )
    assert [row.text for row in street.messages()] == [REPORT, "早"]
    [line] = [line for line in logs if line["event"] == "message_not_stored"]
    assert re.fullmatch(r"E[0-9A-F]{6}", line["reference"])
    assert street.intake.failed == 1


def test_a_row_id_taken_by_another_process_is_replaced(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.say("stairs", "peng", "早")
    taken = street.messages()[0].id
    fresh = iter([taken, taken + 1])
    monkeypatch.setattr(module, "new_id", lambda: next(fresh))
    street.say("stairs", "peng", REPORT)
    assert [row.outcome for row in street.messages()] == ["none", "opened"]


def test_an_id_made_twice_is_made_anew(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process made the same id for a ticket in the same moment."""
    street.say("homestay", "ye", "望江楼路灯坏了")
    [taken] = street.tickets()
    real = module.handle
    tries: list[None] = []

    def handle(ctx: Context, incoming: Incoming, reading: Reading) -> Handled:
        handled = real(ctx, incoming, reading)
        tries.append(None)
        if len(tries) == 1:
            twin = Ticket(**taken.model_dump() | {"running": 99, "number": "CTM0713-099"})
            ctx.session.add(twin)
            ctx.session.flush()
        return handled

    monkeypatch.setattr(module, "handle", handle)
    with warnings.catch_warnings(action="ignore"):
        [reply] = street.say("stairs", "peng", REPORT)
    assert len(tries) == 2
    assert reply.text.startswith("CTM0713-002")
    assert [ticket.running for ticket in street.tickets()] == [1, 2]


def test_each_room_keeps_its_order(street: Street) -> None:
    said = [street.incoming(room, "x", f"{room} {n}") for n in range(30) for room in ("river", "stairs")]
    for start in range(0, 60, 7):
        street.intake.work(said[start : start + 7])
    for room in ("river", "stairs"):
        assert [row.text for row in street.messages() if row.room == room] == [
            f"{room} {n}" for n in range(30)
        ]


class Listener(WordClassifier):
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.heard: list[Sample] = []

    def classify(self, sample: Sample) -> Verdict:
        self.heard.append(sample)
        return super().classify(sample)

    def before(self, text: str) -> list[tuple[str, str, float]]:
        sample = next(one for one in reversed(self.heard) if one.text == text)
        return [(turn.sender, turn.text, turn.ago) for turn in sample.before or ()]


def listening(street: Street) -> Listener:
    listener = Listener()
    street.world = replace(street.world, classifier=listener)
    return listener


def test_a_message_is_read_with_what_was_said_before_in_its_group(street: Street) -> None:
    listener = listening(street)
    street.say("g-river", "阿兰", "好大的味道")
    street.clock.move(minutes=1)
    street.hear(
        street.incoming("g-river", "小周", "哪栋?"),
        street.incoming("g-shops", "老板", "别个群的"),
        street.incoming("g-river", "阿兰", "4栋"),
    )
    assert listener.before("4栋") == [("阿兰", "好大的味道", 60.0), ("小周", "哪栋?", 0.0)]
    assert listener.before("别个群的") == []


def test_talk_goes_on_after_a_restart(street: Street) -> None:
    listening(street)
    street.say("g-river", "阿兰", "好大的味道")
    listener = listening(street)
    street.intake = Intake(street.database, lambda: street.world, street.clock, IntakeSettings())
    street.clock.move(minutes=5)
    street.say("g-river", "小周", "哪栋?")
    assert listener.before("哪栋?") == [("阿兰", "好大的味道", 300.0)]
    street.clock.move(minutes=31)
    street.say("g-river", "小周", "算了")
    assert listener.before("算了") == []


def test_what_came_later_is_not_before(street: Street) -> None:
    listener = listening(street)
    late = street.incoming("g-river", "阿兰", "迟到的")
    street.clock.move(minutes=2)
    street.say("g-river", "小周", "后头的")
    street.hear(late)
    assert listener.before("迟到的") == []


def test_left_over_messages_are_taken_up_in_order(street: Street) -> None:
    said = [street.incoming("stairs", "peng", REPORT)]
    said += [street.incoming("river", f"p{n}", f"早 {n}") for n in range(450)]
    stored = street.intake._stored(said)  # and then the process was killed
    assert len(stored) == 451
    assert all(row.handled_at is None for row in street.messages())
    assert another(street).recover().changed
    assert [row.outcome for row in street.messages()] == ["opened"] + ["none"] * 450
    assert len(street.events()) == 1
    assert not another(street).recover().handled


def test_left_over_messages_of_another_process_are_left_to_it_for_a_while(street: Street) -> None:
    street.intake._stored([street.incoming("stairs", "peng", REPORT)])
    assert not another(street).recover(timedelta(minutes=1)).handled
    street.clock.move(minutes=1)
    assert another(street).recover(timedelta(minutes=1)).handled


def test_recovered_messages_are_what_they_were(street: Street) -> None:
    said = [
        street.incoming(
            "stairs", "peng", "#进度", quote=Quote("x", "q"), mentions=("a", "b"), room_topic="群"
        ),
        street.incoming("", "tang", "你好"),
        street.incoming("stairs", "local", "机器人自己的话", from_self=True),
        street.incoming("stairs", "peng", "", kind=MessageKind.IMAGE),
        street.incoming("stairs", "peng", "", kind=MessageKind.OTHER),
    ]
    stored = street.intake._stored(said)
    found: list[Incoming] = []
    intake = another(street)
    intake._read = lambda _world, incoming: found.append(incoming) or Reading()  # type: ignore[assignment, func-returns-value]
    intake.recover()
    assert found == stored


def test_two_processes_handle_each_message_once(database_url: str) -> None:
    """Both hear the same chat at the same time, as after a switch-over that was none."""
    clock = MovingClock()
    first, second = Database(database_url), Database(database_url)
    streets = [Street(first, WORLD, clock), Street(second, WORLD, clock)]
    said = [
        streets[0].incoming(room, f"p{n}", "石梯坎3号路灯不亮" if n % 5 == 0 else f"早 {n}")
        for n in range(60)
        for room in ("stairs", "river", "homestay")
    ]
    barrier = threading.Barrier(2)

    def hear(street: Street, step: int) -> None:
        barrier.wait()
        for start in range(0, len(said), step):
            street.intake.work(said[start : start + step])

    _in_threads(lambda: hear(streets[0], 7), lambda: hear(streets[1], 11))
    for street in streets:
        street.intake.recover()
    rows = streets[0].messages()
    assert len(rows) == len(said)
    assert all(row.handled_at for row in rows)
    assert sum(street.intake.handled for street in streets) == len(said)
    reporting = {row.id for row in rows if "路灯" in row.text}
    with first.reading() as session:
        assert sorted(session.exec(select(TicketReport.message_id))) == sorted(reporting)
    first.close()
    second.close()


def test_two_witnesses_heard_at_once_by_two_processes_open_one_ticket(database_url: str) -> None:
    clock = MovingClock()
    streets = [Street(Database(database_url), WORLD, clock) for _ in range(2)]
    for number in range(8):
        barrier = threading.Barrier(2)
        clock.move(hours=20)  # past the window in which reports are linked

        def hear(street: Street, who: str, barrier: threading.Barrier = barrier) -> None:
            said = street.incoming("stairs", who, "石梯坎3号路灯不亮了", id=f"{who}-{number}")  # noqa: B023
            barrier.wait()
            street.intake.work([said])

        _in_threads(lambda hear=hear: hear(streets[0], "peng"), lambda hear=hear: hear(streets[1], "ye"))
        tickets = streets[0].tickets()
        assert len(tickets) == number + 1
        with streets[0].reading() as session:
            told = session.exec(select(TicketReport).where(TicketReport.ticket_id == tickets[-1].id)).all()
            assert {report.reporter for report in told} == {"peng", "ye"}
    for street in streets:
        street.database.close()


def _in_threads(*works: object) -> None:
    failures: list[BaseException] = []

    def guarded(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


ODD = {
    "long": {"text": "水" * 100_000},
    "control": {"text": "石梯坎\x00\x01\x1b[31m路灯\x7f坏了\r\n第二行\t完"},
    "surrogates": {"text": "路灯\ud83d坏了\udc00"},
    "emoji": {"text": "路灯坏了😭👨‍👩‍👧🇨🇳"},
    "quote": {"text": "x", "quote": Quote("\x00\ud800", "id\x00\ud800")},
    "names": {"sender_name": "张\x00三\ud800" * 100, "room_topic": "\x00群" * 300},
    "no sender": {"sender": ""},
    "no id": {"id": ""},
    "no room": {"room": "", "text": "你好"},
    "nothing": {"sender": "", "id": "", "room": "", "text": "", "sender_name": "", "room_topic": ""},
    "unknown type": {"kind": MessageKind.OTHER},
    "odd ids": {"id": "a\x00b", "room": "r\ud800", "sender": "s\x00", "mentions": ("m\x00", "\udfff", "")},
    "long ids": {"id": "i" * 5000, "room": "水" * 5000, "sender": "s" * 5000, "mentions": ("m" * 5000,)},
    "no zone": {"sent_at": datetime(2026, 7, 12, 12, 0)},  # noqa: DTZ001
    "beginning of time": {"sent_at": datetime.min},  # noqa: DTZ901
    "end of time": {"sent_at": datetime.fromisoformat("9999-12-31T23:59:59-11:00")},
    "spaces": {"text": " \n\t　 "},
    "sql": {"text": "'; DROP TABLE message; --", "room": "'\"%_\\"},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_odd_messages_are_stored_and_the_rest_goes_on(street: Street, odd: dict[str, object]) -> None:
    before = Incoming("local", "one", "stairs", "peng", street.clock(), REPORT)
    message = replace(Incoming("local", "odd", "stairs", "ye", street.clock(), "早"), **odd)
    after = Incoming("local", "two", "homestay", "luo", street.clock(), "早")
    street.hear(*(clean(incoming, 20_000) for incoming in (before, message, after)))
    rows = street.messages()
    assert len(rows) == 3
    assert all(row.outcome not in {None, "failed"} for row in rows)
    assert (rows[0].outcome, rows[2].text) == ("opened", "早")
    assert street.intake.failed == 0


def test_a_long_message_is_cut_and_marked(street: Street) -> None:
    assert clean(street.incoming("stairs", "peng", "水" * 100), 100).text == "水" * 100
    cut = clean(replace(street.incoming("stairs", "peng"), text="水" * 101), 100)
    assert cut.text == "水" * 100 + "…"


def test_ids_that_differ_stay_different() -> None:
    def cleaned(name: str) -> str:
        return clean(Incoming("a", name, "r", "s", datetime.now(UTC)), 100).id

    assert cleaned("1@chatroom") == "1@chatroom"
    assert len({cleaned(name) for name in ("x" * 300, "x" * 301, "x\x00", "x\x01", "x")}) == 5
    assert cleaned("") != cleaned("")
    assert all(len(cleaned(name)) <= 200 for name in ("x" * 300, "\ud800" * 300))


async def test_messages_wait_while_the_queue_is_full(street: Street) -> None:
    intake = another(street, queue=2)
    await intake.put(street.incoming("stairs", "peng", "1"))
    await intake.put(street.incoming("stairs", "peng", "2"))
    third = asyncio.create_task(intake.put(street.incoming("stairs", "peng", "3")))
    await asyncio.sleep(0.01)
    assert not third.done()
    assert intake.waiting == 2
    working = asyncio.create_task(intake.run())
    await asyncio.wait_for(third, 10)
    await asyncio.wait_for(intake.idle(), 10)
    await cancelled(working)
    assert [row.text for row in street.messages()] == ["1", "2", "3"]


async def test_what_was_put_is_handled_before_the_end(street: Street) -> None:
    intake = another(street, batch=10)
    working = asyncio.create_task(intake.run())
    await asyncio.sleep(0)
    for number in range(100):
        await intake.put(street.incoming("stairs", "peng", str(number)))
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert len([row for row in street.messages() if row.handled_at]) == 100


async def test_after_each_batch_it_is_told_what_changed(street: Street) -> None:
    told: list[Batch] = []

    async def tell(batch: Batch) -> None:
        told.append(batch)

    street.intake._stored([street.incoming("stairs", "peng", "早先的")])
    intake = Intake(street.database, lambda: WORLD, street.clock, IntakeSettings(), tell)
    working = asyncio.create_task(intake.run())
    await intake.put(street.incoming("stairs", "peng", "早"))
    await intake.idle()
    await intake.put(street.incoming("stairs", "peng", REPORT))
    await intake.idle()
    await until(lambda: len(told) == 3)
    await cancelled(working)
    assert [(len(batch.handled), batch.changed) for batch in told] == [(1, False), (1, False), (1, True)]


async def test_a_locked_database_is_waited_for(sqlite_url: str) -> None:
    street = Street(Database(sqlite_url, busy_seconds=0.01), WORLD)
    intake = another(street)
    working = asyncio.create_task(intake.run())
    await intake.idle()
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with capture_logs() as logs:
        await intake.put(street.incoming("stairs", "peng", REPORT))
        await until(lambda: intake.trouble == "database is locked")
        other.execute("ROLLBACK")
        await asyncio.wait_for(intake.idle(), 10)
    assert intake.trouble == ""
    assert any(line["event"] == "database_busy" and line["part"] == "intake" for line in logs)
    await cancelled(working)
    assert [row.outcome for row in street.messages()] == ["opened"]
    other.close()
    street.database.close()


@pytest.mark.parametrize("room_for", range(0, 40, 3))
async def test_a_full_disk_loses_nothing(sqlite_url: str, room_for: int) -> None:
    """The disk fills up at every stage of the work, and has room again later."""
    database = Database(sqlite_url)
    street, limit = Street(database, WORLD), Limit(database)
    said = [
        street.incoming("stairs", f"p{n}", f"{REPORT} {n}" if n % 2 else "早 " + "水" * 2000)
        for n in range(20)
    ]
    intake = another(street, batch=5)
    limit.pages(room_for)
    working = asyncio.create_task(intake.run())
    with capture_logs() as logs:
        for incoming in said:
            await intake.put(incoming)
        await until(lambda: intake.trouble == "database or disk is full" or not intake.waiting)
        limit.pages(None)
        await asyncio.wait_for(intake.idle(), 20)
    await cancelled(working)
    assert intake.trouble == ""
    assert [row.text for row in street.messages()] == [incoming.text for incoming in said]
    assert all(row.handled_at for row in street.messages())
    with street.reading() as session:
        assert len(session.exec(select(TicketReport.message_id)).all()) == 10
        assert len(set(session.exec(select(TicketReport.message_id)))) == 10
    assert {line["event"] for line in logs} <= {"database_busy"}
    database.close()


class Limit:
    """How large a database file may become from now on."""

    def __init__(self, database: Database) -> None:
        self._more: int | None = None
        event.listen(database.engine, "begin", self._apply, insert=True)

    def pages(self, more: int | None) -> None:
        self._more = more
        self._most: int | None = None

    def _apply(self, connection: object) -> None:
        raw = connection.connection.dbapi_connection  # type: ignore[attr-defined]
        if self._more is not None and self._most is None:
            self._most = raw.execute("PRAGMA page_count").fetchone()[0] + self._more
        raw.execute(f"PRAGMA max_page_count={self._most if self._more is not None else 1_000_000}")


async def test_postgresql_restarting_loses_nothing(postgres: PostgresServer, postgres_url: str) -> None:
    database = Database(postgres_url)
    street = Street(database, WORLD)
    intake = another(street, batch=10)
    working = asyncio.create_task(intake.run())
    said = [street.incoming("stairs", f"p{n}", REPORT if n % 3 == 0 else "早") for n in range(400)]
    broken = 0
    with capture_logs() as logs:
        for number, incoming in enumerate(said):
            await intake.put(incoming)
            if number % 20 == 0:
                await until(lambda: intake.waiting < 10)
                broken += await asyncio.to_thread(postgres.break_connections, postgres_url)
        await asyncio.wait_for(intake.idle(), 30)
    await cancelled(working)
    assert broken >= 10
    rows = street.messages()
    assert len(rows) == 400
    assert all(row.outcome in {"none", "opened", "joined"} for row in rows)
    with street.reading() as session:
        told = session.exec(select(TicketReport.message_id)).all()
    assert len(told) == len(set(told)) == 134
    assert {line["event"] for line in logs} <= {"database_busy"}
    database.close()


async def test_at_the_end_a_database_out_of_reach_is_not_waited_for_forever(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = Street(Database(sqlite_url, busy_seconds=0.01), WORLD)
    intake = another(street)
    monkeypatch.setattr(intake._patience, "_last_seconds", 0.1)
    working = asyncio.create_task(intake.run())
    await intake.idle()
    await asyncio.sleep(0)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with capture_logs() as logs:
        await intake.put(street.incoming("stairs", "peng", REPORT))
        await until(lambda: intake.trouble != "")
        working.cancel()
        await asyncio.wait({working}, timeout=10)
    assert working.cancelled()
    assert any(line["event"] == "message_not_stored" for line in logs)  # it is said, and where
    other.close()
    street.database.close()


def test_nothing_is_left_of_a_transaction_that_failed(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    with spoiled(monkeypatch, "被困", RuntimeError()), capture_logs():
        street.say("river", "tang", "江岸大厦有人被困")
    with street.reading() as session:
        for table in (Ticket, TicketEvent, TicketReport, Reply):
            assert session.exec(select(table)).all() == []
        assert session.exec(select(Message.outcome).where(col(Message.room) == "river")).all() == ["failed"]
        assert session.execute(text("SELECT count(*) FROM ticket_counter WHERE last > 0")).scalar() == 0
