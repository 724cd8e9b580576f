"""The street's working time: which instants count for routine matters, and arithmetic in it.

Public holidays and make-up working days of mainland China come from the `chinesecalendar` package, which
knows the years whose plan the State Council has published; of other years it is Monday to Friday that work.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import chinese_calendar
from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_SPAN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)", re.ASCII)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)

Span = tuple[time, time]


def _span(value: Any) -> Any:
    """ "08:00-12:00" """
    if not isinstance(value, str):
        return value
    found = _SPAN.fullmatch(value.strip())
    if found is None:
        raise ValueError("must be HH:MM-HH:MM")
    return time.fromisoformat(found[1]), time.fromisoformat(found[2])


def _in_order(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Within one day, one after the other."""
    edges = [edge for span in spans for edge in span]
    if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
        raise ValueError("must be one span or more of one day, each later than the one before")
    return spans


Hours = Annotated[
    tuple[Annotated[Span, BeforeValidator(_span)], ...],
    AfterValidator(_in_order),
    PlainSerializer(lambda spans: [f"{start:%H:%M}-{end:%H:%M}" for start, end in spans]),
]
# What 数字城管 publishes: eight hours, which make a day of its time limits.
USUAL: tuple[Span, ...] = ((time(8), time(12)), (time(14), time(18)))


def known(year: int) -> bool:
    """Whether the holidays of that year are known; else weekends are all that is taken off."""
    return bool(min(_YEARS) <= year <= max(_YEARS))


_YEARS = {day.year for day in chinese_calendar.holidays}


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The working hours in their zone. Instants are aware; what comes back is in UTC.

    An instant is within working time also at the very end of a span: there ends what began in it.
    """

    zone: ZoneInfo
    spans: tuple[Span, ...] = USUAL

    @property
    def day_minutes(self) -> float:
        """Minutes of one working day."""
        anchor = date(2000, 1, 1)
        parts = (datetime.combine(anchor, end) - datetime.combine(anchor, start) for start, end in self.spans)
        return sum(parts, timedelta()) / _MINUTE

    def within(self, instant: datetime) -> bool:
        return any(start <= instant <= end for start, end in self._of(instant.astimezone(self.zone).date()))

    def add(self, start: datetime, minutes: float) -> datetime:
        """The first instant of working time, from `start` on, by which so much of it has passed."""
        left = timedelta(minutes=minutes)
        for opens, closes in self._from(start):
            begin = max(opens, start)
            if closes - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= closes - begin
        raise OverflowError("beyond the calendar")

    def back(self, end: datetime, minutes: float) -> datetime:
        """The last instant of working time, up to `end`, since which so much of it has passed."""
        left = timedelta(minutes=minutes)
        for opens, closes in self._until(end):
            finish = min(closes, end)
            if finish - opens >= left:
                return (finish - left).astimezone(UTC)
            left -= finish - opens
        raise OverflowError("beyond the calendar")

    def between(self, start: datetime, end: datetime) -> float:
        """Minutes of working time from `start` to `end`; none where `end` comes first."""
        passed = timedelta()
        for opens, closes in self._from(start):
            if max(opens, start) >= end:
                break
            passed += min(closes, end) - max(opens, start)
        return passed / _MINUTE

    def end_of(self, day: date) -> datetime:
        """When work ends on that day, were it a working day."""
        return datetime.combine(day, self.spans[-1][1], self.zone).astimezone(UTC)

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Spans that end at `start` or later, in order."""
        day = start.astimezone(self.zone).date()
        while True:
            yield from (span for span in self._of(day) if span[1] >= start)
            day += _DAY

    def _until(self, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Spans that begin at `end` or earlier, the latest first."""
        day = end.astimezone(self.zone).date()
        while True:
            yield from (span for span in reversed(self._of(day)) if span[0] <= end)
            day -= _DAY

    def _of(self, day: date) -> list[tuple[datetime, datetime]]:
        if not is_working_day(day):
            return []
        return [(self._at(day, start), self._at(day, end)) for start, end in self.spans]

    def _at(self, day: date, clock: time) -> datetime:
        """In UTC: differences of local instants pass over a change of the clocks."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class AllTime:
    """Every minute counts: the same arithmetic where nights and holidays are no excuse."""

    day_minutes: float = 24 * 60

    def within(self, instant: datetime) -> bool:
        return True

    def add(self, start: datetime, minutes: float) -> datetime:
        return start + timedelta(minutes=minutes)

    def back(self, end: datetime, minutes: float) -> datetime:
        return end - timedelta(minutes=minutes)

    def between(self, start: datetime, end: datetime) -> float:
        return max(end - start, timedelta()) / _MINUTE


TimeCount = WorkingTime | AllTime
