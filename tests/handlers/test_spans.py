"""How long, as people write it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from handlers.spans import end_of

TEN = datetime(2026, 7, 13, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2小时", 120),
        ("2 小时", 120),
        ("两个小时", 120),
        ("1.5小时", 90),
        ("一个半小时", 90),
        ("半小时", 30),
        ("半天", 720),
        ("30分钟", 30),
        ("45分", 45),
        ("1小时30分", 90),
        ("十二小时", 720),
        ("二十分钟", 20),
        ("2h", 120),
        ("15MIN", 15),
        ("1天", 1440),
        ("到22:00", 720),
        ("到22：00", 720),
        ("22:00", 720),
        ("到22点", 720),
        ("到10点半", 30),
        ("到10点20分", 20),
        ("到9点", 23 * 60),
        ("到24点", 840),
        ("到明天8点", 22 * 60),
        ("到明早8:00", 22 * 60),
    ],
)
def test_spans(text: str, minutes: int) -> None:
    assert end_of(text, TEN) == TEN + timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "一会儿", "小时", "0小时", "到25点", "到9:70", "2", "9999小时", "下周"])
def test_what_is_no_time(text: str) -> None:
    assert end_of(text, TEN) is None
