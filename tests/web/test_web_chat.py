import asyncio
from pathlib import Path

import pytest
from aiohttp import FormData

from bot.gateways.base import Outgoing
from bot.gateways.local import ACCOUNT, NotListening
from bot.live import CHAT, MISSED, Live
from handlers.incoming import MessageKind
from tests.web.conftest import Browser
from tests.web.street import NOON, PNG, Street, message, reply

EVIL = "<script>alert(1)</script>"


def form(text: str, **more: str) -> dict[str, str]:
    return {"room": "river", "me": "tang", "text": text} | more


async def test_the_landing_is_the_chat(browser: Browser) -> None:
    text = await browser.get("/")
    for words in (
        "滨江路网格群",
        "朝天骑手群",
        "私聊网格助手",
        "唐孃孃（居民）",
        "周网格长（网格长）",
        "新来的居民",
    ):
        assert words in text


@pytest.mark.usefixtures("listening")
async def test_what_is_said_reaches_the_intake_whole(browser: Browser, street: Street) -> None:
    await browser.post("/chat/say", 204, form("车库进水了\r\n@周网格长 快来 @网格助手 @没这个人"))
    (said,) = street.heard
    assert (said.account, said.room, said.room_topic) == (ACCOUNT, "river", "滨江路网格群")
    assert (said.sender, said.sender_name) == ("tang", "唐孃孃")
    assert said.text == "车库进水了\n@周网格长 快来 @网格助手 @没这个人"
    assert said.mentions == ("zhou", ACCOUNT)
    assert said.sent_at == NOON and said.kind is MessageKind.TEXT and not said.is_private
    assert street.local.status.last_message_at == NOON


@pytest.mark.usefixtures("listening")
async def test_a_conversation_survives_a_reload(browser: Browser, street: Street) -> None:
    await browser.post("/chat/say", 204, form("江岸大厦进水"))
    await street.answer("river", "CTM0712-031 已记下")
    bundle = {"external_id": "bot-x", "sent_at": NOON}
    street.keep(reply("a", "river", "第一句", **bundle), reply("b", "river", "第二句", **bundle))
    text = await browser.get("/chat?room=river&me=peng")
    assert "江岸大厦进水" in text
    assert '<a href="/tickets/CTM0712-031">CTM0712-031</a> 已记下' in text
    assert "第一句\n第二句" in text and text.count('id="line-bot-x"') == 1
    assert "江岸大厦进水" not in await browser.get("/chat?room=stairs&me=peng")


@pytest.mark.usefixtures("listening")
async def test_quoting_a_person_and_quoting_the_bot(browser: Browser, street: Street) -> None:
    await browser.post("/chat/say", 204, form("江岸大厦进水"))
    await street.answer("river", "CTM0712-031 已记下")
    text = await browser.get("/chat?room=river&me=zhou")
    bot_id = text.partition('id="line-bot-')[2].partition('"')[0]
    await browser.post("/chat/say", 204, form("#接单", me="zhou", quote=f"bot-{bot_id}"))
    await browser.post("/chat/say", 204, form("在几楼？", me="zhou", quote=street.heard[0].id))
    await browser.post("/chat/say", 204, form("？", me="zhou", quote="nothing"))
    quotes = [said.quote for said in street.heard]
    assert quotes[1] and quotes[1].id == f"bot-{bot_id}" and quotes[1].text == "CTM0712-031 已记下"
    assert quotes[2] and quotes[2].text == "江岸大厦进水"
    assert quotes[3] is None


@pytest.mark.usefixtures("listening")
async def test_private_talk_stays_private(browser: Browser, street: Street) -> None:
    await browser.post("/chat/say", 204, form("#进度", room="~bot"))
    await street.answer("", "没有在办的", person="tang")
    (said,) = street.heard
    assert said.is_private and said.room == ""
    mine = await browser.get("/chat?room=~bot&me=tang")
    assert "#进度" in mine and "没有在办的" in mine
    other = await browser.get("/chat?room=~bot&me=zhou")
    assert "#进度" not in other and "没有在办的" not in other


@pytest.mark.usefixtures("listening")
async def test_a_newcomer_speaks_under_the_typed_name(browser: Browser, street: Street) -> None:
    async with browser.client.get(
        "/chat", params={"room": "stairs", "me": "new", "name": " 小 陈<i>"}, allow_redirects=False
    ) as answer:
        address = answer.headers["Location"]
    assert "小陈&lt;i&gt;（新来的居民）" in await browser.get(address)
    await browser.post("/chat/say", 204, form("路灯坏了", room="stairs", me="guest:小陈<i>"))
    assert street.heard[0].sender_name == "小陈<i>"
    assert "<i>" not in await browser.get(address)


@pytest.mark.usefixtures("listening")
async def test_a_picture_is_a_message_of_its_own(browser: Browser, street: Street) -> None:
    data = FormData(form("你看"))
    data.add_field("picture", PNG, filename="x.png", content_type="image/png")
    await browser.post("/chat/say", 204, data)
    text, picture = street.heard
    assert (text.kind, picture.kind, picture.text) == (MessageKind.TEXT, MessageKind.IMAGE, "")
    assert await street.local.fetch_picture(ACCOUNT, picture.id) == PNG
    assert await street.local.fetch_picture(ACCOUNT, "../street.db") is None
    assert await street.local.fetch_picture("other", picture.id) is None
    assert f'src="/chat/pictures/{picture.id}"' in await browser.get("/chat?room=river&me=tang")
    async with browser.client.get(f"/chat/pictures/{picture.id}") as answer:
        assert answer.content_type == "image/png" and await answer.read() == PNG
    await browser.get("/chat/pictures/..%2F..%2Fstreet.db", 404)


