"""Pictures of figures wait in the outbox as what is to be drawn, and are drawn when they are sent."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.drawing import FOLDER, Drawing
from bot.gateways.local import LocalGateway
from bot.live import Live
from bot.outbox import Outbox
from bot.settings import OutboxSettings
from handlers.context import Context
from handlers.figures import periods
from handlers.figures.cards import Card, card_of
from handlers.figures.counting import of_window
from handlers.figures.model import DigestKind
from handlers.replies import Place, say
from storage.database import Database
from storage.tables import Reply, ReplyState
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
