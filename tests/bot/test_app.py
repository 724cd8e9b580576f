"""A whole bot in this process: from a message to the reply said, from start to stop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot import app as module
from bot.app import App, StartError, running
from bot.gateways.base import Deaf, GatewayRefused, Listening, RoomChange
from bot.gateways.local import LocalGateway
from bot.live import ORDERED
from bot.settings import OpinionSettings, OutboxSettings, Settings, StorageSettings, WebSettings
from handlers.context import Context
from handlers.exports import Format, order
from handlers.incoming import Incoming, MessageKind
from handlers.lists import Asked
from handlers.permissions import OPERATOR
from handlers.tabling import TableName
from storage import reviews
from storage.database import Database, DatabaseTooNew
from storage.gaps import begin as begin_gap
from storage.tables import Attachment, Export, GatewayGap, Message, Reply, Review, Room
from tests.support.classifier import WordClassifier
from tests.support.databases import PostgresServer
from tests.support.endpoint import endpoint, thinks
from tests.support.gateway import MemoryGateway
from tests.support.street import ROOT, MovingClock
from tests.support.waiting import until

PNG = b"\x89PNG" + bytes(100)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path)


def settings_for(url: str, folder: Path, **more: object) -> Settings:
    values: dict[str, object] = {
        "organisation": ROOT / "organisation.yaml",
        "storage": StorageSettings(url=url, media=folder / "media"),
        "web": WebSettings(port=0),
        "outbox": OutboxSettings(group_seconds=0, account_seconds=0),
    }
    return Settings.model_validate(values | more)


@asynccontextmanager
async def bot(
    settings: Settings, gateway: MemoryGateway | None = None, clock: Callable[[], datetime] | None = None
) -> AsyncIterator[App]:
    """Running, and listening to its network."""
    async with running(
        settings,
        gateway=gateway,
        classifier=WordClassifier(),
        clock=clock or (lambda: datetime.now(UTC)),
    ) as app:
        assert app.working is not None
        await until(lambda: app._heard or app.working.done())  # type: ignore[union-attr]
        yield app


def rows(app: App, statement: object) -> list[object]:
    with app.database.reading() as session:
        return list(session.exec(statement))  # type: ignore[call-overload]


async def test_from_a_message_to_the_reply(settings: Settings) -> None:
    async with bot(settings) as app:
        assert isinstance(app.gateway, LocalGateway)
        await until(lambda: app.gateway._sink)  # type: ignore[attr-defined]
        said = await app.gateway.say("stairs", "peng", "彭师傅", "石梯坎3号路灯不亮了")
        sent = select(Reply).where(Reply.state == "sent")
        await until(lambda: rows(app, sent))
        [reply] = rows(app, sent)
        assert isinstance(reply, Reply)
        assert reply.room == "stairs"
        assert reply.text.startswith("CTM")
        [message] = rows(app, select(Message))
        assert isinstance(message, Message)
        assert (message.external_id, message.outcome) == (said, "opened")
        assert app.health() == {"intake": {"waiting": 0, "handled": 1, "failed": 0}, "trouble": {}}


async def test_danger_is_answered_within_a_second(settings: Settings) -> None:
    gateway = MemoryGateway()
    async with bot(settings, gateway) as app:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await app.sink(_said(gateway, "江岸大厦负二楼车库有人被困"))
        await until(lambda: gateway.said)
        assert loop.time() - began < 1
        assert "119" in gateway.texts[0]


async def test_a_file_that_is_asked_for_is_written_soon(settings: Settings) -> None:
    async with bot(settings) as app:
        with app.database.transaction() as session:
            ctx = Context(session, app.clock(), app.worlds())
            order(ctx, OPERATOR, TableName.TICKETS, Format.XLSX, Asked())
        app.live.publish(ORDERED)
        await until(lambda: rows(app, select(Export).where(Export.state == "done")), seconds=10)
        assert len(list((settings.storage.media / "exports").glob("*.xlsx"))) == 1
        await app._tidy_exports()


def _said(gateway: MemoryGateway, text: str, id: str = "m1", room: str = "river") -> Incoming:
    return Incoming(gateway.account, id, room, "tang", gateway.clock(), text)


async def test_a_picture_of_a_report_is_kept(settings: Settings) -> None:
    gateway = MemoryGateway(pictures={"p1": PNG})
    async with bot(settings, gateway) as app:
        assert isinstance(app.gateway, MemoryGateway)
        await app.sink(_said(gateway, "江岸大厦进水了"))
        await app.sink(replace(_said(gateway, "", "p1"), kind=MessageKind.IMAGE))
        kept = select(Attachment).where(Attachment.state == "kept")
        await until(lambda: rows(app, kept))
        [picture] = rows(app, kept)
        assert isinstance(picture, Attachment)
        assert picture.path is not None
        assert (settings.storage.media / picture.path).read_bytes() == PNG


async def test_what_a_crash_left_is_done_at_the_start(settings: Settings) -> None:
    gateway = MemoryGateway()
    async with bot(settings, gateway) as app:
        app.intake._stored([_said(gateway, "江岸大厦进水了")])
    async with bot(settings, gateway):
        await until(lambda: gateway.said)


async def test_when_nobody_listened_is_noted(settings: Settings) -> None:
    clock = MovingClock()
    gateway = MemoryGateway(clock=clock)
    started = clock()
    async with bot(settings, gateway, clock):
        pass
    clock.move(minutes=5)
    async with bot(settings, gateway, clock) as app:
        await app.sink(Deaf(clock(), "connection lost"))
        clock.move(minutes=1)
        await app.sink(Deaf(clock(), "still lost"))
        clock.move(minutes=1)
        await app.sink(Listening(clock()))
        found = rows(app, select(GatewayGap).order_by(col(GatewayGap.id)))
    shown = [(gap.reason, gap.began_at - started, gap.ended_at - started) for gap in found]  # type: ignore[attr-defined]
    five, seven = timedelta(minutes=5), timedelta(minutes=7)
    assert shown == [("stopped", timedelta(0), five), ("connection lost", five, seven)]


@pytest.mark.parametrize("gateway_is_down", [False, True])
async def test_after_a_crash_nobody_listened_since_the_last_message(
    settings: Settings, gateway_is_down: bool
) -> None:
    clock = MovingClock()
    gateway = MemoryGateway(clock=clock)
    heard_at = clock()
    async with bot(settings, gateway, clock) as app:
        await app.sink(_said(gateway, "早"))
        await app.intake.idle()
        clock.move(minutes=5)
    database = Database(settings.storage.url)
    with database.transaction() as session:  # it was killed, so it could not note its stop
        session.delete(session.exec(select(GatewayGap)).one())
    database.close()
    clock.move(minutes=5)
    app = App(settings, gateway=gateway, clock=clock, classifier=WordClassifier())
    if gateway_is_down:
        app._listening_changed(Deaf(clock(), "refused"))
        clock.move(minutes=1)
    app._listening_changed(Listening(clock()))
    [gap] = rows(app, select(GatewayGap))
    assert isinstance(gap, GatewayGap)
    assert (gap.reason, gap.began_at, gap.ended_at) == ("the bot was not running", heard_at, clock())
    app.database.close()


async def test_an_unbound_room_is_greeted_once_and_a_renamed_one_stays_bound(settings: Settings) -> None:
    bound = settings.model_copy(update={"rules": settings.rules.model_copy(update={"serve": "bound"})})
    gateway = MemoryGateway()
    for _ in range(2):  # the second is a restart
        async with bot(bound, gateway) as app:
            now = gateway.clock()
            await app.sink(RoomChange("local", "new@chatroom", "joined", now, "新群"))
            await app.sink(RoomChange("local", "river", "joined", now, "滨江路网格群"))
            await until(lambda: gateway.texts)
            assert len(rows(app, select(Reply))) == 1
    assert ["绑群码" in text for text in gateway.texts] == [True]


async def test_the_local_chat_tells_of_rooms(settings: Settings) -> None:
    async with bot(settings) as app:
        assert isinstance(app.gateway, LocalGateway)
        await until(lambda: app.gateway._sink)  # type: ignore[attr-defined]
        await app.gateway.change("river", "joined", "滨江路网格群")
        await app.gateway.change("river", "renamed", "滨江路平安群")
        await app.gateway.change("river", "member_left", people=("zhou",))
        [room] = rows(app, select(Room))
        assert isinstance(room, Room)
        assert (room.topic, room.former_topic) == ("滨江路平安群", "滨江路网格群")
        assert room.owner_left_at is not None
        assert app.worlds().organisation.group("river").topic == "滨江路平安群"
        await app.gateway.say("river", "zhou", "周网格长", "早")
        await app.intake.idle()
        [room] = rows(app, select(Room))
        assert isinstance(room, Room)
        assert room.owner_left_at is None


async def test_rooms_are_met_renamed_and_left(settings: Settings) -> None:
    gateway = MemoryGateway()
    async with bot(settings, gateway) as app:
        now = gateway.clock()
        await app.sink(RoomChange("local", "new@chatroom", "joined", now, "新群"))
        await app.sink(RoomChange("local", "new@chatroom", "member_joined", now, "", ("x",)))
        await app.sink(RoomChange("local", "new@chatroom", "renamed", now, "更新的群"))
        [room] = rows(app, select(Room))
        assert isinstance(room, Room)
        assert (room.topic, room.present, room.left_at) == ("更新的群", True, None)
        await app.sink(RoomChange("local", "new@chatroom", "left", now))
        await app.sink(RoomChange("local", "never seen", "left", now))
        found = {room.id: room for room in rows(app, select(Room))}  # type: ignore[attr-defined]
        assert not found["new@chatroom"].present
        assert found["new@chatroom"].left_at == now
        assert found["new@chatroom"].topic == "更新的群"
        assert not found["never seen"].present


async def test_a_refusal_ends_the_work_with_its_word(settings: Settings) -> None:
    gateway = MemoryGateway(refusal=GatewayRefused("gateway.token: the gateway does not know this token"))
    async with bot(settings, gateway) as app:
        assert app.working is not None
        await asyncio.wait({app.working}, timeout=10)
        with pytest.raises(GatewayRefused, match=r"gateway\.token: the gateway does not know this token"):
            await app.working
        assert rows(app, select(GatewayGap)) == []


async def test_a_taken_port_is_said_and_leaves_the_other_bot_alone(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = settings.model_copy(update={"web": WebSettings(port=port)})
        with pytest.raises(StartError, match=rf"web\.port: cannot listen at 127\.0\.0\.1:{port}: "):
            async with bot(second):
                pass
    database = Database(settings.storage.url)
    with database.reading() as session:
        assert session.exec(select(GatewayGap)).all() == []  # the first one still listens
    database.close()


async def test_a_newer_database_is_not_touched(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew):
        async with bot(settings_for(sqlite_url, tmp_path)):
            pass
    database.close()


async def test_health_tells_of_trouble(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Database", lambda url: Database(url, busy_seconds=0.01))
    gateway = MemoryGateway()
    settings = settings_for(sqlite_url, tmp_path)
    other = Database(sqlite_url)
    async with bot(settings, gateway) as app, ClientSession() as client:
        with capture_logs():
            with other.transaction() as session:
                begin_gap(session, "other", gateway.clock(), "held")
                await app.sink(_said(gateway, "早"))
                await until(lambda: app.health()["trouble"])
                async with client.get(f"{app.url}healthz") as answer:
                    assert answer.status == 503
                    found = await answer.json()
                assert found["status"] == "degraded"
                assert found["trouble"] == {"intake": "database is locked"}
            await app.intake.idle()
        async with client.get(f"{app.url}healthz") as answer:
            assert answer.status == 200
            assert (await answer.json())["trouble"] == {}
    other.close()


async def test_health_counts_the_mistakes_of_the_organisation_and_names_none(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "street.yaml"
    file.write_text("areas: [{code: S, name: 街}]", "utf-8")
    settings = settings_for(sqlite_url, tmp_path).model_copy(update={"organisation": file})
    async with bot(settings, MemoryGateway()) as app, ClientSession() as client:
        file.write_text(
            "areas: [{code: S, name: 街}]\npeople: [{id: wx1, name: 甲, area: X}, {id: wx2}]", "utf-8"
        )
        with capture_logs():
            assert not app.worlds.reload(only_changed=False)
        async with client.get(f"{app.url}healthz") as answer:
            assert answer.status == 503
            assert (await answer.json())["trouble"] == {"organisation": "mistakes: 2"}


async def test_postgresql_restarting_ends_nothing(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    gateway = MemoryGateway()
    async with bot(settings_for(postgres_url, tmp_path), gateway) as app:
        assert app.working is not None
        with capture_logs():
            for number in range(10):
                await asyncio.to_thread(postgres.break_connections, postgres_url)
                await app.sink(_said(gateway, "#帮助", f"m{number}", f"room {number}"))
                await app.sink(RoomChange("local", f"room {number}", "renamed", gateway.clock(), "群"))
                app.pictures.wake()
            await until(lambda: len(gateway.said) >= 10)
        assert not app.working.done()
        assert len(rows(app, select(Message))) == 10


async def test_a_retry_asked_for_on_the_pages_is_followed_at_once(settings: Settings) -> None:
    gateway = MemoryGateway()
    async with bot(settings, gateway) as app:
        await asyncio.sleep(0.05)
        woken: list[None] = []
        app.outbox.wake = lambda: woken.append(None)  # type: ignore[method-assign]
        app.live.publish("replies")
        await until(lambda: woken)


async def test_a_second_opinion_comes_by_itself(database_url: str, tmp_path: Path) -> None:
    async with endpoint() as there:
        there.behaviour = thinks("service", 1)
        asked = OpinionSettings(url=there.url, model="m")
        gateway = MemoryGateway()
        async with bot(settings_for(database_url, tmp_path, opinion=asked), gateway) as app:
            await app.sink(_said(gateway, "楼道有股怪味", "unsure"))
            await until(lambda: [row.opinion_label for row in rows(app, select(Review))] == ["service"])
        assert gateway.said == []


async def test_the_timers_jobs(settings: Settings) -> None:
    clock = MovingClock()
    gateway = MemoryGateway(clock=clock)
    async with bot(settings, gateway, clock) as app:
        await app.sink(_said(gateway, "江岸大厦水管爆了"))
        await app.intake.idle()
        await until(lambda: len(gateway.said) == 1)
        clock.move(hours=1, minutes=1)
        await app._sweep()
        await until(lambda: len(gateway.said) == 2)
        assert "周网格长" in gateway.texts[1]
        app.intake._stored([_said(gateway, "#帮助", "left over")])
        clock.move(minutes=1)
        await app._look_back()
        await until(lambda: len(gateway.said) == 3)
        clock.move(hours=7)
        await app._digests()
        await until(lambda: len(gateway.said) == 4)
        assert gateway.said[3].room == "command"
        assert "日报" in gateway.texts[3]
        await app.sink(_said(gateway, "楼道有股怪味", "unsure"))
        await until(lambda: _waiting_reviews(app) == 1)
        clock.move(hours=25)
        await app._expire()
        assert _waiting_reviews(app) == 0
        await app._purge()
        jobs = {
            "sweep",
            "digests",
            "care",
            "exports",
            "purge",
            "purge-late",
            "reviews",
            "look-back",
            "reload",
        }
        assert set(app._jobs()) == jobs


def _waiting_reviews(app: App) -> int:
    with app.database.reading() as session:
        return reviews.count_waiting(session)
