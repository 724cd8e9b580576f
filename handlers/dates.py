"""Days that are past, as people name them: 昨天, 上周, 上周五, 本月, 最近7天, 7月12日, 7月1日到5日, 6月."""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "半": 0.5}
_WEEK = r"(?:个?(?:周|星期|礼拜))"
_ONE = re.compile(
    r"(?P<near>今天|今日|昨天|昨日|前天)"
    rf"|(?P<week>本|这|上上|上)?{_WEEK}(?P<weekday>[一二三四五六日天])"
    rf"|(?P<weeks>本|这|上上|上){_WEEK}"
    r"|(?P<months>本|这|上)个?月"
    r"|(?P<year>今年|去年)(?!\d)"
    rf"|(?:最近|近|过去)(?P<many>\d{{1,3}}|[一二两三四五六七八九十半]{{1,3}})(?P<unit>天|日|个月|月|年|{_WEEK})"
    r"|(?:(?P<in_year>\d{4})年)?(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})[日号]?"
    r"(?:[到至~-](?:(?P<till_month>\d{1,2})月)?(?P<till>\d{1,2})[日号]?)?|份?)"
)
_NEAR = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2}
_AGO = {"本": 0, "这": 0, "上": 1, "上上": 2}
Found = re.Match[str]


def days_in(text: str, today: date) -> tuple[str, tuple[date, date]] | None:
    """The days that the text begins with, as written and as (first, last); None for none, or no such day."""
    found = _ONE.match(text)
    if found is None:
        return None
    try:
        first, last = _HOW[str(found.lastgroup)](found, today)
    except (ValueError, OverflowError):
        return None
    return (found[0], (first, last)) if first <= last else None


def _near(found: Found, today: date) -> tuple[date, date]:
    day = today - timedelta(days=_NEAR[found["near"]])
    return day, day


def _weekday(found: Found, today: date) -> tuple[date, date]:
    """周五 is the last one that came."""
    number = 6 if found["weekday"] in "日天" else "一二三四五六".index(found["weekday"])
    if found["week"] is None:
        day = today - timedelta(days=(today.weekday() - number) % 7)
    else:
        day = today - timedelta(days=today.weekday() + 7 * _AGO[found["week"]] - number)
    return day, day


def _week(found: Found, today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday() + 7 * _AGO[found["weeks"]])
    return monday, monday + timedelta(days=6)


def _whole_month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _month(found: Found, today: date) -> tuple[date, date]:
    if _AGO[found["months"]]:
        today = today.replace(day=1) - timedelta(days=1)
    return _whole_month(today.year, today.month)


def _year(found: Found, today: date) -> tuple[date, date]:
    year = today.year - (found["year"] == "去年")
    return date(year, 1, 1), date(year, 12, 31)


def _last(found: Found, today: date) -> tuple[date, date]:
    """最近7天: today among them."""
    unit = found["unit"]
    length = 1 if unit in "天日" else 30 if "月" in unit else 365 if unit == "年" else 7
    return today - timedelta(days=max(1, round(_number(found["many"]) * length)) - 1), today


def _named(found: Found, today: date) -> tuple[date, date]:
    """A day or month without a year is the last one that came."""
    month = int(found["month"])
    year = int(found["in_year"] or today.year)
    if found["day"] is None:
        first, last = _whole_month(year, month)
        return (first, last) if found["in_year"] or first <= today else _whole_month(year - 1, month)
    first = date(year, month, int(found["day"]))
    last = date(year, int(found["till_month"] or month), int(found["till"])) if found["till"] else first
    if first <= today or found["in_year"]:
        return first, last
    return first.replace(year=year - 1), last.replace(year=last.year - 1)


def _number(words: str) -> float:
    if words[0].isdigit():
        return float(words)
    tens, ten, ones = words.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)


_HOW: dict[str, Callable[[Found, date], tuple[date, date]]] = {
    "near": _near,
    "weekday": _weekday,
    "weeks": _week,
    "months": _month,
    "year": _year,
    "unit": _last,
    **dict.fromkeys(("month", "day", "till"), _named),
}
