"""How alike two reports are: another report of the same matter, or another matter."""

from collections.abc import Iterator

import pytest

from storage.database import Database
from tests.support.street import Street


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


# first (group, who, text), minutes later, second, one matter?
PAIRS = [
    (("river", "tang", "江岸大厦进水了"), 1, ("river", "甲", "江岸大厦进水好深"), True),
    (("river", "tang", "江岸大厦进水了"), 1, ("river", "甲", "江岸大厦负二楼车库进水"), True),
    (("river", "tang", "江岸大厦进水了"), 5, ("river", "tang", "水深到膝盖了"), True),
    (("river", "tang", "江岸大厦进水了"), 1, ("river", "甲", "二码头进水了"), False),
    (("river", "tang", "江岸大厦进水了"), 1, ("river", "甲", "江岸大厦电线掉了"), False),
    (("stairs", "peng", "石梯坎3号水管爆了"), 1, ("stairs", "甲", "石梯坎5号水管爆了"), False),
    (("river", "tang", "江岸大厦进水了"), 1, ("couriers", "xiong", "江岸大厦进水了"), True),
    (("couriers", "xiong", "江岸大厦进水了"), 1, ("river", "tang", "江岸大厦进水了"), True),
    (("river", "tang", "门口进水了"), 1, ("couriers", "xiong", "门口进水了"), False),
    (("river", "tang", "江岸大厦进水了"), 1, ("stairs", "peng", "江岸大厦进水了"), True),
    (("river", "tang", "江岸大厦进水了"), 7 * 60, ("river", "甲", "江岸大厦进水了"), False),
    (("", "tang", "门口路灯坏了"), 1, ("", "peng", "门口路灯坏了"), False),
    (("", "tang", "江岸大厦进水了"), 1, ("river", "甲", "江岸大厦进水了"), True),
    (("river", "tang", "门口路灯坏了"), 5, ("river", "tang", "#报 门口路灯坏了"), True),
    (("river", "tang", "门口路灯坏了"), 5, ("river", "甲", "#报 后门那边也想装路灯"), False),
    # Two matters, however close in time.
    (("river", "tang", "3栋进水了"), 1, ("river", "甲", "5栋进水了"), False),
    (("river", "tang", "三栋进水了"), 1, ("river", "甲", "３栋進水，进水好大"), True),
    (("river", "tang", "门口路灯坏了"), 25, ("river", "甲", "请问健康路的路灯好久修"), False),
    (("river", "tang", "水管爆了"), 0, ("river", "甲", "楼下两家吵架"), False),
    (("river", "tang", "门口路灯坏了"), 24 * 60, ("river", "甲", "门口路灯坏了"), False),
    (("river", "tang", "二楼吵架"), 5 * 60, ("river", "甲", "又在吵架"), False),
    (("river", "tang", "1号路灯坏了"), 1, ("river", "甲", "2号路灯坏了"), False),
    (("river", "tang", "门口路灯坏了"), 6, ("river", "甲", "这边也冒烟了"), False),
    (("river", "tang", "二楼冒烟"), 2, ("couriers", "甲", "有人被困，快来"), False),
    # One matter, told on.
    (("river", "tang", "二楼冒烟"), 2, ("river", "甲", "我也看到了，在冒烟"), True),
    (("river", "tang", "二楼冒烟"), 2, ("river", "tang", "冒烟更大了"), True),
    (("river", "tang", "3栋水管爆了"), 1, ("river", "甲", "5栋也一样，水管在喷"), True),
    (("river", "tang", "二楼吵架"), 3, ("river", "甲", "还在吵，两边打起来了"), True),
    (("river", "tang", "水管爆了"), 40, ("river", "tang", "水管还在喷，没人来"), True),
]


@pytest.mark.parametrize(("first", "minutes", "second", "same"), PAIRS)
def test_pairs(
    street: Street, first: tuple[str, str, str], minutes: int, second: tuple[str, str, str], same: bool
) -> None:
    street.say(*first)
    street.clock.move(minutes=minutes)
    street.say(*second)
    assert len(street.tickets()) == (1 if same else 2)


def test_a_second_group_is_told_and_its_next_word_joins(street: Street) -> None:
    street.say("river", "tang", "江岸大厦进水了")
    street.say("couriers", "xiong", "江岸大厦进水了")
    street.say("couriers", "甲", "进水了进水了，进水越来越深")
    assert len(street.tickets()) == 1
    assert {reply.room for reply in street.say("river", "zhou", "#接单")} == {"river", "couriers"}


def test_what_is_closed_is_not_joined(street: Street) -> None:
    street.say("river", "tang", "江岸大厦进水了")
    street.say("river", "zhou", "#办结 抽干了")
    street.say("river", "甲", "江岸大厦进水了")
    assert len(street.tickets()) == 2
