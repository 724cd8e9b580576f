"""Known places: what is written, what is meant, and whether two texts name one place."""

import pytest

from handlers.gazetteer import Entry, Gazetteer, Landmark, Relation, canonical, claims, numbers, spot

RIVER, STAIRS = Entry("滨江路", "R"), Entry("石梯坎", "S")
TOWER, STEPS = Entry("江岸大厦", "R"), Entry("石梯坎大梯道", "S")
DOCK = Entry("三号码头", "R")
PLACES = Gazetteer(
    [
        ("滨江路", RIVER),
        ("江岸大厦", TOWER),
        ("江岸楼", TOWER),
        ("石梯坎", STAIRS),
        ("石梯坎大梯道", STEPS),
        ("三号码头", DOCK),
    ]
)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("三栋", "3栋"),
        ("３棟二單元", "3栋2单元"),
        ("负二楼", "-2楼"),
        ("负2层", "-2楼"),
        ("B2", "-2楼"),
        ("二十三楼", "23楼"),
        ("十号楼", "10号楼"),
        ("一〇二", "一〇二"),
        ("第三次说了", "第三次说了"),
    ],
)
def test_one_way_of_writing(written: str, same: str) -> None:
    assert canonical(written) == same


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("江岸大廈負二樓進水了", [TOWER]),
        ("江岸楼停电", [TOWER]),
        ("石梯坎大梯道滑得很", [STEPS]),
        ("滨江路到石梯坎都堵了", [RIVER, STAIRS]),
        ("3号码头涨水", [DOCK]),
        ("13号码头涨水", []),
        ("门口进水了", []),
    ],
)
def test_the_longest_name_is_found(text: str, entries: list[Entry]) -> None:
    assert PLACES.find(text) == entries


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3栋2单元漏水", {("house", 3), ("unit", 2)}),
        ("三号楼着火", {("house", 3)}),
        ("滨江路9号楼上漏水", {("number", 9)}),
        ("4-1-6 的", {("house", 4)}),
        ("1号电梯卡住了", {("电梯", 1)}),
        ("7号晚上丢的，6号上午还在", set()),
        ("说了38个人", set()),
        ("6楼有烟", set()),
    ],
)
def test_numbers_of_places(text: str, found: set[tuple[str, int]]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        (("江岸大厦进水", "江岸大厦"), ("江岸楼水好深", ""), Relation.SAME),
        (("江岸大厦进水", "江岸大厦"), ("石梯坎进水", "石梯坎"), Relation.APART),
        (("石梯坎3号水管爆了", "石梯坎3号"), ("石梯坎5号水管爆了", "石梯坎5号"), Relation.APART),
        (("3栋停水", "3栋"), ("我三栋的也停了", "三栋"), Relation.SAME),
        (("6楼冒烟", "6楼"), ("我7楼看到烟了", "7楼"), Relation.UNKNOWN),
        (("菜园坝下穿道积水", "菜园坝下穿道"), ("下穿道水更深了", "下穿道"), Relation.UNKNOWN),
        (("健康路塌了", "健康路"), ("枣子岚垭停水", "枣子岚垭"), Relation.STRANGE),
        (("门口路灯坏了", "门口"), ("路灯坏了", ""), Relation.UNKNOWN),
    ],
)
def test_whether_it_is_one_place(one: tuple[str, str], other: tuple[str, str], relation: Relation) -> None:
    assert spot(PLACES, *one).relation(spot(PLACES, *other)) is relation


def test_a_name_claimed_twice() -> None:
    landmarks = [
        ("R", Landmark(name="三号楼", aliases=("老楼",))),
        ("R", Landmark(name="老楼房", aliases=("老楼",))),
        ("S", Landmark(name="3号楼")),
    ]
    assert list(claims(landmarks)) == [("3号楼", "R", "S")]
