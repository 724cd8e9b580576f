"""How long, as people write it: 2小时, 一个半小时, 30分钟, 到22:00, 到明天8点."""

import re
from datetime import datetime, timedelta

_NUMBER = r"\d{1,3}(?:\.\d)?|[一二两三四五六七八九十]{1,3}"
_SPAN = re.compile(
    rf"(?:(?P<days>{_NUMBER})天)?"
    rf"(?:(?P<hours>{_NUMBER})个?(?P<half>半)?(?:小时|钟头|h))?"
    rf"(?:(?P<minutes>{_NUMBER})(?:分钟|分|min|m))?",
    re.IGNORECASE,
)
_HALF = {"半小时": timedelta(minutes=30), "半个小时": timedelta(minutes=30), "半天": timedelta(hours=12)}
_CLOCK = re.compile(
    r"(?P<until>[到至])?(?P<tomorrow>明天|明早|明)?(?P<hour>\d{1,2})"
    r"(?::(?P<minute>\d{2})|点(?:(?P<half>半)|(?P<past>\d{1,2})分?)?)"
)
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}


def end_of(text: str, local: datetime) -> datetime | None:
    """When it is over, counted from `local` (aware, street's zone); None for what is no time."""
    said = "".join(text.split()).replace("：", ":").rstrip("。.!！前止")
    if said in _HALF:
        return local + _HALF[said]
    if found := _CLOCK.fullmatch(said):
        return _clock(found, local)
    found = _SPAN.fullmatch(said)
    if found is None or not any(found.group("days", "hours", "minutes")):
        return None
    days, hours, minutes = (_value(found[name] or "0") for name in ("days", "hours", "minutes"))
    span = timedelta(days=days, hours=hours + (0.5 if found["half"] else 0), minutes=minutes)
    return local + span if span else None


def _clock(found: re.Match[str], local: datetime) -> datetime | None:
    hour, minute = int(found["hour"]), int(found["minute"] or found["past"] or (30 if found["half"] else 0))
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    then = midnight + timedelta(hours=hour, minutes=minute)
    if found["tomorrow"]:
        return then + timedelta(days=1)
    return then if then > local else then + timedelta(days=1)


def _value(number: str) -> float:
    """2, 1.5, 两, 十二, 二十."""
    if number[0].isdigit():
        return float(number)
    tens, ten, ones = number.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)
