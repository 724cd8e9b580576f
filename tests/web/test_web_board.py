import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlmodel import select

from bot.gateways.base import Connection
from bot.live import TICKETS
from storage.tables import Attachment, GatewayGap, Reply, ReplyState, Ticket
from tests.web.conftest import Browser
from tests.web.street import NOON, PNG, Street, message, reply, some_tickets, ticket

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


@pytest.fixture(autouse=True)
def morning(street: Street) -> None:
    some_tickets(street)


def shown(text: str) -> list[str]:
    return [f"CTM0712-00{n}" for n in range(1, 5) if f'href="/tickets/CTM0712-00{n}"' in text]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3]),
        ("state=all", [1, 2, 3, 4]),
        ("state=closed", [4]),
        ("state=accepted", [1]),
        ("state=nonsense", [1, 2, 3]),
        ("label=safety", [2]),
        ("urgency=3", [1]),
        ("urgency=9", [1, 2, 3]),
        ("area=CTM-02&state=all", [2, 3, 4]),
        ("area=CTM-0101", [1]),
        ("area=nowhere", [1, 2, 3]),
        ("room=local/river", [1]),
        ("room=local/nowhere", []),
        ("overdue=1", [2]),
        ("page=999", []),
        ("page=x", [1, 2, 3]),
    ],
)
async def test_the_board_filters(browser: Browser, query: str, numbers: list[int]) -> None:
    assert shown(await browser.get(f"/board?{query}")) == [f"CTM0712-00{n}" for n in numbers]


async def test_the_board_tells_state_owner_and_deadline(browser: Browser) -> None:
    text = await browser.get("/board")
    for words in (
        "已受理",
        "汛情",
        "紧急",
        "还剩 18 分钟",
        "已超时 35 分钟",
        "周网格长负责",
        "供电所负责",
        "11:48",
    ):
        assert words in text
    assert text.index("CTM0712-001") < text.index("CTM0712-002") < text.index("CTM0712-003")


async def test_the_board_is_paged_with_a_constant_number_of_queries(browser: Browser, street: Street) -> None:
    street.keep(*(ticket(n, urgency=1) for n in range(10, 110)))
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sqlalchemy_event.listen(street.database.engine, "before_cursor_execute", count)
    text = await browser.get("/board?page=2")
    assert "第 2 / 4 页，共 103 件" in text
    assert text.count('class="card ') == 30
    assert len([statement for statement in asked if statement.startswith("SELECT")]) <= 6


async def test_a_ticket_tells_its_whole_story(browser: Browser) -> None:
    text = await browser.get("/tickets/CTM0712-001")
    for words in (
        "江岸大厦负二楼车库进水了 有人被困",
        "水到膝盖了，我在门口",
        "唐孃孃 等，2 次反映",
        "抽水泵已经在路上，请不要进车库",
        "接单",
        "已发送",
        "等待发送",
        "立事项",
        "到场期限",
        "12:18",
    ):
        assert words in text


async def test_a_picture_belongs_to_its_ticket_and_is_one(browser: Browser, street: Street) -> None:
    with street.database.reading() as session:
        ticket_id = session.exec(select(Ticket.id).where(Ticket.number == "CTM0712-001")).one()
    row, evil, outside = (message("river", "tang", "", kind="image", ticket_id=ticket_id) for _ in range(3))
    street.keep(row, evil, outside)
    media = street.parts.settings.storage.media
    media.mkdir()
    (media / "a.png").write_bytes(PNG)
    (media / "b.png").write_bytes(b"<svg onload=alert(1)>")
    (media.parent / "secret.png").write_bytes(PNG)
    for known, path in ((row, "a.png"), (evil, "b.png"), (outside, "../secret.png")):
        street.keep(
            Attachment(message_id=known.id, ticket_id=ticket_id, state="kept", path=path, due_at=NOON)
        )
    assert f"/tickets/CTM0712-001/pictures/{row.id}" in await browser.get("/tickets/CTM0712-001")
    async with browser.client.get(f"/tickets/CTM0712-001/pictures/{row.id}") as answer:
        assert answer.content_type == "image/png"
        assert await answer.read() == PNG
    await browser.get(f"/tickets/CTM0712-002/pictures/{row.id}", 404)
    await browser.get(f"/tickets/CTM0712-001/pictures/{evil.id}", 404)
    await browser.get(f"/tickets/CTM0712-001/pictures/{outside.id}", 404)


async def test_nothing_that_people_say_becomes_markup(browser: Browser, street: Street) -> None:
    row = ticket(9, summary=EVIL, place=EVIL, reporter_name=EVIL, handler_name=EVIL, room=EVIL)
    street.keep(row)
    said = message(EVIL, EVIL, EVIL, sender_name=EVIL, quoted_text=EVIL, ticket_id=row.id, room_topic=EVIL)
    street.keep(said, reply("evil", EVIL, EVIL, ticket_id=row.id, state=ReplyState.FAILED, error=EVIL))
    for path in ("/board", "/tickets/CTM0712-009", "/replies", "/board?room=" + EVIL.replace("&", "")):
        text = await browser.get(path)
        assert "<script>alert" not in text and "<img src=x" not in text, path
    assert "&lt;script&gt;alert(1)" in await browser.get("/tickets/CTM0712-009")


