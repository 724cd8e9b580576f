"""The Wechaty gateway's parts that need no gateway."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.gateways.base import GatewayEvent, RoomChange
from bot.gateways.wechaty import inbox, pictures
from bot.gateways.wechaty.events import EventType, moment, parse, room_change
from bot.gateways.wechaty.inbox import Begin, Inbox
from bot.gateways.wechaty.memo import Memo
from bot.gateways.wechaty.messages import split_quote
from handlers.incoming import Quote
from tests.gateways.contract import Heard

PNG = b"\x89PNG" + bytes(100_000)
NOW = datetime(2026, 7, 12, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "told"),
    [
        (1_783_843_200, NOW),
        (1_783_843_200_000, NOW),
        (1_783_843_200_000.0, NOW),
        (0, NOW),
        (-5, NOW),
        (None, NOW),
        ("soon", NOW),
        (True, NOW),
        (2**64 - 1, NOW),
        (float("nan"), NOW),
        (float("inf"), NOW),
    ],
)
def test_any_time_stamp_gives_a_time(stamp: object, told: datetime) -> None:
    assert moment(stamp, NOW) == told


@pytest.mark.parametrize(
    ("text", "reply", "quote"),
    [
        ("「张三：井盖没了」\n- - - - - - - - - - - - - - -\n在哪里", "在哪里", Quote("井盖没了")),
        ("「张三：两行\n第二行」\n- - - - -\n好\n的", "好\n的", Quote("两行\n第二行")),
        ("「张三：「李四：一」\n- - - - -\n二」\n- - - - -\n三", "三", Quote("「李四：一」\n- - - - -\n二")),
        ("「没有名字」\n- - - - -\n好", "好", Quote("没有名字")),
        ("「张三」说的对", "「张三」说的对", None),
        ("", "", None),
    ],
)
def test_quotes(text: str, reply: str, quote: Quote | None) -> None:
    assert split_quote(text) == (reply, quote)


@given(st.integers(-1, 99), st.text() | st.recursive(st.none() | st.text(), st.lists).map(str))
def test_no_event_breaks_the_parser(number: int, payload: str) -> None:
    event = parse(number, payload)
    assert (event.type is None) == (number not in {int(known) for known in EventType})
    assert event.text("roomId") == "" or event.body


def test_a_room_event_without_a_room_means_nothing() -> None:
    assert room_change(parse(EventType.ROOM_JOIN, "{}"), "bot", NOW) is None


async def test_a_slow_payload_holds_up_the_others_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PATIENCE", 0.05)
    heard, slow = Heard(), asyncio.Event()

    async def fetch(name: str, begin: Begin) -> GatewayEvent:
        begin()
        if name == "slow":
            await slow.wait()
        return RoomChange("bot", name, "renamed", NOW)

    box = Inbox(heard, most=10)
    running = asyncio.create_task(box.run())
    for name in ("slow", "danger", "other"):
        await box.put(partial(fetch, name))
    await heard.until(lambda heard: len(heard.events) == 2, 2)
    slow.set()
    await heard.until(lambda heard: len(heard.events) == 3, 2)
    assert [change.room for change in heard.of(RoomChange)] == ["danger", "other", "slow"]
    running.cancel()


async def test_a_full_inbox_makes_the_stream_wait() -> None:
    taken = asyncio.Semaphore(0)

    async def sink(_: GatewayEvent) -> None:
        await taken.acquire()

    box = Inbox(sink, most=2)
    running = asyncio.create_task(box.run())
    change = RoomChange("bot", "r", "renamed", NOW)
    await box.say(change)
    await box.say(change)
    third = asyncio.create_task(box.say(change))
    await asyncio.wait({third}, timeout=0.05)
    assert not third.done()
    taken.release()
    await asyncio.wait_for(third, 1)
    running.cancel()


async def test_a_memo_asks_once_forgets_and_stays_small() -> None:
    asked: list[str] = []

    async def fetch(key: str) -> str:
        asked.append(key)
        await asyncio.sleep(0)
        if key == "bad":
            raise LookupError(key)
        return key.upper()

    memo = Memo(fetch, most=2, seconds=60)
    assert list(await asyncio.gather(memo.get("a"), memo.get("a"))) == ["A", "A"]
    assert await memo.get("a") == "A"
    assert asked == ["a"]
    memo.forget(lambda key: key == "a")
    await memo.get("a")
    for _ in range(2):
        with pytest.raises(LookupError):
            await memo.get("bad")
    assert asked == ["a", "a", "bad", "bad"]
    for key in ("b", "c", "a"):
        await memo.get(key)
    assert asked[-3:] == ["b", "c", "a"]  # "a" had gone: there is room for two


async def test_a_memo_asks_again_after_a_while() -> None:
    asked: list[str] = []

    async def fetch(key: str) -> int:
        asked.append(key)
        return len(asked)

    memo = Memo(fetch, most=2, seconds=-1)
    assert [await memo.get("a"), await memo.get("a")] == [1, 2]


async def test_a_picture_at_an_address_is_fetched() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=PNG, status=200 if request.headers.get("X-Key") == "1" else 403)

    app = web.Application()
    app.router.add_get("/p.png", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/p.png"))
        for headers, told in (({"X-Key": "1"}, PNG), ({}, None)):
            stub = Stub(json.dumps({"type": 2, "url": url, "headers": headers}))
            assert await pictures.fetch(stub, "m1") == told


@pytest.mark.parametrize(
    "box",
    ["", "null", "[]", "{}", '{"type": 1}', '{"type": 1, "base64": "é"}', '{"type": [3]}', '{"type": 3}'],
)
async def test_a_box_without_a_picture_is_none(box: str) -> None:
    assert await pictures.fetch(Stub(box), "m1") is None


class Stub:
    """A gateway that answers with one file box to everything."""

    def __init__(self, box: str) -> None:
        self.box = box

    async def message_image(self, id: str, type: int) -> SimpleNamespace:
        return SimpleNamespace(filebox=self.box)

    async def message_file(self, id: str) -> SimpleNamespace:
        return SimpleNamespace(filebox=self.box)


def test_importing_it_leaves_no_trace(tmp_path: Path) -> None:
    """No folders where the bot runs, no layers that read TOKEN or log it, no root logger changed."""
    code = (
        "import sys, logging, bot.gateways.wechaty\n"
        "print(sorted({name.split('.')[0] for name in sys.modules if name.startswith('wechaty')}))\n"
        "print(logging.getLogger().handlers)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "TOKEN": "leak", "ENDPOINT": "leak"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["['wechaty_grpc']", "[]"]
    assert "leak" not in done.stderr
    assert list(tmp_path.iterdir()) == []
