"""The whole bot over a real Node gateway: from a resident's message to the closed ticket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.app import App, running
from bot.gateways.base import Connection
from bot.settings import OutboxSettings, Settings, StorageSettings, WebSettings
from storage.tables import Attachment, GatewayGap, Message, Ticket
from tests.gateways.networks import settings_for
from tests.gateways.node_gateway import BOT, NodeGateway
from tests.support.classifier import WordClassifier
from tests.support.waiting import until

RIVER, COMMAND = "river@chatroom", "command@chatroom"
PNG = b"\x89PNG" + bytes(40_000)  # beyond 20 KB a picture comes by another call
ORGANISATION = """
areas: [{code: CTM, name: 朝天街道}, {code: C1, name: 江岸社区, parent: CTM}]
groups:
  - {id: river@chatroom, topic: 滨江路网格群, kind: disaster, area: C1}
  - {topic: 朝天街道指挥群, kind: coordinators, area: CTM}
people: [{id: zhou, name: 周网格长, role: grid_owner, area: C1}]
"""


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    (tmp_path / "organisation.yaml").write_text(ORGANISATION, encoding="utf-8")
    return Settings(
        organisation=tmp_path / "organisation.yaml",
        storage=StorageSettings(url=sqlite_url, media=tmp_path / "media"),
        web=WebSettings(port=0),
        outbox=OutboxSettings(group_seconds=0, account_seconds=0, backoff_seconds=0.2),
    )


@asynccontextmanager
async def _bot(settings: Settings, node: NodeGateway, *, tls: bool = True) -> AsyncIterator[App]:
    node.person("tang", "唐孃孃")
    node.room(RIVER, "滨江路网格群", ["tang", "zhou"])
    node.room(COMMAND, "朝天街道指挥群", ["zhou"])
    with_gateway = settings.model_copy(update={"gateway": settings_for(node, tls=tls)})
    async with running(with_gateway, classifier=WordClassifier()) as app:
        await until(lambda: app.gateway.status.connection is Connection.LOGGED_IN)
        yield app


def _heard(node: NodeGateway, room: str) -> list[str]:
    return [said.text for said in node.said() if said.room == room]


async def _answered(node: NodeGateway, room: str, words: str) -> str:
    def found() -> str | None:
        return next((text for text in _heard(node, room) if words in text), None)

    await until(found)
    answer = found()
    assert answer is not None
    return answer


@pytest.mark.parametrize("tls", [True, False])
async def test_from_report_to_closed(settings: Settings, tls: bool) -> None:
    async with NodeGateway(tls=tls) as node, _bot(settings, node, tls=tls) as app:
        node.say(COMMAND, "zhou", "早")  # the bot meets the group that the file knows by its name only
        await until(lambda: app.intake.handled == 1)
        report = node.say(RIVER, "tang", "江岸大厦进水了 有人被困")
        first = await _answered(node, RIVER, "紧急")
        assert "119" in first and "@周网格长" in first
        assert "江岸大厦" in await _answered(node, COMMAND, "唐孃孃")
        mentioned = [said.mentions for said in node.said() if said.room == RIVER]
        assert mentioned == [("zhou",)]
        node.again(report)  # the network delivers it twice
        node.picture(RIVER, "tang", PNG)
        await until(lambda: list((settings.storage.media).glob("*.png")))
        node.say(RIVER, "zhou", "@小格 接单", [BOT])
        await _answered(node, RIVER, "已接单")
        node.say(RIVER, "zhou", f"「小格：{first}」\n- - - - - - - - - - - - - - -\n办结 水抽干了")
        await _answered(node, RIVER, "已办结")
        with app.database.reading() as session:
            (ticket,) = session.exec(select(Ticket))
            (picture,) = session.exec(select(Attachment))
            rows = session.exec(select(Message).where(Message.external_id == report)).all()
            own = session.exec(select(Message).where(Message.sender == BOT)).all()
        assert (ticket.state, ticket.resolution) == ("closed", "fixed")
        assert (settings.storage.media / str(picture.path)).read_bytes() == PNG
        assert len(rows) == 1
        assert own and {message.outcome for message in own} == {"ignored"}


async def test_the_conversation_goes_on_when_the_gateway_was_killed(settings: Settings) -> None:
    async with NodeGateway() as node, _bot(settings, node) as app:
        node.say(RIVER, "tang", "江岸大厦进水了")
        await _answered(node, RIVER, "已记下")
        await asyncio.to_thread(node.restart)
        await until(lambda: app.gateway.status.connection is Connection.LOGGED_IN)
        node.say(RIVER, "zhou", "#到场")
        assert "CTM" in await _answered(node, RIVER, "已到场")
        with app.database.reading() as session:
            (gap,) = session.exec(select(GatewayGap).order_by(col(GatewayGap.id)))
        assert gap.ended_at is not None and gap.ended_at > gap.began_at
