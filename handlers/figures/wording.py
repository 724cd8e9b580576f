"""Figures in words, the same in chat and picture."""

from datetime import datetime, timedelta

from handlers.figures.model import Counts, Period


def period_of(period: Period) -> str:
    """7月11日 18:00 – 7月12日 18:00, in the zone of its start; whole days without clock times."""
    start = period.start
    end = period.end.astimezone(start.tzinfo)
    if (start.hour, start.minute) == (end.hour, end.minute) == (0, 0) and end > start:
        last = end - timedelta(days=1)
        return _day(start) if last.date() == start.date() else f"{_day(start)} – {_day(last)}"
    if start.date() == end.date():
        return f"{_day(start)} {start:%H:%M} – {end:%H:%M}"
    return f"{_day(start)} {start:%H:%M} – {_day(end)} {end:%H:%M}"


def _day(at: datetime) -> str:
    return f"{at.month}月{at.day}日"


def counts_of(counts: Counts) -> dict[str, int]:
    """For a template."""
    return {
        "opened": counts.opened,
        "closed": counts.closed,
        "open": counts.open,
        "overdue": counts.overdue,
    }


def number(count: float) -> str:
    """12; 12.5 of a mean."""
    return f"{count:.1f}".removesuffix(".0")
