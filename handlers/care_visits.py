"""Visits to the people of the care register: who is due, to whom the day's list goes, what is ticked off.

A visit that is due is a row (one for each person and day), made with the list in one transaction, once a day:
the database decides which process makes it. Names stand only in whispers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from handlers import care
from handlers.care import Entry
from handlers.care_alerts import described
from handlers.context import Context
from handlers.deadlines import quiet_end
from handlers.organisation import Person
from handlers.permissions import Actor
from handlers.whispers import whisper
from handlers.workdays import is_working_day
from storage import care as store
from storage import digests
from storage.tables import CareVisit

_LINES = 20  # of a list that go as one message
_LOOK_BACK = timedelta(days=3)  # a list of Friday may be ticked off on Monday


@dataclass(frozen=True, slots=True)
class Line:
    """A visit as somebody sees it: `number` is its place in the day's list, done ones counted."""

    number: int
    visit: CareVisit
    entry: Entry

    @property
    def done(self) -> bool:
        return self.visit.done_at is not None


def next_morning(ctx: Context) -> datetime | None:
    """When the next lists are due; None where there is nobody to visit."""
    if not ctx.care.entries:
        return None
    local = ctx.local(ctx.now)
    for day in (local.date() + timedelta(days=n) for n in range(30)):
        at = datetime.combine(day, ctx.rules.care.visits_at, tzinfo=local.tzinfo)
        if at > local and _is_day(ctx, day):
            return at.astimezone(UTC)
    return None


def morning(ctx: Context, account: str) -> bool:
    """Makes the day's lists; False where they are not due, or were made before by whichever process.

    Lists that were missed are made up for the same day, though not at night.
    """
    local = ctx.local(ctx.now)
    too_early = local.time() < ctx.rules.care.visits_at or quiet_end(ctx) is not None
    if not ctx.care.entries or too_early or not _is_day(ctx, local.date()):
        return False
    if not digests.keep(ctx.session, f"visits:{ctx.organisation.street_code}", local.date(), "", ctx.now):
        return False
    for person, entries in _by_person(ctx, _due(ctx, local.date())):
        planned = [(e, store.plan(ctx.session, e.id, e.area, local.date(), _id(person))) for e in entries]
        if person is not None:
            _hand_out(ctx, account, person, {visit.id for _, visit in planned if visit is not None})
    return True


def _id(person: Person | None) -> str | None:
    return person.id if person else None


def _is_day(ctx: Context, day: date) -> bool:
    return ctx.rules.care.visits_on == "all" or is_working_day(day)


def _due(ctx: Context, day: date) -> list[Entry]:
    """Whose last visit is long enough ago: who was never visited first, then who waits longest."""
    last = store.last_done(ctx.session)
    waiting: list[tuple[int, Entry]] = []
    for entry in ctx.care.entries:
        if not entry.every_days:
            continue
        before = last.get(entry.id)
        since = entry.every_days if before is None else (day - ctx.local(before).date()).days
        if since >= entry.every_days:
            waiting.append((-1 if before is None else entry.every_days - since, entry))
    return [entry for _, entry in sorted(waiting, key=lambda found: (found[0], found[1].id))]


def _by_person(ctx: Context, due: Sequence[Entry]) -> Iterator[tuple[Person | None, list[Entry]]]:
    """Each with whom he is to visit; who has nobody is planned all the same, and counted."""
    groups: dict[str | None, list[Entry]] = {}
    people: dict[str | None, Person] = {}
    for entry in due:
        told = care.told_of(ctx.organisation, entry.area)[:1]
        person = told[0] if told else None
        if person is not None:
            people[person.id] = person
        groups.setdefault(_id(person), []).append(entry)
    for id, entries in groups.items():
        yield people.get(id), entries


def _hand_out(ctx: Context, account: str, person: Person, planned: set[int]) -> None:
    today = ctx.local(ctx.now).date()
    mine = [line for line in _lines_of(ctx, person, today, today) if line.visit.id in planned]
    for start in range(0, len(mine), _LINES):
        some = mine[start : start + _LINES]
        template = "care.morning" if start == 0 else "care.morning_more"
        text = ctx.texts(template, count=len(mine), lines=shown(ctx, some), first=some[0].number)
        whisper(ctx, account, person.id, text, key=f"visits:{today}:{start}")


def shown(ctx: Context, lines: Sequence[Line]) -> str:
    """Numbered, one a line."""
    return "\n".join(ctx.texts("care.line", n=line.number, who=described(ctx, line.entry)) for line in lines)


def list_of(ctx: Context, actor: Actor) -> list[Line]:
    """The newest list of the last days as this person sees it, done visits among them."""
    today = ctx.local(ctx.now).date()
    return _lines_of(ctx, actor, today - _LOOK_BACK, today)


def _lines_of(ctx: Context, actor: Actor | Person, since: date, until: date) -> list[Line]:
    """Of the last of these days that has any."""
    found: list[tuple[CareVisit, Entry]] = []
    for visit in store.visits(ctx.session, since, until):
        entry = ctx.care.get(visit.record_id)
        if entry is not None and care.sees(ctx.organisation, actor, entry.area):
            found.append((visit, entry))
    # What was visited out of turn makes no new list.
    listed = [visit.day for visit, _ in found if visit.told_to] or [visit.day for visit, _ in found]
    last = max(listed, default=None)
    of_day = [(visit, entry) for visit, entry in found if visit.day == last]
    return [Line(number, visit, entry) for number, (visit, entry) in enumerate(of_day, 1)]


def visited(ctx: Context, visit: CareVisit, actor: Actor, note: str) -> bool:
    """Ticks one off with how it was, sealed; False where somebody was quicker."""
    assert ctx.care.vault is not None
    sealed = ctx.care.vault.seal(note) if note else None
    return store.tick_off(ctx.session, visit.id, actor.id, ctx.now, sealed)


def extra(ctx: Context, entry: Entry) -> CareVisit | None:
    """A visit that was on no list; None where there is one of today already."""
    return store.plan(ctx.session, entry.id, entry.area, ctx.local(ctx.now).date(), None)


def numbers(ctx: Context, areas: frozenset[str]) -> tuple[int, int]:
    """How many visits are due today in these areas, and how many of them are still to be made."""
    today = ctx.local(ctx.now).date()
    found = [visit for visit in store.visits(ctx.session, today, today) if visit.area in areas]
    return len(found), sum(visit.done_at is None for visit in found)
