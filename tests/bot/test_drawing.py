"""Pictures of figures wait in the outbox as what is to be drawn, and are drawn when they are sent."""

import os
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlmodel import select

from bot.drawing import FOLDER, Drawing
from bot.gateways.local import LocalGateway
from bot.live import Live
from bot.outbox import Outbox
from bot.settings import OutboxSettings
from handlers.attached import Sheet
from handlers.context import Context
from handlers.figures import periods
from handlers.figures.cards import Card, card_of
from handlers.figures.counting import of_window
from handlers.figures.model import DigestKind
from handlers.replies import Place, say
from handlers.tabling import TABLES
from storage.chat import history
from storage.database import Database
from storage.tables import ActionLog, Reply, ReplyState
from tests.support.street import ACCOUNT, Street


@pytest.fixture
def street(database: Database) -> Street:
    street = Street(database)
    street.say("river", "tang", "门口路灯坏了")
    street.clock.move(minutes=1)
    return street


def told(street: Street, text: str = "今天的") -> Card:
    """What was put into the outbox of today's evening."""
    with street.context() as ctx:
        window = periods.window(ctx, DigestKind.EVENING, ctx.local(ctx.now).date())
        picture = card_of(ctx, of_window(ctx, "", window))
        say(ctx, Place(ACCOUNT, "command"), text, key="card", picture=picture)
    card = Card.read(picture)
    assert card is not None
    assert str(card) == picture
    return card


def test_a_card_shows_what_was_true_when_it_was_asked_for(street: Street) -> None:
    card = told(street)
    street.clock.move(hours=2)
    street.say("stairs", "peng", "石梯坎路灯坏了")
    with street.context() as ctx:
        now = ctx.now
    assert card.at == now - timedelta(hours=2)
    drawing = Drawing(street.database, lambda: street.world, Path())
    assert drawing.path("/x/a.png") == Path("/x/a.png")
    with street.database.reading() as session:
        figures = card.figures(Context(session, card.at, street.world))
    assert (figures.total.opened, figures.kind, figures.name) == (1, DigestKind.EVENING, "朝天街道")


async def _sent(street: Street, tmp_path: Path, drawing: Drawing) -> Reply:
    gateway = LocalGateway(street.database, street.clock, Live(), tmp_path)
    outbox = Outbox(
        street.database,
        gateway,
        street.clock,
        OutboxSettings(account_seconds=0, group_seconds=0),
        drawn=drawing.path,
    )
    while await outbox.step():
        pass
    with street.database.reading() as session:
        return session.exec(select(Reply).where(Reply.picture != None)).one()  # noqa: E711


async def test_it_is_drawn_when_it_is_sent(street: Street, tmp_path: Path) -> None:
    told(street)
    reply = await _sent(street, tmp_path, Drawing(street.database, lambda: street.world, tmp_path))
    assert reply.state == ReplyState.SENT
    (file,) = (tmp_path / FOLDER).iterdir()
    assert file.read_bytes().startswith(b"\x89PNG")
    assert len(file.read_bytes()) < 300_000
    assert (tmp_path / "local" / str(reply.external_id)).read_bytes() == file.read_bytes()


async def test_what_cannot_be_drawn_is_told_in_words(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> bytes:
        raise RuntimeError("no font")

    monkeypatch.setattr("bot.drawing.draw", broken)
    told(street)
    reply = await _sent(street, tmp_path, Drawing(street.database, lambda: street.world, tmp_path))
    assert reply.state == ReplyState.SENT
    assert not (tmp_path / "local").exists()


async def test_a_long_list_goes_as_a_table_that_excel_opens(street: Street, tmp_path: Path) -> None:
    for room, who, place in (
        ("river", "tang", "江岸大厦"),
        ("river", "tang", "望江楼"),
        ("stairs", "peng", "石梯坎3号"),
        ("stairs", "peng", "石梯坎5号"),
        ("couriers", "xiong", "二码头"),
    ):
        street.say(room, who, f"#报 {place}路灯坏了，找我13812345678")
    street.clock.move(minutes=1)
    street.say("command", "pu", "#清单 设施")
    drawing = Drawing(street.database, lambda: street.world, tmp_path)
    with street.database.reading() as session:
        statement = select(Reply).where(Reply.picture != None)  # noqa: E711
        (sheet,) = session.exec(statement).all()
        noted = session.exec(select(ActionLog).where(ActionLog.action == "export")).all()
    assert [row.actor for row in noted] == ["pu"]
    written = Sheet.read(sheet.picture or "")
    assert written is not None and str(written) == sheet.picture
    with street.database.transaction() as session:  # the street takes all for sent that was answered
        waiting = session.get_one(Reply, sheet.id)
        waiting.state, waiting.external_id, waiting.sent_at = ReplyState.WAITING, None, None
    reply = await _sent(street, tmp_path, drawing)
    reply = await _sent(street, tmp_path, drawing)
    assert reply.state == ReplyState.SENT
    (file,) = (tmp_path / FOLDER).glob("*/*")
    assert file.name == "设施问题清单_2026-06-14_2026-07-13.xlsx"
    assert (tmp_path / "local" / str(reply.external_id)).read_bytes() == file.read_bytes()
    rows = list(openpyxl.load_workbook(file).worksheets[0].values)
    assert f"共{len(rows) - 1}处" in reply.text
    assert "13812345678" not in str(rows)
    with street.database.reading() as session:
        line = history(session, ACCOUNT, "command", "", limit=9)[0][-1]
    assert (line.has_sheet, line.has_picture) == (True, False)


def test_many_found_go_as_a_table_where_it_agrees(street: Street) -> None:
    for number in range(12):
        street.say("stairs", "peng", f"#报 石梯坎{2 * number + 1}号的路灯坏了")
    street.clock.move(minutes=1)
    (found,) = street.say("command", "pu", "#查 石梯坎网格 服务 在办")
    sheet = Sheet.read(found.picture or "")
    assert sheet is not None
    assert (sheet.name, sheet.asked.state, sheet.asked.within) == ("tickets", "open", ("CTM-0201",))
    with street.context() as ctx:
        source = TABLES[sheet.name].source(sheet.asked)
        assert f"：{source.total(ctx)}件" in found.text
    (words,) = street.say("command", "pu", "#查 石梯坎网格 路灯坏了")
    assert words.picture is None


def test_old_files_are_removed(street: Street, tmp_path: Path) -> None:
    old, kept = tmp_path / FOLDER / "old", tmp_path / FOLDER / "new.png"
    old.mkdir(parents=True)
    (old / "x.xlsx").touch()
    kept.touch()
    os.utime(old, (1, 1))
    card = told(street)
    Drawing(street.database, lambda: street.world, tmp_path).path(str(card))
    assert not old.exists() and kept.exists()
