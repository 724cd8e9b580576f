"""Periods of the street: days from midnight to midnight in its zone, and what each digest covers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from handlers.context import Context
from handlers.figures.model import DigestKind, Period
from handlers.figures.rules import Digests

_WEEK = timedelta(days=7)
_INSTANT = timedelta(microseconds=1)
WEEKS = 4  # with how many weeks before a period is compared
DAYS = 14  # of how many days the course is told


@dataclass(frozen=True, slots=True)
class Window:
    """What a digest covers. due: when it is to be sent; ahead: in which the promises fall that it tells."""

    kind: DigestKind
    day: date
    due: datetime
    period: Period
    ahead: Period


def at(ctx: Context, day: date, clock: time = time()) -> datetime:
    """That time of the street's day; its midnight where none is named."""
    return datetime.combine(day, clock, ctx.world.zone)


def days(ctx: Context, first: date, last: date) -> Period:
    """Both counted in."""
    return Period(at(ctx, first), at(ctx, last + timedelta(days=1)))


def cut(ctx: Context, period: Period) -> Period:
    """Without what is still to come."""
    return Period(period.start, max(period.start, min(period.end, ctx.now)))


def window(ctx: Context, kind: DigestKind, day: date) -> Window:
    """The digest of that day; the weekly one is that of the week's Monday, about the week before it."""
    rules, before = ctx.rules.digests, day - timedelta(days=1)
    if kind is DigestKind.WEEKLY:
        day -= timedelta(days=day.weekday())
        monday = at(ctx, day)
        period, until = days(ctx, day - _WEEK, day - timedelta(days=1)), at(ctx, day + _WEEK)
        return Window(kind, day, at(ctx, day, rules.weekly_at), period, Period(monday, until))
    due = at(ctx, day, _clock(rules, kind))
    # What was open this morning is told with what came in the night; the evening tells of 24 hours.
    period = Period(at(ctx, before, rules.evening_at), due)
    ends = day + timedelta(days=1 if kind is DigestKind.MORNING else 2)
    return Window(kind, day, due, period, Period(due, at(ctx, ends)))


def _clock(rules: Digests, kind: DigestKind) -> time:
    return {
        DigestKind.MORNING: rules.morning_at,
        DigestKind.EVENING: rules.evening_at,
        DigestKind.WEEKLY: rules.weekly_at,
    }[kind]


def last_due(ctx: Context, kind: DigestKind) -> Window:
    """The latest digest of that kind that was due by now."""
    today = ctx.local(ctx.now).date()
    found = window(ctx, kind, today)
    if found.due <= ctx.now:
        return found
    return window(ctx, kind, today - (_WEEK if kind is DigestKind.WEEKLY else timedelta(days=1)))


def ahead_of(ctx: Context, period: Period) -> Period:
    """From the period's end to the end of the calendar day after it."""
    return Period(period.end, at(ctx, last_day(ctx, period) + timedelta(days=2)))


def last_day(ctx: Context, period: Period) -> date:
    """The calendar day of its last instant."""
    return ctx.local(max(period.start, period.end - _INSTANT)).date()


def last_days(ctx: Context, period: Period) -> list[date]:
    """The calendar days up to that of the period's end, the oldest first."""
    last = last_day(ctx, period)
    return [last - timedelta(days=ago) for ago in reversed(range(DAYS))]


def weeks_before(ctx: Context, period: Period) -> Iterator[Period]:
    """The same weekdays and clock times of the weeks before; none for what is longer than a week."""
    start, end = ctx.local(period.start), ctx.local(period.end)
    if end.replace(tzinfo=None) - start.replace(tzinfo=None) > _WEEK:
        return
    for week in range(1, WEEKS + 1):
        # Local times are moved, not instants: 18:00 stays 18:00 when summer time begins.
        yield Period(start - week * _WEEK, end - week * _WEEK)
