"""Figures from what became of the tickets. What each counts is decided in docs/figures.md.

`gather` reads once what a period touches; `count` makes the figures of any area from it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from classifiers.verdict import Label
from handlers.context import Context
from handlers.figures import groups, helpers, periods, rates
from handlers.figures.facts import (
    Fact,
    History,
    closed_in,
    facts,
    history,
    is_duplicate,
    is_open,
    is_overdue,
)
from handlers.figures.lines import line_of, places_of
from handlers.figures.model import (
    AreaLoad,
    Counts,
    DayCounts,
    DigestKind,
    Figures,
    LabelFigures,
    Period,
    Usual,
)
from handlers.figures.scope import Scope
from handlers.lifecycle import Resolution
from storage import care
from storage import figures as store
from storage.figures import Stood, Told

MOST = 5  # lines of each list
Cells = dict[tuple[str, str], Counts]  # by area and label


@dataclass(frozen=True)
class Gathered:
    """All that is needed of a period, for every area."""

    ctx: Context
    period: Period
    ahead: Period
    kind: DigestKind | None
    known: History = field(repr=False)
    facts: Sequence[Fact] = field(repr=False)

    @cached_property
    def cells(self) -> Cells:
        return _cells((fact.stood for fact in self.facts), self.period)

    @cached_property
    def told(self) -> list[Told]:
        return store.told(self.ctx.session, self.period.start, self.period.end)

    @cached_property
    def before(self) -> list[Cells]:
        """Of the weeks before in which the bot was at work already."""
        began = store.began(self.ctx.session)
        return [
            _cells(self.known.standing(week.end), week)
            for week in periods.weeks_before(self.ctx, self.period)
            if began is not None and began <= week.start
        ]


def gather(
    ctx: Context, period: Period, *, ahead: Period | None = None, kind: DigestKind | None = None
) -> Gathered:
    """What became of the tickets; a period that is not over is cut at the present."""
    period = periods.cut(ctx, period)
    weeks = list(periods.weeks_before(ctx, period))
    first_day = periods.at(ctx, periods.last_days(ctx, period)[0])
    since = min([period.start, first_day, *(week.start for week in weeks)])
    known = history(ctx, since, period.end)
    return Gathered(
        ctx, period, ahead or periods.ahead_of(ctx, period), kind, known, facts(ctx, known, period)
    )


def figures(ctx: Context, area: str, period: Period) -> Figures:
    """Of an area, with all below it, and a period that somebody asked for."""
    return count(gather(ctx, period), area)


def of_window(ctx: Context, area: str, window: periods.Window) -> Figures:
    """Of what a digest covers."""
    return count(gather(ctx, window.period, ahead=window.ahead, kind=window.kind), area)


def count(gathered: Gathered, area: str) -> Figures:
    """The figures of the area, with all below it; those of the street also of what lies in no known area."""
    ctx, period = gathered.ctx, gathered.period
    scope = Scope.of(ctx, area)
    everything = [fact for fact in gathered.facts if scope.holds(fact.stood.area)]
    matters = [fact for fact in everything if not is_duplicate(fact.stood)]
    opened = [fact for fact in matters if fact.opened]
    closed = [fact for fact in matters if fact.closed]
    waiting = [fact.stood for fact in matters if is_open(fact.stood)]
    promised = sorted(
        (one for one in waiting if one.deadline_at and _within(one.deadline_at, gathered.ahead)),
        key=lambda one: (one.deadline_at or period.end, one.id),
    )
    recurring = [fact.stood for fact in opened if fact.stood.recurring]
    return Figures(
        area=scope.area,
        name=scope.name,
        period=period,
        total=_sum(gathered.cells, scope),
        usual=_usual(gathered, scope),
        labels=tuple(_label(gathered, scope, label, opened) for label in Label if label is not Label.NONE),
        areas=_areas(gathered, scope),
        urgent=sum(fact.stood.urgency == 3 for fact in opened),
        explained=sum(fact.stood.resolution == Resolution.EXPLAINED for fact in closed),
        duplicates=sum(is_duplicate(f.stood) and closed_in(f.stood, period) for f in everything),
        reopened=sum(rates.was_reopened(fact) for fact in matters),
        answered=rates.answered(matters, period),
        closing=rates.closing(closed),
        response=rates.response(opened, period),
        solution=rates.solution(closed),
        satisfaction=rates.satisfaction(matters, closed),
        on_time=rates.on_time(ctx, closed),
        rework=rates.rework(closed),
        extension=rates.extension(closed),
        places=places_of(ctx, [fact.stood for fact in opened], MOST),
        recurring=tuple(line_of(ctx, one) for one in reversed(recurring[-MOST:])),
        oldest=tuple(line_of(ctx, one) for one in waiting[:MOST]),
        promises=len(promised),
        promised=tuple(line_of(ctx, one) for one in promised[:MOST]),
        helpers=helpers.helpers(ctx, everything, opened, closed, gathered.told),
        judgement=helpers.judgement(ctx, scope, everything, period),
        groups=groups.troubles(ctx, scope, period),
        days=_days(ctx, scope, gathered),
        visits=_visits(ctx, scope, period),
        kind=gathered.kind,
        ahead=gathered.ahead,
    )


def _within(at: datetime, period: Period) -> bool:
    return period.start <= at < period.end


def _cells(standing: Iterable[Stood], period: Period) -> Cells:
    """Counts by area and label of what stood so at the period's end."""
    opened, closed, still, late = Counter(), Counter(), Counter(), Counter()  # type: ignore[var-annotated]
    for stood in standing:
        if is_duplicate(stood):
            continue
        cell = (stood.area, stood.label)
        opened[cell] += stood.opened_at >= period.start
        closed[cell] += closed_in(stood, period)
        still[cell] += is_open(stood)
        late[cell] += is_overdue(stood, period.end)
    return {cell: Counts(opened[cell], closed[cell], still[cell], late[cell]) for cell in opened}


