"""Files in the background: written, watched, cancelled, interrupted, removed."""

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import exports as module
from bot.exports import Exports, path_of
from handlers import exports as orders
from handlers.context import Context
from handlers.exports import Format, TooMany
from handlers.lists import Asked
from handlers.organisation import Role
from handlers.permissions import Actor
from handlers.tabling import TableName
from storage import exports as store
from storage.database import Database
from storage.lists import Wanted, deeds
from storage.tables import Export, ExportState
from tests.storage.rows import keep, ticket
from tests.support.street import MovingClock, make_world
from tests.support.waiting import until

PU = Actor("pu", "蒲指挥", Role.COORDINATOR, "CTM")
WORLD = make_world()


class Desk:
    """Asks for files and has them written."""

    def __init__(self, database: Database, media: Path) -> None:
        self.database, self.media, self.clock = database, media, MovingClock()
        self.told = 0
        self.exports = Exports(database, lambda: WORLD, self.clock, media, self._tell)

    def _tell(self) -> None:
        self.told += 1

    def order(self, format: Format = Format.CSV, name: TableName = TableName.TICKETS) -> int:
        with self.database.transaction() as session:
            return orders.order(Context(session, self.clock(), WORLD), PU, name, format, Asked()).id

    def cancel(self, id: int) -> bool:
        with self.database.transaction() as session:
            return orders.cancel(Context(session, self.clock(), WORLD), PU, self.row(id))

    def row(self, id: int) -> Export:
        with self.database.reading() as session:
            found = session.get(Export, id)
            assert found is not None
            return found

    def files(self) -> list[str]:
        folder = self.media / "exports"
        return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    keep(database, *(ticket() for _ in range(3)))
    yield Desk(database, tmp_path / "media")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The first batch is written when the event is set."""
    go, real = threading.Event(), module.tabulate

    def tabulate(*arguments: object) -> int:
        go.wait(10)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "tabulate", tabulate)
    monkeypatch.setattr(module, "_BEAT", 0.02)
    return go


async def test_files_are_written_in_their_order(desk: Desk) -> None:
    csv, xlsx = desk.order(), desk.order(Format.XLSX, TableName.AUDIT)
    assert await desk.exports.step() == 2
    first = desk.row(csv)
    assert (first.state, first.rows, first.seen, first.total) == (ExportState.DONE, 3, 3, 3)
    assert first.size == path_of(desk.media, first).stat().st_size > 0
    assert desk.row(xlsx).state == ExportState.DONE
    assert desk.files() == [f"{csv}.csv", f"{xlsx}.xlsx"]
    assert desk.told
    assert await desk.exports.step() == 0


async def test_who_asked_and_who_called_off_is_in_the_action_log(desk: Desk) -> None:
    desk.cancel(desk.order())
    with desk.database.reading() as session:
        told = [(deed.action, deed.actor, deed.subject) for deed in deeds(session, Wanted(), 0, 9)]
    assert told == [("export", "pu", "export:tickets"), ("export_cancel", "pu", "export:tickets")]


async def test_what_is_cancelled_before_or_while_it_is_written_leaves_no_file(
    desk: Desk, slow: threading.Event
) -> None:
    waiting, running = desk.order(), desk.order()
    assert desk.cancel(waiting)
    step = asyncio.create_task(desk.exports.step())
    await until(lambda: desk.row(running).state == ExportState.RUNNING)
    assert desk.cancel(running) and not desk.cancel(running)
    await asyncio.sleep(0.1)  # the beat sees it
    slow.set()
    assert await step == 1
    assert {desk.row(waiting).state, desk.row(running).state} == {ExportState.CANCELLED}
    assert desk.files() == []


async def test_what_is_being_written_at_the_end_is_marked_and_what_waits_goes_on(
    desk: Desk, slow: threading.Event
) -> None:
    running, waiting = desk.order(), desk.order()
    run = asyncio.create_task(desk.exports.run())
    await until(lambda: desk.row(running).state == ExportState.RUNNING)
    run.cancel()
    await asyncio.sleep(0.05)
    slow.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert desk.row(running).state == ExportState.INTERRUPTED
    assert desk.files() == []
    again = Desk(desk.database, desk.media)
    assert await again.exports.step() == 1
    assert desk.row(waiting).state == ExportState.DONE


async def test_what_a_killed_process_was_writing_is_marked(desk: Desk) -> None:
    id = desk.order()
    with desk.database.transaction() as session:
        assert store.take(session, desk.clock()) is not None
        assert store.take(session, desk.clock()) is None
    assert not desk.exports.sweep()
    desk.clock.move(minutes=3)
    assert desk.exports.sweep()
    assert desk.row(id).state == ExportState.INTERRUPTED
    with desk.database.transaction() as session:
        assert not store.beat(session, id, desk.clock(), seen=1, total=1, rows=1)


async def test_after_a_day_file_and_row_go(desk: Desk) -> None:
    old = desk.order()
    await desk.exports.step()
    desk.clock.move(hours=23)
    young = desk.order()
    await desk.exports.step()
    left = desk.media / "exports" / ".writing-abc"
    left.mkdir()
    two_days_ago = left.stat().st_mtime - timedelta(days=2).total_seconds()
    os.utime(left, (two_days_ago, two_days_ago))
    stray = desk.media / "exports" / "12.csv"
    stray.write_text("")
    os.utime(stray, (two_days_ago, two_days_ago))
    desk.clock.move(hours=2)
    assert desk.exports.sweep()
    assert desk.files() == [f"{young}.csv"]
    with desk.database.reading() as session:
        assert session.get(Export, old) is None


async def test_what_cannot_be_written_fails_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = desk.order()
    desk.media.write_text("a file where the folder should be")
    assert await desk.exports.step() == 1
    assert desk.row(failing).state == ExportState.FAILED
    desk.media.unlink()
    good = desk.order()
    await desk.exports.step()
    assert desk.row(good).state == ExportState.DONE


def test_nobody_asks_for_too_many_at_once(desk: Desk) -> None:
    for _ in range(orders.MOST):
        desk.order()
    with pytest.raises(TooMany):
        desk.order()