@pytest.mark.usefixtures("listening")
async def test_what_cannot_be_said_gets_a_reason(browser: Browser, street: Street) -> None:
    assert "先写点什么" in await browser.post("/chat/say", 422, form("  \n "))
    assert "刷新" in await browser.post("/chat/say", 422, form("在", me="nobody"))
    assert "刷新" in await browser.post("/chat/say", 422, form("在", room="nowhere"))
    data = FormData(form("看"))
    data.add_field("picture", b"<svg onload=alert(1)>", filename="x.png", content_type="image/png")
    assert "只能发图片" in await browser.post("/chat/say", 422, data)
    assert street.heard == []


async def test_before_the_bot_listens_nothing_is_taken(browser: Browser, street: Street) -> None:
    assert "正在启动" in await browser.post("/chat/say", 503, form("在吗"))
    with pytest.raises(NotListening):
        await street.local.say("river", "tang", "唐孃孃", "在吗")


@pytest.mark.usefixtures("listening")
async def test_tabs_hear_their_room_and_of_others(browser: Browser, street: Street) -> None:
    async with browser.client.get("/chat/events?room=river&me=zhou") as stream:

        async def until(words: str) -> str:
            seen = b""
            async with asyncio.timeout(5):
                while words.encode() not in seen:
                    seen += await stream.content.readany()
            return seen.decode()

        await until("event: hello")
        await browser.post("/chat/say", 204, form(EVIL + " @周网格长"))
        seen = await until("calls-me")
        assert "event: line" in seen and "&lt;script&gt;" in seen and EVIL not in seen
        await browser.post("/chat/say", 204, form("路灯坏了", room="stairs"))
        seen = await until("elsewhere")
        assert "data: stairs" in seen and "路灯坏了" not in seen
        await browser.post("/chat/say", 204, form("私下问问", room="~bot"))
        await street.answer("", "只给周网格长", person="zhou")
        seen = await until("~bot")
        assert "私下问问" not in seen and seen.count("event: elsewhere") == 1


@pytest.mark.usefixtures("listening")
async def test_saying_the_same_again_is_the_same_line(street: Street) -> None:
    from bot.gateways.base import Outgoing

    async with street.live.subscribe(CHAT) as news:
        first = await street.local.send(Outgoing(key="m1:0", room="river", text="好"))
        again = await street.local.send(Outgoing(key="m1:0", room="river", text="好"))
        other = await street.local.send(Outgoing(key="m2:0", room="river", text="好"))
        assert first == again != other
        told = [await news.next(1), await news.next(1)]
        assert [n.data["line"].id for n in told if n and n.data] == [first, other]


async def test_older_lines_are_paged(browser: Browser, street: Street) -> None:
    from datetime import timedelta

    street.keep(*(message("river", "tang", f"第{n}句。", at=NOON + timedelta(seconds=n)) for n in range(200)))
    text = await browser.get("/chat?room=river&me=tang")
    assert "第199句。" in text and "第119句。" not in text
    before = int((NOON + timedelta(seconds=120)).timestamp() * 1000)
    async with browser.client.get(f"/chat/lines?room=river&me=tang&before={before}") as answer:
        older = await answer.text()
        assert answer.headers["X-Older"] == "1"
    assert "第119句。" in older and "第120句。" not in older and "第39句。" not in older
    await browser.get("/chat/lines?room=river&me=tang&before=-5")


async def test_without_the_built_in_chat_there_is_no_such_page(
    tmp_path: Path,
    sqlite_url: str,
) -> None:
    from aiohttp import CookieJar
    from aiohttp.test_utils import TestClient, TestServer

    from bot.web.app import make_app
    from tests.web.street import make_street

    street = make_street(tmp_path, sqlite_url, local=False)
    async with TestClient(TestServer(make_app(street.parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(client)
        await browser.sign_in(street.parts)
        assert "没有在办的事项" in await browser.get("/")
        await browser.get("/chat", 404)
        await browser.get("/chat/events", 404)
        await browser.post("/chat/say", 404, form("在吗"))


async def test_the_hub_never_waits_for_a_slow_reader() -> None:
    live = Live()
    async with live.subscribe(CHAT, limit=3) as slow:
        for n in range(10):
            live.publish(CHAT, {"n": n})
        live.publish("tickets")
        first = await slow.next(0)
        assert first and first.topic == MISSED
    live.publish(CHAT)


async def test_the_hub_ends_its_readers() -> None:
    live = Live()
    live.publish(CHAT, {"nobody": "listens"})
    async with live.subscribe() as news:
        live.publish(CHAT, {"n": 1})
        heard = await news.next(1)
        assert heard and heard.data == {"n": 1}
        live.close()
        assert [n async for n in news] == []
    async with live.subscribe() as late:
        assert late.closed


async def test_a_table_is_offered_for_download(browser: Browser, street: Street, tmp_path: Path) -> None:
    file = tmp_path / "清单.xlsx"
    file.write_bytes(b"PK\x03\x04 made up")
    said_as = await street.local.send(Outgoing(key="table", room="river", text="见表格", picture=file))
    street.keep(reply("table", "river", "见表格", external_id=said_as, sent_at=NOON, picture="sheet?{}"))
    page = await browser.get("/chat?room=river&me=tang")
    assert f'href="/chat/pictures/{said_as}" download' in page
    assert f'src="/chat/pictures/{said_as}"' not in page
    async with browser.client.get(f"/chat/pictures/{said_as}") as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="table.xlsx"'
        assert await answer.read() == file.read_bytes()