def _sum(cells: Cells, scope: Scope, label: str = "") -> Counts:
    found = (
        counts
        for (area, its_label), counts in cells.items()
        if label in {"", its_label} and scope.holds(area)
    )
    return sum(found, Counts())


def _usual(gathered: Gathered, scope: Scope, label: str = "") -> Usual:
    sums = [_sum(cells, scope, label) for cells in gathered.before]
    if not sums:
        return Usual()
    whole, weeks = sum(sums, Counts()), len(sums)
    return Usual(weeks, whole.opened / weeks, whole.closed / weeks, whole.open / weeks, whole.overdue / weeks)


def _label(gathered: Gathered, scope: Scope, label: str, opened: Sequence[Fact]) -> LabelFigures:
    urgent = sum(fact.stood.urgency == 3 and fact.stood.label == label for fact in opened)
    counts = _sum(gathered.cells, scope, label)
    return LabelFigures(str(label), counts, _usual(gathered, scope, label), urgent)


def _areas(gathered: Gathered, scope: Scope) -> tuple[AreaLoad, ...]:
    """What lies in no part stands under the scope's own name, where there is anything."""
    loads = [
        AreaLoad(part.area, part.name, _sum(gathered.cells, part), _usual(gathered, part))
        for part in scope.parts()
    ]
    own = scope.without_parts()
    rest = AreaLoad(own.area, own.name, _sum(gathered.cells, own), _usual(gathered, own))
    if rest.counts != Counts() or not loads:
        loads.append(rest)
    return tuple(sorted(loads, key=lambda load: (-load.counts.open, -load.counts.opened, load.area)))


def _days(ctx: Context, scope: Scope, gathered: Gathered) -> tuple[DayCounts, ...]:
    found: dict[object, Counter[str]] = {day: Counter() for day in periods.last_days(ctx, gathered.period)}
    for fact in gathered.facts:
        stood, day = fact.stood, ctx.local(fact.stood.opened_at).date()
        if day in found and not is_duplicate(stood) and scope.holds(stood.area):
            found[day][stood.label] += 1
    return tuple(DayCounts(day, dict(found[day])) for day in periods.last_days(ctx, gathered.period))


def _visits(ctx: Context, scope: Scope, period: Period) -> tuple[int, int] | None:
    codes = None if scope.everywhere else sorted(scope.codes)
    found = care.due_and_open(ctx.session, periods.last_day(ctx, period), period.end, codes)
    return found if found[0] else None
