"""The digests' text, and whose groups get them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from handlers import digest
from handlers.digest_text import text_of
from handlers.figures import counting, periods
from handlers.figures.model import DigestKind
from handlers.organisation import Group, GroupKind
from storage.database import Database
from tests.support.street import ACCOUNT, Street

MONDAY = date(2026, 7, 13)
EVENING = DigestKind.EVENING


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def _text(street: Street, day: date = MONDAY, kind: DigestKind = EVENING, area: str = "") -> str:
    street.clock.move(seconds=1)  # what is not over ends now: what is said at this very instant comes later
    with street.context() as ctx:
        window = periods.window(ctx, kind, day)
        return text_of(ctx, counting.of_window(ctx, area or ctx.organisation.root, window), window)


def _post(street: Street, day: date, kind: DigestKind = EVENING) -> bool:
    with street.context() as ctx:
        made = digest.ready(ctx, ACCOUNT, periods.window(ctx, kind, day))
        return made is not None and digest.post(ctx, ACCOUNT, made)


def test_what_was_closed_again_counts_once_and_what_was_reopened_is_open(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结 换了")
    assert "新报1件，办结1件，在办0件，超时0件" in _text(street)
    street.say("river", "tang", "#不满意 又黑了")
    assert "新报1件，办结0件，在办1件" in _text(street)
    street.say("river", "zhou", "#办结 又换了")
    assert "新报1件，办结1件，在办0件" in _text(street)


def test_a_past_day_is_told_as_it_ended(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.clock.move(days=1)
    street.say("river", "zhou", "#办结 换了")
    assert "新报1件，办结0件，在办1件" in _text(street)
    assert "新报0件，办结1件，在办0件" in _text(street, MONDAY + timedelta(days=1))


def test_a_day_to_come_and_a_day_long_ago_are_empty(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结 换了")
    for day in (date(2020, 1, 1), date(2030, 1, 1)):
        assert _text(street, day).endswith("没有新事项，也没有在办的。")


@pytest.mark.parametrize("kind", list(DigestKind))
def test_it_stays_short_on_a_bad_week(street: Street, kind: DigestKind) -> None:
    rooms = ("stairs", "river", "homestay")
    for number in range(60):
        street.say(rooms[number % 3], f"wxid_{number}", f"石梯坎{number}号水管爆了" + "快来看看" * 20)
        street.say(rooms[number % 3], f"wxid_{number}", f"石梯坎{number % 7}号又进水了 有人吵架")
        street.clock.move(hours=2)
    for area in ("CTM", "CTM-01", "CTM-0201"):
        found = _text(street, MONDAY + timedelta(days=7 if kind is DigestKind.WEEKLY else 3), kind, area)
        assert len(found.splitlines()) <= 12
        assert len(found) < 700, found
        assert f"/{kind}" in found.splitlines()[-1] or "没有新事项" in found


def test_it_is_posted_once_a_day_and_kind(street: Street) -> None:
    days = ((MONDAY, True), (MONDAY, False), (MONDAY + timedelta(days=1), True))
    for day, posted in days:
        assert _post(street, day) is posted
    assert [_post(street, MONDAY, DigestKind.WEEKLY) for _ in range(2)] == [True, False]
    assert [reply.room for reply in street.new_replies()] == ["command"] * 3


def test_each_area_s_coordinators_get_their_own(street: Street) -> None:
    known = street.world.organisation
    more = (
        Group(id="river-bank", topic="江岸社区协调群", kind=GroupKind.COORDINATORS, area="CTM-01"),
        Group(id="steps", topic="石梯坎网格协调群", kind=GroupKind.COORDINATORS, area="CTM-0201"),
    )
    street.world = replace(street.world, organisation=replace(known, groups=known.groups + more))
    street.say("river", "tang", "门口路灯坏了")
    street.say("river-bank", "fan", "早上好")
    street.say("steps", "deng", "早上好")
    street.clock.move(hours=9)
    street.new_replies()
    assert _post(street, MONDAY)
    told = {reply.room: reply.text.splitlines()[0] for reply in street.new_replies()}
    assert told == {
        "command": "朝天街道 7月13日 日报（补）",
        "river-bank": "江岸社区 7月13日 日报（补）",
        "steps": "石梯坎网格 7月13日 日报（补）：没有新事项，也没有在办的。",
    }


def test_it_waits_for_a_group_to_be_told_in(street: Street) -> None:
    known, groups = street.world, street.world.organisation.groups
    elsewhere = replace(known.organisation, groups=tuple(group for group in groups if group.id != "command"))
    street.world = replace(known, organisation=elsewhere)
    assert not _post(street, MONDAY)
    street.world = known
    assert _post(street, MONDAY)
    assert [reply.room for reply in street.new_replies()] == ["command"]
