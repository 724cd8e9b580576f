"""Which number is named."""

import pytest

from handlers.hotlines import hotline


@pytest.mark.parametrize(
    ("label", "text", "wanted"),
    [
        ("flood", "江岸大厦车库有人被困", "119"),
        ("flood", "水涨上来了", "119"),
        ("safety", "3楼着火了", "119"),
        ("safety", "闻到煤气味", "119"),
        ("safety", "电梯困人", "119"),
        ("safety", "老人晕倒喊不答应", "120"),
        ("safety", "小孩不见了", "110"),
        ("safety", "有人被车撞了", "120"),
        ("safety", "有个男的拿刀在门口", "110"),
        ("safety", "着火了，有人烫伤", "119和120"),
        ("safety", "不好了", "119、110或120"),
        ("dispute", "两家打起来了", "110"),
        ("dispute", "打起来了，头都打破了在流血", "110和120"),
        ("service", "救命", "110"),
        ("safety", "火锅店有人噎到了", "120"),
    ],
)
def test_numbers(label: str, text: str, wanted: str) -> None:
    assert set(hotline(label, text).split("和")) == set(wanted.split("和"))


def test_smoking_is_no_fire() -> None:
    assert hotline("dispute", "楼道抽烟闹事打起来了") == "110"
    assert hotline("safety", "楼道有烟") == "119"