async def test_groups_show_who_is_bound_and_the_gaps(browser: Browser, street: Street) -> None:
    street.keep(GatewayGap(gateway="local", began_at=NOON, reason="<b>断网</b>"))
    text = await browser.get("/groups")
    for words in ("散步群", "不在名册", "不在群里", "朝天骑手群", "快递骑手群", "重启", "现在还没恢复"):
        assert words in text
    assert "<b>断网" not in text


async def test_a_given_up_reply_is_tried_again_or_dropped(browser: Browser, street: Street) -> None:
    text = await browser.get("/replies")
    assert "不在这个群里" in text and "试了 8 次" in text

    def rows() -> dict[str, Reply]:
        with street.database.reading() as session:
            return {row.key: row for row in session.exec(select(Reply)).all()}

    ids = {key: row.id for key, row in rows().items()}
    await browser.post(f"/replies/{ids['m4:0']}/retry")
    await browser.post(f"/replies/{ids['m3:0']}/drop")
    await browser.post(f"/replies/{ids['m1:0']}/drop")
    await browser.post("/replies/999/retry")
    await browser.post("/replies/9999999999999999999/retry", 404)
    now = rows()
    assert {key: row.state for key, row in now.items()} == {
        "m1:0": ReplyState.SENT,
        "m2:0": ReplyState.SENT,
        "m3:0": ReplyState.DROPPED,
        "m4:0": ReplyState.WAITING,
    }
    assert now["m4:0"].attempts == 0 and now["m4:0"].due_at == NOON


async def test_pages_are_told_of_changes_together(browser: Browser, street: Street) -> None:
    async with browser.client.get("/live") as stream:
        assert stream.content_type == "text/event-stream"
        await asyncio.sleep(0.05)
        for _ in range(100):
            street.live.publish(TICKETS)
        seen = b""
        async with asyncio.timeout(5):
            while b"event: tickets" not in seen:
                seen += await stream.content.readany()
        assert seen.count(b"event: tickets") == 1


async def test_open_streams_do_not_hold_up_the_end(browser: Browser, street: Street) -> None:
    async with browser.client.get("/live") as stream:
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await browser.client.server.close()
            await stream.content.read()


async def test_healthz_needs_no_sign_in_and_tells_nothing_personal(stranger: Browser, street: Street) -> None:
    street.local.status.connection = Connection.LOGGED_IN
    async with stranger.client.get("/healthz") as answer:
        facts = await answer.json()
        assert answer.status == 200
    assert facts["status"] == "ok" and facts["database"] == "ok" and facts["queue"] == 0
    assert facts["gateway"]["kind"] == "local" and facts["gateway"]["connection"] == "logged_in"
    assert facts["gateway"]["gaps"][0]["reason"] == "重启"
    assert facts["replies"] == {"waiting": 1, "failed": 1}


@pytest.mark.parametrize("connection", [Connection.LOST, Connection.REFUSED])
async def test_healthz_is_degraded_without_a_gateway(
    stranger: Browser, street: Street, connection: Connection
) -> None:
    street.local.status.connection = connection
    async with stranger.client.get("/healthz") as answer:
        assert answer.status == 503
        assert (await answer.json())["status"] == "degraded"


async def test_healthz_is_degraded_without_a_database(
    stranger: Browser, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def broken() -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(street.database, "reading", broken)
    async with stranger.client.get("/healthz") as answer:
        assert answer.status == 503
        assert (await answer.json())["database"] == "error"


async def test_times_are_the_streets(browser: Browser, street: Street) -> None:
    street.keep(ticket(8, opened_at=NOON - timedelta(days=1), deadline_at=NOON + timedelta(days=3)))
    text = await browser.get("/board")
    assert "昨天 12:00" in text and "还剩 3 天" in text


async def test_what_was_not_solved_is_counted_apart_and_what_comes_again_is_marked(
    browser: Browser, street: Street
) -> None:
    street.keep(
        ticket(11, state="closed", resolution="explained", closed_at=NOON),
        ticket(12, state="closed", resolution="fixed", closed_at=NOON),
        ticket(13, recurring=True),
    )
    text = await browser.get("/board")
    assert "未解决已解释<b>2</b>" in text
    assert "全部<b>7</b>" in text
    assert text.count(">反复办</span>") == 1
    unsolved = await browser.get("/board?state=explained")
    assert 'href="/tickets/CTM0712-011"' in unsolved
    assert 'href="/tickets/CTM0712-012"' not in unsolved
    again = await browser.get("/board?recurring=1")
    assert 'href="/tickets/CTM0712-013"' in again
    assert 'href="/tickets/CTM0712-001"' not in again
    assert ">反复办</span>" in await browser.get("/tickets/CTM0712-013")
