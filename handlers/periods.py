"""How long, as people write it: 2天, 4小时, 半天, 一天半, 到周五, 到7月20日 12:00."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from handlers.workdays import TimeCount, WorkingTime

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_UNITS = {
    "分钟": "minute", "分": "minute", "小时": "hour", "钟头": "hour", "h": "hour",
    "工作日": "day", "天": "day", "日": "day", "d": "day",
    "星期": "week", "礼拜": "week", "周": "week",
}  # fmt: skip
_AMOUNT = re.compile(
    r"(?P<number>半|\d{1,3}(?:\.\d{1,2})?|[零〇一二两三四五六七八九十]{1,3})\s*个?(?P<and_half>半)?"
    rf"(?P<unit>{'|'.join(_UNITS)})(?![号月])(?P<half>半)?",
    re.ASCII | re.IGNORECASE,
)
_DAY = (
    r"(?P<near>今天|今日|明天|明日|大后天|后天)"
    r"|(?P<next>下*)(?:个)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天末])"
    r"|(?P<month_end>本?月底)"
    r"|(?:(?P<year>\d{4})[年.-])?(?P<month>\d{1,2})[月.-](?P<day>\d{1,2})[日号]?"
    r"|(?P<day_only>\d{1,2})[日号]"
)
_HOUR = r"(?P<part>上午|中午|下午|晚上)?(?:(?P<hour>\d{1,2})(?:[:：](?P<minute>\d\d)|[点时](?P<past>半)?))?"
_UNTIL = re.compile(rf"[到至](?:{_DAY})?\s*{_HOUR}", re.ASCII)
_NEAR = {"今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3}
_PARTS = {"上午": time(12), "中午": time(12), "下午": time(18), "晚上": time(21)}
_BETWEEN = " \t\n　,，:：。.、;；"


@dataclass(frozen=True, slots=True)
class Period:
    """`words` as written; either an amount or an instant; `rest` is what follows."""

    words: str
    rest: str
    number: float = 0
    unit: str = ""  # minute, hour, day or week
    until: datetime | None = None

    def minutes(self, count: TimeCount, since: datetime) -> float:
        """Minutes of that time, counted from `since` where an instant is named."""
        if self.until is not None:
            return count.between(since, self.until)
        week = 5 if isinstance(count, WorkingTime) else 7
        day = count.day_minutes
        return self.number * {"minute": 1, "hour": 60, "day": day, "week": day * week}[self.unit]


def read(text: str, now: datetime, work: WorkingTime) -> Period | None:
    """The period that the text begins with. A day without an hour means the end of its working hours."""
    text = text.strip(_BETWEEN)
    if (found := _AMOUNT.match(text)) is not None:
        number = _number(found["number"]) + (0.5 if found["and_half"] or found["half"] else 0)
        unit = _UNITS[found["unit"].lower()]
        return Period(found[0], text[found.end() :].strip(_BETWEEN), number, unit)
    found = _UNTIL.match(text)
    if found is None or len(found[0]) == 1:
        return None
    until = _instant(found, now.astimezone(work.zone), work)
    return Period(found[0].strip(), text[found.end() :].strip(_BETWEEN), until=until) if until else None


def _number(words: str) -> float:
    """3, 2.5, 半, 三, 十, 十二, 二十一."""
    if words == "半":
        return 0.5
    if words[0].isdigit():
        return float(words)
    tens, ten, ones = words.rpartition("十")
    return (_DIGITS.get(tens[-1:], 1) * 10 if ten else 0) + _DIGITS.get(ones[-1:], 0)


def _instant(found: re.Match[str], now: datetime, work: WorkingTime) -> datetime | None:
    """None for a day that does not exist."""
    try:
        day = _day(found, now.date())
        clock = _clock(found)
    except ValueError:
        return None
    return work.end_of(day) if clock is None else datetime.combine(day, clock, work.zone)


def _day(found: re.Match[str], today: date) -> date:
    if found["near"]:
        return today + timedelta(days=_NEAR[found["near"]])
    if found["weekday"]:
        wanted = 6 if found["weekday"] in "日天末" else "一二三四五六".index(found["weekday"])
        if found["next"]:
            monday = today - timedelta(days=today.weekday())
            return monday + timedelta(days=7 * len(found["next"]) + wanted)
        return today + timedelta(days=(wanted - today.weekday()) % 7)
    if found["month_end"]:
        return today.replace(day=calendar.monthrange(today.year, today.month)[1])
    if found["month"]:
        named = date(int(found["year"] or today.year), int(found["month"]), int(found["day"]))
        return named if found["year"] or named >= today else named.replace(year=today.year + 1)
    if found["day_only"]:
        number = int(found["day_only"])
        first = today.replace(day=1)
        month = first if number >= today.day else (first + timedelta(days=31)).replace(day=1)
        return month.replace(day=number)
    return today


def _clock(found: re.Match[str]) -> time | None:
    if found["hour"] is None:
        return _PARTS[found["part"]] if found["part"] else None
    hour, minute = int(found["hour"]), int(found["minute"] or (30 if found["past"] else 0))
    later = found["part"] in {"下午", "晚上"} and hour < 12
    return time(hour + 12 if later else hour, minute)
