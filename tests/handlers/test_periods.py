"""How long people say that something will take."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.periods import read
from handlers.workdays import AllTime, WorkingTime
from tests.support.street import ZONE

WORK = WorkingTime(ZONE)
NOW = datetime(2026, 7, 13, 10, 0, tzinfo=ZONE)  # a Monday


@pytest.mark.parametrize(
    ("text", "working", "always"),
    [
        ("2天 等配件", 960, 2880),
        ("两天，等配件", 960, 2880),
        ("2 个工作日 等配件", 960, 2880),
        ("半天 等配件", 240, 720),
        ("一天半 等配件", 720, 2160),
        ("1.5天 等配件", 720, 2160),
        ("4小时 等配件", 240, 240),
        ("半小时等配件", 30, 30),
        ("半个小时 等配件", 30, 30),
        ("一个半小时 等配件", 90, 90),
        ("20分钟：等配件", 20, 20),
        ("十二个小时 等配件", 720, 720),
        ("二十天 等配件", 9600, 28800),
        ("一周 等配件", 2400, 10080),
        ("1个星期 等配件", 2400, 10080),
        ("3d 等配件", 1440, 4320),
    ],
)
def test_amounts(text: str, working: float, always: float) -> None:
    found = read(text, NOW, WORK)
    assert found is not None
    assert found.rest == "等配件"
    assert found.minutes(WORK, NOW) == working
    assert found.minutes(AllTime(), NOW) == always


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("到周五 等配件", "07-17 18:00"),
        ("到星期五 等配件", "07-17 18:00"),
        ("到周一 等配件", "07-13 18:00"),
        ("到下周一 等配件", "07-20 18:00"),
        ("到下下周三 等配件", "07-29 18:00"),
        ("到周日 等配件", "07-19 18:00"),
        ("到7月20日 等配件", "07-20 18:00"),
        ("至7月20号 等配件", "07-20 18:00"),
        ("到20号 等配件", "07-20 18:00"),
        ("到5号 等配件", "08-05 18:00"),
        ("到2026-07-20 等配件", "07-20 18:00"),
        ("到7.20 等配件", "07-20 18:00"),
        ("到明天 等配件", "07-14 18:00"),
        ("到明天中午，等配件", "07-14 12:00"),
        ("到后天下午3点 等配件", "07-15 15:00"),
        ("到大后天 等配件", "07-16 18:00"),
        ("到周五上午10点半 等配件", "07-17 10:30"),
        ("到晚上8点 等配件", "07-13 20:00"),
        ("到17:30 等配件", "07-13 17:30"),
        ("到月底 等配件", "07-31 18:00"),
    ],
)
def test_instants(text: str, wanted: str) -> None:
    found = read(text, NOW.astimezone(UTC), WORK)
    assert found is not None and found.until is not None
    assert f"{found.until.astimezone(ZONE):%m-%d %H:%M}" == wanted
    assert found.rest == "等配件"


def test_a_day_that_is_over_is_next_year() -> None:
    found = read("到3月1日 等配件", NOW, WORK)
    assert found is not None and found.until is not None
    assert found.until.year == 2027


def test_counted_from_the_deadline() -> None:
    found = read("到周二", NOW, WORK)
    assert found is not None
    assert (found.minutes(WORK, NOW), found.minutes(AllTime(), NOW)) == (360 + 480, 32 * 60)
    assert found.minutes(WORK, datetime(2026, 7, 15, 9, 0, tzinfo=ZONE)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "等配件",
        "到",
        "到货就办",
        "再等等",
        "到2月30日 等",
        "到13月1日",
        "到25:00",
        "3号楼停水",
        "天",
        "个天",
    ],
)
def test_what_names_no_time(text: str) -> None:
    assert read(text, NOW, WORK) is None


@given(st.text(max_size=20), st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)))  # noqa: DTZ001
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_reads_whatever_is_typed(text: str, at: datetime) -> None:
    now = at.replace(tzinfo=UTC)
    for typed in (text, f"到{text}", f"3{text}", f"到1月{text}", f"到{at.day}号{text}"):
        found = read(typed, now, WORK)
        if found is not None:
            assert found.minutes(WORK, now) >= 0
            assert found.minutes(AllTime(), now) >= 0
