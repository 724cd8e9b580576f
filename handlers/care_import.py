"""A table of the care register -> entries, and what they would change.

Mistakes never repeat what a cell holds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.care import CareKind, Entry
from handlers.organisation import Level, Organisation

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名", "name"),
    "kinds": ("类别", "类型", "kind"),
    "address": ("地址", "住址", "address"),
    "area": ("网格", "area"),
    "phone": ("电话", "手机", "phone"),
    "chat": ("微信", "微信号", "chat"),
    "note": ("备注", "note"),
    "every_days": ("走访间隔", "visit_every_days"),
}
_NEEDED = ("name", "kinds", "address", "area")
_LONGEST = {"name": 30, "address": 100, "phone": 40, "chat": 200, "note": 200}
_KINDS: Mapping[str, CareKind] = {
    word: kind
    for kind, words in {
        CareKind.ELDERLY_ALONE: ("独居老人", "独居", "空巢老人", "高龄独居"),
        CareKind.LEFT_BEHIND: ("留守儿童", "留守"),
        CareKind.DISABLED: ("残疾", "残疾人", "重残"),
        CareKind.PREGNANT: ("孕产妇", "孕妇", "产妇"),
        CareKind.CHRONIC: ("慢性病", "慢病", "慢性病人"),
    }.items()
    for word in (str(kind), *words)
}
_LONGEST_PAUSE = 366  # days between two visits


@dataclass(frozen=True, slots=True)
class Wrong:
    """`row` as a spreadsheet counts it. `why` holds nothing of the cell."""

    row: int
    column: str
    why: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.why}" if self.column else f"row {self.row}: {self.why}"


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would do. `changed` carry the ids of the records they replace."""

    added: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    same: int
    missing: tuple[Entry, ...]


def read(
    rows: Sequence[tuple[int, Sequence[str]]], organisation: Organisation, every_days: int
) -> tuple[list[Entry], list[Wrong]]:
    """Entries (without ids) and mistakes; (row number, cells), the header first.

    every_days: between visits where a row says nothing.
    """
    if not rows:
        return [], [Wrong(1, "", "the table is empty")]
    places, wrong = _header(*rows[0])
    if wrong:
        return [], wrong
    entries: list[Entry] = []
    first: dict[tuple[str, str], int] = {}
    for number, cells in rows[1:]:
        row = {key: cells[place].strip() if place < len(cells) else "" for key, place in places.items()}
        found = _Row(number, row, organisation, every_days)
        entry = found.entry()
        wrong += found.wrong
        if entry is None:
            continue
        if entry.identity in first:
            wrong.append(Wrong(number, "", f"the same name and address as row {first[entry.identity]}"))
        first.setdefault(entry.identity, number)
        entries.append(entry)
    return entries, wrong


def _header(number: int, cells: Sequence[str]) -> tuple[dict[str, int], list[Wrong]]:
    titles = [cell.strip().lower() for cell in cells]
    places = {
        key: next(i for i, title in enumerate(titles) if title in names)
        for key, names in _COLUMNS.items()
        if any(title in names for title in titles)
    }
    missing = [_COLUMNS[key][0] for key in _NEEDED if key not in places]
    return places, [Wrong(number, title, "there is no such column") for title in missing]


@dataclass(slots=True)
class _Row:
    """One row being read; `wrong` collects what is."""

    number: int
    cells: Mapping[str, str]
    organisation: Organisation
    every_days: int
    wrong: list[Wrong]

    def __init__(
        self, number: int, cells: Mapping[str, str], organisation: Organisation, every_days: int
    ) -> None:
        self.number, self.cells, self.organisation = number, cells, organisation
        self.every_days, self.wrong = every_days, []

    def _no(self, key: str, why: str) -> None:
        self.wrong.append(Wrong(self.number, _COLUMNS[key][0], why))

    def _cell(self, key: str) -> str:
        return self.cells.get(key, "")

    def entry(self) -> Entry | None:
        for key in ("name", "address"):
            if len(self._cell(key)) < 2:
                self._no(key, "is missing or too short")
        for key, longest in _LONGEST.items():
            if len(self._cell(key)) > longest:
                self._no(key, f"is longer than {longest} characters")
        kinds, area, every_days = self._kinds(), self._area(), self._pause()
        if self.wrong:
            return None
        return Entry(
            id=0,
            area=area,
            name=self._cell("name"),
            kinds=kinds,
            address=self._cell("address"),
            phone=self._cell("phone"),
            chat=self._cell("chat"),
            note=self._cell("note"),
            every_days=every_days,
        )

    def _kinds(self) -> tuple[CareKind, ...]:
        words = [word for word in re.split(r"[\s、,，;；/|+和]+", self._cell("kinds").lower()) if word]
        if not words or any(word not in _KINDS for word in words):
            self._no("kinds", "write one or more of 独居老人、留守儿童、残疾、孕产妇、慢性病")
        return tuple(dict.fromkeys(_KINDS[word] for word in words if word in _KINDS))

    def _area(self) -> str:
        """A grid, or a part of one, by code or name: only the grid's own people see who it is."""
        written = self._cell("area")
        areas = self.organisation.areas.values()
        found = [area.code for area in areas if written and written in (area.code, area.name)]
        if len(found) != 1:
            why = "several are called that; write the code" if found else "there is no such grid"
            self._no("area", why)
        elif self.organisation.level_of(found[0]) is not Level.GRID:
            self._no("area", "is no grid; write the grid or the micro-grid")
        return found[0] if found else ""

    def _pause(self) -> int:
        written = self._cell("every_days").removesuffix("天").strip()
        if not written:
            return self.every_days
        if not written.isdecimal() or int(written) > _LONGEST_PAUSE:
            self._no("every_days", f"write days between two visits, 0 (no visits) to {_LONGEST_PAUSE}")
            return 0
        return int(written)


def difference(known: Sequence[Entry], wanted: Sequence[Entry]) -> Difference:
    """What is to be added and changed, what stays as it is, and who is known but not wanted any more."""
    by_identity = {entry.identity: entry for entry in known}
    added, changed, same = [], [], 0
    for entry in wanted:
        before = by_identity.get(entry.identity)
        if before is None:
            added.append(entry)
        elif replace(entry, id=before.id) == before:
            same += 1
        else:
            changed.append(replace(entry, id=before.id))
    kept = {entry.identity for entry in wanted}
    missing = tuple(entry for entry in known if entry.identity not in kept)
    return Difference(tuple(added), tuple(changed), same, missing)


def told(found: Difference, organisation: Organisation, *, remove: bool) -> Iterator[str]:
    """Numbers only."""
    yield (
        f"{len(found.added)} new, {len(found.changed)} changed, {found.same} as before, "
        f"{len(found.missing)} not in the file ({'to be removed' if remove else 'kept; --remove-missing'})"
    )
    counts: dict[str, int] = {}
    for entry in (*found.added, *found.changed):
        counts[entry.area] = counts.get(entry.area, 0) + 1
    for area, count in sorted(counts.items()):
        yield f"  {area} {organisation.area_name(area)}: {count}"
