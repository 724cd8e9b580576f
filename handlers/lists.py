"""The two lists, 设施问题清单 and 服务需求清单: what an area has of each kind and at which place.

docs/lists.md says what counts. The lists, the ledgers and what is exported of tickets share `Asked`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from classifiers.place import is_spot
from classifiers.verdict import Label
from handlers.context import Context
from handlers.gazetteer import Gazetteer, canonical, numbers
from handlers.kinds import Kind, Sort, kind_of
from handlers.lifecycle import Resolution, State
from handlers.masking import mask_for_others
from storage import lists as store
from storage.lists import Matter, Told, Wanted

BATCH: Final = 2000
# Labels of which something can stand in a list; handlers/kinds.py decides.
LABELS: Final[Mapping[Sort, tuple[str, ...]]] = {
    Sort.FACILITY: (Label.SERVICE, Label.SAFETY, Label.FLOOD),
    Sort.SERVICE: (Label.SERVICE,),
}


class Standing(StrEnum):
    """Which tickets by how they stand; any, where none is named."""

    OPEN = "open"
    CLOSED = "closed"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which tickets. start, end: days of the street, both counted in; None: without that limit.

    area: with all below it, "" for the whole street. kind: a code of handlers/kinds.yaml. within: the areas
    that the one who asks may see, None for all. plain: the areas of which he is staff, where residents are
    shown as they are.
    """

    start: date | None = None
    end: date | None = None
    area: str = ""
    label: str = ""
    state: str = ""
    kind: str = ""
    within: tuple[str, ...] | None = None
    plain: tuple[str, ...] = ()

    def areas(self, ctx: Context) -> frozenset[str] | None:
        """The codes, None for everywhere."""
        named = ctx.organisation.all_within(self.area) if self.area else None
        if self.within is None:
            return named
        own = frozenset(self.within)
        return own if named is None else named & own

    def instants(self, ctx: Context) -> tuple[datetime | None, datetime | None]:
        """[start, end): from midnight to midnight in the street's zone."""
        zone = ctx.world.zone
        start = datetime.combine(self.start, time(), zone) if self.start else None
        last = self.end + timedelta(days=1) if self.end else None
        return start, datetime.combine(last, time(), zone) if last else None

    def wanted(self, ctx: Context, sort: Sort | None = None) -> Wanted:
        """For the database. sort: only what may stand in that list."""
        start, end = self.instants(ctx)
        labels: tuple[str, ...] = (self.label,) if self.label else ()
        if sort is not None:
            labels = tuple(label for label in LABELS[sort] if self.label in {"", label}) or ("",)
        return Wanted(start, end, self.areas(ctx), labels, self.state, sort is not None)

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads; without what is not asked."""
        nothing = asdict(Asked())  # to see no area is something else than to see all
        values = {name: value for name, value in asdict(self).items() if value != nothing[name]}
        return {name: f"{value}" if isinstance(value, date) else value for name, value in values.items()}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> "Asked":
        days = {name: date.fromisoformat(values[name]) for name in ("start", "end") if name in values}
        codes = {name: tuple(values[name]) for name in ("within", "plain") if name in values}
        return cls(**{**values, **days, **codes})


@dataclass(slots=True)
class Group:
    """The matters of one area, place and kind. `place` is "" where none is named.

    latest, standing: number of the newest open matter and its State; where all are closed, of the newest and
    its Resolution.
    """

    area: str
    place: str
    kind: Kind
    first: datetime
    last: datetime
    latest: str = ""
    standing: str = ""
    tickets: int = 0
    open: int = 0
    reports: int = 0
    recurring: bool = False
    _spoken: tuple[bool, datetime] = (False, datetime.min.replace(tzinfo=UTC))

    def add(self, matter: Matter, told: Told) -> None:
        is_open = matter.state != State.CLOSED
        # What is open outweighs what is closed; of two alike the newer one speaks.
        speaks = (is_open, matter.opened_at) >= self._spoken
        if speaks:
            self.standing = matter.state if is_open else matter.resolution or Resolution.FIXED
            self.latest, self._spoken = matter.number, (is_open, matter.opened_at)
        self.tickets += 1
        self.open += is_open
        self.reports += max(told.reports, 1)
        self.first = min(self.first, matter.opened_at)
        self.last = max(self.last, told.last or matter.opened_at)
        self.recurring |= matter.recurring


@dataclass
class Gathering:
    """Groups what is asked for, batch by batch; `seen` counts the tickets that were looked at."""

    sort: Sort
    asked: Asked
    seen: int = 0
    _after: int = 0
    _groups: dict[tuple[str, str, str], Group] = field(default_factory=dict)

    def total(self, ctx: Context) -> int:
        """How many there are to look at."""
        return store.count(ctx.session, self.asked.wanted(ctx, self.sort))

    def step(self, ctx: Context) -> bool:
        """Looks at the next batch; False where that was the last."""
        found = store.matters(ctx.session, self.asked.wanted(ctx, self.sort), self._after, BATCH)
        listed = [(matter, kind) for matter in found if (kind := self._kind(matter))]
        told = store.told(ctx.session, [matter.id for matter, _ in listed])
        for matter, kind in listed:
            self._add(ctx, matter, kind, told.get(matter.id, Told()))
        self.seen += len(found)
        self._after = found[-1].id if found else self._after
        return len(found) == BATCH

    def _kind(self, matter: Matter) -> Kind | None:
        kind = kind_of(matter.label, matter.summary, matter.place)
        if kind is None or kind.sort is not self.sort or self.asked.kind not in {"", kind.code}:
            return None
        return kind

    def _add(self, ctx: Context, matter: Matter, kind: Kind, told: Told) -> None:
        place = place_of(ctx, matter.place, matter.summary)
        key = (matter.area, place, kind.code)
        if key not in self._groups:
            self._groups[key] = Group(matter.area, place, kind, matter.opened_at, matter.opened_at)
        self._groups[key].add(matter, told)

    def groups(self) -> list[Group]:
        """Where most is open comes first, then where most was, then what was told last."""
        order = lambda group: (-group.open, -group.tickets, -group.last.timestamp(), group.area, group.place)  # noqa: E731
        return sorted(self._groups.values(), key=order)


def groups(ctx: Context, sort: Sort, asked: Asked) -> list[Group]:
    """The whole list. Its matters are read in batches, its groups are held."""
    gathering = Gathering(sort, asked)
    while gathering.step(ctx):
        pass
    return gathering.groups()


def by_kind(found: Iterable[Group]) -> list[tuple[Kind, int, int]]:
    """(kind, matters, open ones), most matters first."""
    counts: dict[Kind, tuple[int, int]] = {}
    for group in found:
        tickets, still = counts.get(group.kind, (0, 0))
        counts[group.kind] = tickets + group.tickets, still + group.open
    return [(kind, *count) for kind, count in sorted(counts.items(), key=lambda item: -item[1][0])]


def place_of(ctx: Context, place: str, summary: str) -> str:
    """What matters at one place are grouped by: a known place with its house number, else the words used.

    Never a flat: unit, floor and room are left out. "" where only a kind of place is named (门口), or none.
    """
    return _place(ctx.organisation.places, place, summary)


_INSIDE = re.compile(
    r"(?:负|[bB]|-)?\s*[0-9一二三四五六七八九十两]{1,3}\s*[楼层].*\Z|[0-9]{1,2}\s*单元.*\Z|〔.*\Z"
)
_HOUSE: Final = {"house": "栋", "number": "号"}


@lru_cache(maxsize=50_000)
def _place(known: Gazetteer, place: str, summary: str) -> str:
    if entry := _entry(known, place):
        return entry
    words = "" if not place or is_spot(place) else canonical(mask_for_others(place))
    return _INSIDE.sub("", words).strip(" ,，的") or _entry(known, summary)


def _entry(known: Gazetteer, text: str) -> str:
    """The known place that the text names, with the number of the house; of several the longest name."""
    name = max((entry.name for entry in known.find(text)), key=len, default="")
    return f"{name}{_house(text, name)}" if name else ""


def _house(text: str, name: str) -> str:
    """3栋 or 12号 after the name of a road or an estate; of several none."""
    found = [(kind, number) for kind, number in numbers(text) if kind in _HOUSE]
    if len(found) != 1 or any(character.isdigit() for character in name):
        return ""
    kind, number = found[0]
    return f"{number}{_HOUSE[kind]}"
