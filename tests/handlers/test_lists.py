"""The two lists: what is grouped, what counts, and within which days and areas."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from handlers import lists
from handlers.context import Context
from handlers.kinds import Sort
from handlers.lists import Asked, Group
from storage.database import Database
from tests.storage.rows import NOON, ago, keep, message, report, ticket
from tests.support.street import make_world

WORLD = make_world()


def lamp(**more: Any) -> Any:
    return ticket(**({"label": "service", "place": "江岸大厦", "summary": "楼道灯不亮"} | more))


def found(database: Database, asked: Asked | None = None, sort: Sort = Sort.FACILITY) -> list[Group]:
    with database.reading() as session:
        return lists.groups(Context(session, NOON, WORLD), sort, asked or Asked())


def test_matters_of_one_place_and_kind_are_one_line(database: Database) -> None:
    first = lamp(opened_at=ago(days=3), state="closed", resolution="fixed", closed_at=ago(days=2))
    second = lamp(place="江岸楼3楼", opened_at=ago(hours=2), state="accepted", recurring=True)
    other = lamp(place="滨江路12号", opened_at=ago(hours=1))
    told = [message(sender=name, sent_at=at) for name, at in (("a", ago(hours=2)), ("b", ago(minutes=5)))]
    keep(database, first, second, other, *told)
    keep(database, *(report(second, said) for said in told))
    one, two = found(database)
    assert (one.place, one.kind.name, one.tickets, one.open, one.reports) == ("江岸大厦", "路灯照明", 2, 1, 3)
    assert (one.first, one.last) == (ago(days=3), ago(minutes=5))
    assert (one.standing, one.latest, one.recurring) == ("accepted", second.number, True)
    assert (two.place, two.tickets) == ("滨江路12号", 1)


def test_what_is_no_matter_of_its_own_is_in_no_list(database: Database) -> None:
    kept = lamp()
    gone = [
        lamp(state="closed", closed_at=NOON, resolution=how)
        for how in ("duplicate", "false_alarm", "withdrawn")
    ]
    keep(database, kept, *gone, ticket(label="dispute", summary="路灯太亮，吵起来了"))
    assert [group.tickets for group in found(database)] == [1]
    assert found(database, sort=Sort.SERVICE) == []


def test_a_matter_is_in_the_list_of_each_day_on_which_it_was_open(database: Database) -> None:
    """Days are the street's: 2026-07-12 04:00 UTC is noon there, 16:00 UTC the next midnight."""
    midnight = datetime(2026, 7, 12, 16, tzinfo=NOON.tzinfo)
    closed = {"state": "closed", "resolution": "fixed"}
    keep(
        database,
        lamp(place="甲路", opened_at=midnight - timedelta(seconds=1), closed_at=midnight, **closed),
        lamp(place="乙路", opened_at=midnight),
        lamp(place="丙路", opened_at=ago(days=9), closed_at=ago(days=2), **closed),
    )

    def on(day: int) -> set[str]:
        asked = Asked(start=date(2026, 7, day), end=date(2026, 7, day))
        return {group.place for group in found(database, asked)}

    assert on(12) == {"甲路"}
    assert on(13) == {"甲路", "乙路"}
    assert on(10) == {"丙路"}
    assert on(11) == set()


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (Asked(), {"滨江路", "石梯坎", "民宿街"}),
        (Asked(area="CTM-02"), {"石梯坎", "民宿街"}),
        (Asked(area="CTM-02", within=("CTM-0201",)), {"石梯坎"}),
        (Asked(within=()), set()),
        (Asked(area="gone"), set()),
        (Asked(kind="lift"), {"石梯坎"}),
        (Asked(label="safety"), {"民宿街"}),
        (Asked(label="dispute"), set()),
        (Asked(state="open"), {"滨江路", "石梯坎"}),
        (Asked(state="closed"), {"民宿街"}),
        (Asked(state="explained"), {"民宿街"}),
    ],
)
def test_filters(database: Database, asked: Asked, wanted: set[str]) -> None:
    keep(
        database,
        lamp(place="滨江路"),
        lamp(place="石梯坎", area="CTM-0201", summary="电梯坏了"),
        lamp(place="民宿街", area="CTM-0202", label="safety", state="closed", closed_at=NOON,
             resolution="explained"),
    )  # fmt: skip
    assert {group.place for group in found(database, asked)} == wanted
    assert Asked.of_json(asked.as_json()) == asked


def test_asked_goes_through_json() -> None:
    asked = Asked(date(2026, 7, 1), date(2026, 7, 31), "CTM", "flood", "open", "lift", ("CTM",), ("CTM-01",))
    assert Asked.of_json(asked.as_json()) == asked
    assert Asked.of_json({}) == Asked()
    assert Asked().as_json() == {}
    # To see no area is something else than to see all.
    assert Asked.of_json(replace(asked, within=()).as_json()).within == ()


@pytest.mark.parametrize(
    ("place", "summary", "wanted"),
    [
        ("江岸大厦负二楼车库", "进水了", "江岸大厦"),
        ("江岸楼", "灯坏了", "江岸大厦"),
        ("石梯坎大梯道", "灯坏了", "石梯坎大梯道"),
        ("滨江路12号", "灯坏了", "滨江路12号"),
        ("幸福小区3栋2单元501", "灯坏了", "幸福小区3栋"),
        ("人和街23号4-2", "灯坏了", "人和街23号"),
        ("3楼", "江岸大厦3楼灯坏了", "江岸大厦"),
        ("门口", "灯坏了", ""),
        ("", "灯坏了", ""),
    ],
)
def test_places(database: Database, place: str, summary: str, wanted: str) -> None:
    with database.reading() as session:
        assert lists.place_of(Context(session, NOON, WORLD), place, summary) == wanted


def test_the_kinds_are_counted(database: Database) -> None:
    keep(database, lamp(), lamp(place="滨江路"), lamp(place="码头", summary="电梯坏了", state="closed",
                                                  closed_at=NOON, resolution="fixed"))  # fmt: skip
    counted = [(kind.code, count, still) for kind, count, still in lists.by_kind(found(database))]
    assert counted == [("lamp", 2, 2), ("lift", 1, 0)]
