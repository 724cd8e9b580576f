"""The day's figures and text."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from handlers import digest
from storage.database import Database
from tests.support.street import ACCOUNT, Street

MONDAY = date(2026, 7, 13)


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def _text(street: Street, day: date = MONDAY) -> str:
    street.clock.move(seconds=1)  # today's ends now: what is said at this very instant comes later
    with street.context() as ctx:
        return digest.text_of(ctx, day)


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


def test_it_stays_short_on_a_bad_day(street: Street) -> None:
    for number in range(40):
        street.say("stairs", f"wxid_{number}", f"石梯坎{number}号水管爆了" + "快来看看" * 20)
        street.clock.move(hours=1)
    assert len(_text(street).splitlines()) <= 12
    assert len(_text(street)) < 400


def test_the_day_is_the_street_s_and_may_have_another_length(street: Street) -> None:
    zone = ZoneInfo("Europe/Berlin")  # summer time begins on 29 March 2026
    street.world = replace(street.world, zone=zone)
    street.clock.now = datetime(2026, 4, 1, tzinfo=UTC)
    with street.context() as ctx:
        start, end = digest.span(ctx, date(2026, 3, 29))
    assert start.astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert end.astimezone(UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_it_is_posted_once_a_day(street: Street) -> None:
    for day, posted in ((MONDAY, True), (MONDAY, False), (MONDAY + timedelta(days=1), True)):
        with street.context() as ctx:
            assert digest.post(ctx, ACCOUNT, day) is posted
    assert [reply.room for reply in street.new_replies()] == ["command", "command"]


def test_it_waits_for_a_group_to_be_told_in(street: Street) -> None:
    known, groups = street.world, street.world.organisation.groups
    elsewhere = replace(known.organisation, groups=tuple(group for group in groups if group.id != "command"))
    street.world = replace(known, organisation=elsewhere)
    with street.context() as ctx:
        assert not digest.post(ctx, ACCOUNT, MONDAY)
    street.world = known
    with street.context() as ctx:
        assert digest.post(ctx, ACCOUNT, MONDAY)
    assert [reply.room for reply in street.new_replies()] == ["command"]
