"""The review list: what is shown, and what one tap does."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlmodel import SQLModel, select

from bot.live import REPLIES, TICKETS
from storage.tables import Correction, Message, Reply, Review, ReviewState, Ticket
from tests.web.conftest import Browser
from tests.web.street import NOON, Street, message, room

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
Unsure = Callable[..., Message]


@pytest.fixture
def unsure(street: Street) -> Unsure:
    """A message on the list."""
    street.keep(room("stairs", "石梯坎居民群"))

    def make(text: str = "楼道有股怪味", **more: Any) -> Message:
        said = message("stairs", "peng", text, sender_name="彭师傅", outcome="review", place="", evidence=[])
        values = {"label": "safety", "urgency": 2, "chance": 0.42, "made_at": NOON, "expires_at": NOON}
        street.keep(said)
        street.keep(Review(message_id=said.id, account=said.account, room=said.room, **(values | more)))
        return said

    return make


def all_of(street: Street, table: type[SQLModel]) -> list[Any]:
    with street.database.reading() as session:
        return list(session.exec(select(table)))


async def test_what_is_shown(browser: Browser, street: Street, unsure: Unsure) -> None:
    street.keep(message("stairs", "ye", "你们闻到没有", sender_name="叶房东"))
    unsure(urgency=3, opinion_label="none", opinion_urgency=0)
    text = await browser.get("/reviews")
    for words in (
        "楼道有股怪味",
        "彭师傅",
        "石梯坎居民群",
        "你们闻到没有",
        "安全？",
        "紧急",
        "42%",
        "第二意见：不用建单",
    ):
        assert words in text
    assert text.count("<button") >= 6
    assert await browser.get("/reviews/count") == "1"


async def test_nothing_waits(browser: Browser) -> None:
    assert "没有要确认的" in await browser.get("/reviews")
    assert await browser.get("/reviews/count") == ""


async def test_what_people_write_stays_text(browser: Browser, street: Street, unsure: Unsure) -> None:
    street.keep(message("stairs", EVIL, EVIL, sender_name=EVIL))
    unsure(EVIL)
    text = await browser.get("/reviews")
    assert "<script>alert" not in text
    assert "<img src=x" not in text


async def test_a_long_list_is_paged_with_a_constant_number_of_queries(
    browser: Browser, street: Street, unsure: Unsure
) -> None:
    for number in range(45):
        unsure(f"怪味{number}")
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sqlalchemy_event.listen(street.database.engine, "before_cursor_execute", count)
    text = await browser.get("/reviews?page=2")
    assert "第 2 / 3 页，共 45 件" in text
    assert len([statement for statement in asked if statement.startswith("SELECT")]) <= 6


async def test_one_tap_opens_a_ticket_and_tells_the_group(
    browser: Browser, street: Street, unsure: Unsure
) -> None:
    said = unsure()
    async with street.live.subscribe(TICKETS, REPLIES) as news:
        text = await browser.post(f"/reviews/{said.id}", data={"choice": "accept"})
        assert [(await news.next(1)).topic for _ in range(2)] == [TICKETS, REPLIES]  # type: ignore[union-attr]
    (ticket,) = all_of(street, Ticket)
    assert f'已建单：<a href="/tickets/{ticket.number}">' in text
    assert "没有要确认的" in text
    assert {(reply.room, reply.ticket_id) for reply in all_of(street, Reply)} == {("stairs", ticket.id)}
    story = await browser.get(f"/tickets/{ticket.number}")
    assert "人工确认" in story
    assert "楼道有股怪味" in story


@pytest.mark.parametrize(
    ("choice", "state", "label"),
    [("ignore", "ignored", None), ("safety", "accepted", "safety"), ("service", "relabelled", "service")],
)
async def test_each_tap(
    browser: Browser, street: Street, unsure: Unsure, choice: str, state: str, label: str | None
) -> None:
    said = unsure()
    await browser.post(f"/reviews/{said.id}", data={"choice": choice})
    assert [review.state for review in all_of(street, Review)] == [state]
    assert [ticket.label for ticket in all_of(street, Ticket)] == ([label] if label else [])
    assert [(kept.made_by, kept.before_label, kept.label) for kept in all_of(street, Correction)] == [
        ("operator", "safety", label or "none")
    ]


async def test_deciding_again_is_harmless_and_said(browser: Browser, street: Street, unsure: Unsure) -> None:
    said = unsure()
    await browser.post(f"/reviews/{said.id}", data={"choice": "accept"})
    text = await browser.post(f"/reviews/{said.id}", data={"choice": "ignore"})
    (ticket,) = all_of(street, Ticket)
    assert "这条之前已经处理过（已建单，12:00），这次没有改动" in text
    assert ticket.number in text
    late = unsure(state=ReviewState.EXPIRED, decided_at=NOON)
    assert "过期没有确认" in await browser.post(f"/reviews/{late.id}", data={"choice": "accept"})
    assert len(all_of(street, Ticket)) == 1


async def test_what_cannot_be_decided(browser: Browser, street: Street, unsure: Unsure) -> None:
    said, chatter = unsure(), message("stairs", "peng", "早")
    street.keep(chatter)
    await browser.post(f"/reviews/{said.id}", 400, data={"choice": "none"})
    await browser.post(f"/reviews/{said.id}", 400)
    await browser.post(f"/reviews/{chatter.id}", 404, data={"choice": "accept"})
    await browser.post(f"/reviews/{2**63}", 404, data={"choice": "accept"})
    await browser.post("/reviews/7", 404, data={"choice": "accept"})
    await browser.get(f"/reviews/{said.id}", 405)
    await browser.post(f"/reviews/{said.id}", 403, data={"choice": "accept"}, Origin="http://evil.example")
    for query in ("decided=7&now=1", "decided=x", f"decided={'9' * 30}", f"decided={chatter.id}"):
        assert 'role="status"' not in await browser.get(f"/reviews?{query}")
    assert all_of(street, Ticket) == []


async def test_strangers_see_and_decide_nothing(stranger: Browser, street: Street, unsure: Unsure) -> None:
    said = unsure()
    assert "怪味" not in await stranger.get("/reviews", 401)
    await stranger.get("/reviews/count", 401)
    await stranger.post(f"/reviews/{said.id}", 401, data={"choice": "accept"})
    assert all_of(street, Ticket) == []
