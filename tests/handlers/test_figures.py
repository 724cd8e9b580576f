"""What each figure counts, decided once in docs/figures.md."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from handlers.figures import periods
from handlers.figures.counting import figures, of_window
from handlers.figures.model import Counts, DigestKind, Durations, Figures, Loss, Period, Share
from handlers.figures.rates import durations
from handlers.rules import Deadlines
from storage.board import Filter, board
from storage.database import Database
from storage.tables import Room
from tests.support.street import ACCOUNT, Street

MONDAY = date(2026, 7, 13)


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def told(street: Street, first: date, last: date | None = None, area: str = "") -> Figures:
    street.clock.move(seconds=1)  # what is said at this very instant comes later
    with street.context() as ctx:
        return figures(ctx, area, periods.days(ctx, first, last or first))


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def at(street: Street, number: int, hour: int = 10, minute: int = 0) -> None:
    """Moves the clock to that local time of a day counted from Monday."""
    local = datetime(2026, 7, 13, hour, minute, tzinfo=street.world.zone) + timedelta(days=number)
    street.clock.now = local.astimezone(UTC)


def test_midnight_is_the_street_s(street: Street) -> None:
    at(street, 0, 23, 59)
    street.say("river", "tang", "门口路灯坏了")
    at(street, 1, 0, 0)
    street.say("stairs", "peng", "石梯坎3号水管爆了")
    assert told(street, day(0)).total == Counts(opened=1, open=1)
    assert told(street, day(1)).total == Counts(opened=1, open=2)


def test_a_day_and_a_month_are_as_long_as_they_are(street: Street) -> None:
    street.world = replace(street.world, zone=ZoneInfo("Europe/Berlin"))
    with street.context() as ctx:
        summer = periods.days(ctx, date(2026, 3, 29), date(2026, 3, 29))
        february = periods.days(ctx, date(2026, 2, 1), date(2026, 2, 28))
    assert summer.end.astimezone(UTC) - summer.start.astimezone(UTC) == timedelta(hours=23)
    assert february.end == datetime(2026, 3, 1, tzinfo=street.world.zone)


def test_the_week_before_begins_at_the_same_clock_time(street: Street) -> None:
    """Summer time began in between."""
    street.world = replace(street.world, zone=ZoneInfo("Europe/Berlin"))
    with street.context() as ctx:
        day = periods.window(ctx, DigestKind.EVENING, date(2026, 3, 31)).period
        before = next(periods.weeks_before(ctx, day))
    assert (before.start.hour, before.end.hour) == (18, 18)
    assert before.end.date() == date(2026, 3, 24)


def test_reopened_the_next_day_it_was_closed_yesterday_and_is_open_today(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结 换了")
    at(street, 1)
    street.say("river", "tang", "#不满意 又黑了")
    assert told(street, day(0)).total == Counts(opened=1, closed=1)
    today = told(street, day(1))
    assert (today.total, today.reopened) == (Counts(open=1), 1)
    assert today.satisfaction == Share(0, 1, 0)
    at(street, 2)
    street.say("river", "zhou", "#办结 又换了")
    again = told(street, day(2))
    assert (again.total, again.rework) == (Counts(closed=1), Share(1, 1, 0))
    assert told(street, day(0)).rework == Share(0, 1, 0)


def test_a_merged_one_counts_with_the_other(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("stairs", "peng", "石梯坎3号水管爆了")
    at(street, 1)
    street.say("command", "pu", "#并案 2 并入 1")
    assert told(street, day(0)).total == Counts(opened=2, open=2, overdue=2)
    merged = told(street, day(1))
    assert (merged.total, merged.duplicates) == (Counts(open=1, overdue=1), 1)
    assert told(street, day(0), day(1)).total == Counts(opened=1, open=1, overdue=1)


def test_explained_is_closed_but_not_solved(street: Street) -> None:
    for words in ("换了", "已解释 要等市里", "已转办 12345"):
        street.say("river", "tang", f"门口路灯坏了{words}")
        street.say("river", "zhou", f"#办结 {words}")
        street.clock.move(hours=7)
    found = told(street, MONDAY, day(1))
    assert (found.total.closed, found.explained, found.solution) == (3, 1, Share(1, 3, 0))


def test_false_alarms_and_withdrawn_ones_are_left_out_of_the_shares(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#误报")
    street.clock.move(hours=7)
    street.say("river", "tang", "江岸大厦负二楼车库进水了")
    street.say("river", "tang", "#撤回")
    found = told(street, MONDAY)
    assert found.total == Counts(opened=2, closed=2)
    assert found.solution == found.on_time == found.rework == Share(0, 0, 2)
    assert found.response == Share(1, 1, 1)
    assert found.closing == Durations()


def test_what_still_may_wait_is_no_missing_answer(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    assert told(street, MONDAY).response == Share(0, 0, 1)
    street.clock.move(hours=3)
    assert told(street, MONDAY).response == Share(0, 1, 0)


def test_what_was_taken_back_does_not_count(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结 换了")
    street.say("river", "zhou", "#撤销")
    found = told(street, MONDAY)
    assert (found.total, found.answered.count) == (Counts(opened=1, open=1), 0)


def test_overdue_is_told_as_it_was_whatever_the_rules_are_now(street: Street) -> None:
    street.say("river", "tang", "江岸大厦负二楼车库进水了")  # 15 minutes to be accepted
    at(street, 0, 11)
    street.say("river", "zhou", "#到场")
    at(street, 0, 12)
    slow = Deadlines.model_validate({"urgency_2": {"accept": 600, "arrive": 600}})
    street.world = replace(street.world, rules=street.world.rules.model_copy(update={"deadlines": slow}))
    with street.context() as ctx:
        start = periods.at(ctx, MONDAY)
        late = figures(ctx, "", Period(start, start + timedelta(hours=10, minutes=30)))
        accepted = figures(ctx, "", Period(start, start + timedelta(hours=11, minutes=30)))
    assert (late.total.overdue, accepted.total.overdue) == (1, 0)


def test_it_is_compared_with_the_same_weekday_of_the_weeks_before(street: Street) -> None:
    for week, reports in enumerate((2, 0, 1)):
        at(street, 7 * week)
        for number in range(reports):
            street.say("river", f"wxid_{week}{number}", f"石梯坎{number}号水管爆了")
    at(street, 21, 23)
    found = told(street, day(21))
    # The bot began on the first of these days: that day is not whole.
    assert (found.usual.weeks, found.usual.opened, found.usual.open) == (2, 0.5, 2.5)
    assert found.label("service").usual == found.usual


def test_the_ninetieth_percentile_is_by_nearest_rank() -> None:
    assert durations(range(1, 11)) == Durations(10, 5.5, 9)
    assert durations([7]) == Durations(1, 7, 7)
    assert durations([]) == Durations()


def test_areas_add_up_and_an_area_sees_only_its_own(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("stairs", "peng", "石梯坎3号水管爆了")
    street.say("couriers", "xiong", "二码头路灯坏了")
    found = told(street, MONDAY)
    assert sum((load.counts for load in found.areas), Counts()) == found.total
    assert {load.name: load.counts.open for load in found.areas} == {
        "江岸社区": 1,
        "石梯社区": 1,
        "朝天街道": 1,
    }
    assert told(street, MONDAY, area="CTM-01").total == Counts(opened=1, open=1)
    assert (found.helpers.courier_reports, found.helpers.courier_matters) == (1, 1)


def test_a_relabelled_one_was_not_right(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#改类 安全")
    street.say("stairs", "peng", "石梯坎3号水管爆了")
    found = told(street, MONDAY).judgement
    assert (dict(found.corrected), found.right) == ({"relabel": 1}, Share(1, 2, 0))


def test_a_group_is_told_as_quiet_and_as_lost_once(street: Street) -> None:
    street.say("river", "tang", "大家早")
    at(street, 5)
    with street.context() as ctx:
        ctx.session.add(
            Room(account=ACCOUNT, id="stairs", present=False, first_seen_at=ctx.now, left_at=ctx.now)
        )
    found = {number: [one.loss for one in told(street, day(number)).groups] for number in range(6)}
    assert {number: losses for number, losses in found.items() if losses} == {3: [Loss.QUIET], 5: [Loss.LOST]}


def test_promises_are_those_until_the_end_of_tomorrow(street: Street) -> None:
    street.say("river", "tang", "江岸大厦负二楼车库进水了")
    street.say("river", "zhou", "#到场")  # to be solved within 24 hours
    at(street, 0, 18, 30)
    with street.context() as ctx:
        evening = of_window(ctx, "", periods.window(ctx, DigestKind.EVENING, MONDAY))
        morning = of_window(ctx, "", periods.window(ctx, DigestKind.MORNING, MONDAY))
    assert (evening.promises, morning.promises) == (1, 0)
    assert evening.promised[0].number == "CTM0713-001"


def test_the_board_counts_the_same(street: Street) -> None:
    for number in range(5):
        street.say("river", f"wxid_{number}", f"石梯坎{number}号水管爆了")
        street.clock.move(hours=7)
    street.say("river", "zhou", "#办结 1 修好了")
    found = told(street, MONDAY, day(3)).total
    with street.reading() as session:
        shown = board(session, Filter(), street.clock(), number=1, size=1).tickets.total
        late = board(session, Filter(overdue=True), street.clock(), number=1, size=1).tickets.total
    assert (found.open, found.overdue) == (shown, late)
