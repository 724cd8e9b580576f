"""Questions in words, and that their answers agree with the figures."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from bot.web.board import Asked
from handlers import asking
from handlers.context import Context
from handlers.dates import days_in
from handlers.figures import counting, periods
from handlers.figures.cards import Card
from storage.board import Filter, board
from storage.database import Database
from tests.support.street import Street, make_world

TODAY = date(2026, 7, 15)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("今天", "0715 0715"),
        ("昨天", "0714 0714"),
        ("前天", "0713 0713"),
        ("本周", "0713 0719"),
        ("上周", "0706 0712"),
        ("上个星期", "0706 0712"),
        ("上上周", "0629 0705"),
        ("上周五", "0710 0710"),
        ("周五", "0710 0710"),
        ("这周三", "0715 0715"),
        ("本月", "0701 0731"),
        ("上个月", "0601 0630"),
        ("今年", "0101 1231"),
        ("最近7天", "0709 0715"),
        ("近两周", "0702 0715"),
        ("最近十天", "0706 0715"),
        ("最近半个月", "0701 0715"),
        ("7月12日", "0712 0712"),
        ("7月12号", "0712 0712"),
        ("7月1日到5日", "0701 0705"),
        ("6月28日至7月2日", "0628 0702"),
        ("6月", "0601 0630"),
        ("2月份", "0201 0228"),
    ],
)
def test_days_are_read_as_people_name_them(text: str, days: str) -> None:
    found = days_in(text + "棉花街", TODAY)
    assert found is not None
    assert found[0] == text
    assert " ".join(f"{day:%m%d}" for day in found[1]) == days
    assert found[1][0].year == 2026


@pytest.mark.parametrize("text", ["", "7月32日", "0月", "2月30日", "7月5日到1日", "天", "周八", "最近", "月"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert days_in(text, TODAY) is None


def test_a_day_that_has_not_come_this_year_was_last_year() -> None:
    assert days_in("12月3日", TODAY) == ("12月3日", (date(2025, 12, 3), date(2025, 12, 3)))
    assert days_in("11月", TODAY) == ("11月", (date(2025, 11, 1), date(2025, 11, 30)))
    assert days_in("2025年7月12日", TODAY) == ("2025年7月12日", (date(2025, 7, 12), date(2025, 7, 12)))


def wish(text: str) -> list[tuple[str, str]]:
    ctx = Context(None, datetime(2026, 7, 15, 2, tzinfo=UTC), make_world())  # type: ignore[arg-type]
    return [(one.part.value, one.said) for one in asking.read(ctx, text).found]


def test_words_are_told_apart_in_any_order() -> None:
    assert wish("江岸社区 上周 汛情 已结") == [
        ("area", "江岸社区"),
        ("days", "上周"),
        ("label", "汛情"),
        ("state", "已结"),
    ]
    assert wish("上周的汛情，江岸") == [
        ("days", "上周"),
        ("nothing", "的"),
        ("label", "汛情"),
        ("area", "江岸"),
    ]
    assert wish("民宿街的路灯 紧急") == [("area", "民宿街"), ("word", "路灯"), ("urgency", "紧急")]
    assert wish("江岸楼") == [("place", "江岸楼")]
    assert wish("安全通道") == [("word", "安全通道")]
    assert wish("ctm-01 超时 反复办") == [("area", "ctm-01"), ("flag", "超时"), ("flag", "反复办")]


@given(st.text(alphabet="江岸社区上周7月日到0123年 的汛情在办x%_'", max_size=30))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_whatever_is_asked_is_read(text: str) -> None:
    assert all(said for _, said in wish(text))


def test_answers_agree_with_the_figures(database: Database) -> None:
    street = Street(database)
    for place in ("江岸大厦", "滨江路"):
        street.say("river", "tang", f"#报 {place}的路灯坏了")
    street.say("stairs", "peng", "#报 石梯坎100%坏了_")
    street.clock.move(minutes=5)
    areas = ("CTM", "CTM-01", "CTM-0201")
    with street.context() as ctx:
        today = periods.days(ctx, date(2026, 7, 13), date(2026, 7, 13))
        counted = [counting.figures(ctx, area, today).total.opened for area in areas]
        wanted = Filter(state="all", start=today.start, end=today.end, words=(("100%",), ("坏了_",)))
        assert board(ctx.session, wanted, ctx.now, number=1, size=9).tickets.total == 1
        nothing = Filter(words=(("1_0",),))
        assert board(ctx.session, nothing, ctx.now, number=1, size=9).tickets.total == 0
    assert counted == [3, 2, 1]
    for area, found in zip(areas, counted, strict=True):
        (reply,) = street.say("command", "pu", f"#查 {area} 今天")
        assert f"：{found}件" in reply.text


def test_a_report_goes_with_its_picture(database: Database) -> None:
    street = Street(database)
    street.say("river", "tang", "门口路灯坏了")
    street.clock.move(minutes=5)
    (daily,) = street.say("command", "pu", "#日报 江岸社区")
    card = Card.read(daily.picture or "")
    assert card is not None
    assert (card.area, card.kind, card.at) == ("CTM-01", "evening", street.clock())
    assert len(daily.text.splitlines()) <= 12
    (empty,) = street.say("command", "pu", "#日报 民宿街")
    assert empty.picture is None


def test_the_page_keeps_what_was_asked() -> None:
    asked = Asked.of(MultiDict(state="all", start="2026-07-06", end="x", q=" 路灯  坏了 "))
    assert (asked.start, asked.end, asked.q) == ("2026-07-06", "", "路灯 坏了")
    assert asked.narrowed
    assert not Asked().narrowed
    assert "start=2026-07-06" in asked.url()
