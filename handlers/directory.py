"""Where the organisation is kept: a YAML file for a start, the database for what was imported or edited.

Once areas stand in the database, the file's areas, groups, people, units and risk points are left out. Before
that, what the database holds (people who joined, groups that were bound) counts beside the file's and, under
the same id, instead of it.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from sqlmodel import Session

from handlers.faults import Fault, Problem, in_english
from handlers.files import ConfigError, Part, dotted, entry_lines, mistakes, read_mapping
from handlers.gazetteer import claims
from handlers.organisation import Area, Group, Organisation, Person, RiskPoint, Unit, build
from storage import organisation as store
from storage.tables import OrgPost


class Content(Part):
    """The organisation as it is written down."""

    areas: tuple[Area, ...] = ()
    groups: tuple[Group, ...] = ()
    people: tuple[Person, ...] = ()
    units: tuple[Unit, ...] = ()
    risk_points: tuple[RiskPoint, ...] = ()
    words: tuple[str, ...] = ()


Entry = Area | Group | Person | Unit | RiskPoint
TABLES: Final = ("areas", "groups", "people", "units", "risk_points")


def key_of(entry: Entry) -> str:
    """What tells an entry from the others of its table: code or id; a group's topic while it has no id."""
    if isinstance(entry, Group):
        return entry.id or entry.topic
    return entry.id if isinstance(entry, Person) else entry.code


def key_field(entry: Entry) -> str:
    """The field that holds it."""
    if isinstance(entry, Group):
        return "id" if entry.id else "topic"
    return "id" if isinstance(entry, Person) else "code"


def load_organisation(path: Path, session: Session | None = None, *, named: bool = False) -> Organisation:
    """Reads and checks file and, with a session, database. Raises ConfigError with one line a mistake.

    named: the lines name who is meant, for the operator's eyes; without it they may go into the log.
    """
    file = content = read_file(path, named=named)
    if session is not None:
        content = merged(file, stored(session))
    if found := list(faults(content)):
        places = {
            (table, key_of(entry)): (table, index)
            for table in TABLES
            for index, entry in enumerate(getattr(file, table))
        }
        lines = entry_lines(path)
        told = []
        for fault in found:
            entry = getattr(content, fault.table)[fault.index] if fault.index >= 0 else None
            place = places.get((fault.table, key_of(entry)) if entry else ("", ""))
            # The same key in file and database: what the database holds counts.
            own = place is not None and entry in getattr(file, fault.table)
            where = _where(path, lines.get(place) if place else None) if own or entry is None else "database"
            told.append(f"{where}: {_said(fault)}{_name(entry.model_dump() if entry and named else {})}")
        raise ConfigError("\n".join(told))
    return organised(content)


def read_file(path: Path, *, named: bool = False) -> Content:
    """The file as it is, not yet checked as a whole. Raises ConfigError.

    Where an entry is not understood, what is wrong between the others is told together with it.
    """
    raw = read_mapping(path)
    try:
        return Content.model_validate(raw)
    except ValidationError as error:
        found = mistakes(error)
    lines = entry_lines(path)

    def told(place: tuple[str | int, ...], why: str) -> str:
        where = _where(path, lines.get(_entry_at(place)))
        return f"{where}: {dotted(place)}: {why}{_name(_raw_entry(raw, _entry_at(place)) if named else {})}"

    between = [told((f.table, f.index, f.field), in_english(f)) for f in _between(raw, found)]
    raise ConfigError("\n".join([*(told(place, why) for place, why in found), *between]))


_Place = tuple[str, int]


def _where(path: Path, line: int | None) -> str:
    return f"{path}:{line}" if line else str(path)


def _entry_at(place: Sequence[str | int]) -> _Place:
    table, index = (*place, -1, -1)[:2]
    return str(table), index if isinstance(index, int) else -1


def _raw_entry(raw: Mapping[str, Any], place: _Place) -> Mapping[str, Any]:
    table, index = place
    listed = raw.get(table)
    entry = listed[index] if isinstance(listed, list) and 0 <= index < len(listed) else None
    return entry if isinstance(entry, dict) else {}


def _name(entry: Mapping[str, Any]) -> str:
    """Who or what it is, as people call it."""
    name = next((entry[key] for key in ("name", "topic", "id", "code") if entry.get(key)), "")
    return f" ({name})" if name else ""


def _between(raw: Mapping[str, Any], found: Sequence[tuple[tuple[str | int, ...], str]]) -> Iterator[Fault]:
    """What is wrong between the entries that are understood, in the places that they have in the file.

    What may only seem so, because an entry beside it is not understood, is left out.
    """
    bad = {_entry_at(place) for place, _ in found}
    if any(table in Content.model_fields and index < 0 for table, index in bad):
        return  # a whole list is missing from what could be compared
    kept: dict[str, list[int]] = {
        table: [index for index in range(len(raw.get(table) or ())) if (table, index) not in bad]
        for table in TABLES
    }
    content = Content.model_validate(
        {t: [raw[t][index] for index in some] for t, some in kept.items() if some}
    )
    left_out = {str(_raw_entry(raw, place).get("code", "")).strip() for place in bad}
    for fault in faults(content):
        lost_root = fault.problem is Problem.ONE_ROOT and any(table == "areas" for table, _ in bad)
        if fault.value not in left_out - {""} and not lost_root:
            index = kept[fault.table][fault.index] if fault.index >= 0 else -1
            yield replace(fault, index=index)


def organised(content: Content) -> Organisation:
    return build(
        content.areas, content.groups, content.people, content.words, content.units, content.risk_points
    )


def stored(session: Session) -> Content:
    """What stands in the database. Raises ConfigError where a row is not understood."""
    rows = store.read(session)
    try:
        return Content.model_validate(
            {
                "areas": [row.model_dump() for row in rows.areas],
                "groups": [
                    {
                        "id": row.id if row.room_known else "",
                        "topic": row.topic,
                        "kind": row.kind,
                        "area": row.area,
                    }
                    for row in rows.groups
                ],
                "people": [_person(row.id, row.name, rows.posts.get(row.id, [])) for row in rows.people],
                "units": [row.model_dump() for row in rows.units],
                "risk_points": [row.model_dump() for row in rows.risk_points],
            }
        )
    except ValidationError as error:
        lines = [f"database: {dotted(place)}: {why}" for place, why in mistakes(error)]
        raise ConfigError("\n".join(lines)) from None


def _person(id: str, name: str, posts: Sequence[OrgPost]) -> dict[str, Any]:
    held = [{"role": post.role, "area": post.area, "unit": post.unit} for post in posts]
    main: dict[str, Any] = dict(held[0]) if held else {}
    return {"id": id, "name": name, **main, "also": held[1:]}


def merged(file: Content, own: Content) -> Content:
    """File and database together, as the module's first lines say."""
    if own.areas:
        return own.model_copy(update={"words": file.words})
    known = {group.topic for group in own.groups if group.id}
    by_name = [group for group in file.groups if group.id or group.topic not in known]
    groups = {group.id or group.topic: group for group in (*by_name, *own.groups)}
    people = {person.id: person for person in (*file.people, *own.people)}
    units = {unit.code: unit for unit in (*file.units, *own.units)}
    points = {point.code: point for point in (*file.risk_points, *own.risk_points)}
    return file.model_copy(
        update={
            "groups": tuple(groups.values()),
            "people": tuple(people.values()),
            "units": tuple(units.values()),
            "risk_points": tuple(points.values()),
        }
    )


def wrong(content: Content) -> Iterator[str]:
    """What only shows when the parts are seen together, a line each."""
    yield from map(_said, faults(content))


def _said(fault: Fault) -> str:
    where = f"{fault.table}[{fault.index}].{fault.field}" if fault.index >= 0 else fault.table
    return f"{where}: {in_english(fault)}"


def faults(content: Content) -> Iterator[Fault]:
    """What only shows when the parts are seen together."""
    yield from _area_faults(content)
    areas, units = {area.code for area in content.areas}, {unit.code for unit in content.units}
    for index, person in enumerate(content.people):
        yield from _post_faults(index, person, areas, units)
    things: dict[str, Sequence[Group | Unit | RiskPoint]] = {
        "groups": content.groups,
        "units": content.units,
        "risk_points": content.risk_points,
    }
    for table, entries in things.items():
        for index, entry in enumerate(entries):
            if entry.area and entry.area not in areas:
                yield Fault(Problem.NO_AREA, table, index, "area", entry.area)
    for table in TABLES:
        yield from _twice(table, getattr(content, table))


def _twice(table: str, entries: Sequence[Entry]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if (key := key_of(entry)) in seen:
            yield Fault(Problem.TWICE, table, index, key_field(entry), key)
        seen.add(key)


def _area_faults(content: Content) -> Iterator[Fault]:
    parents = {area.code: area.parent for area in content.areas}
    for index, area in enumerate(content.areas):
        if area.parent is not None and area.parent not in parents:
            yield Fault(Problem.NO_AREA, "areas", index, "parent", area.parent)
        elif _goes_round(area.code, parents):
            yield Fault(Problem.ROUND, "areas", index, "parent", area.code)
        for other in area.neighbours:
            if other not in parents:
                yield Fault(Problem.NO_AREA, "areas", index, "neighbours", other)
    numbers = {area.code: index for index, area in enumerate(content.areas)}
    landmarks = [(area.code, landmark) for area in content.areas for landmark in area.places]
    for name, one, other in claims(landmarks):
        yield Fault(Problem.PLACE_TWICE, "areas", numbers[other], "places", other, one, name)
    roots = [index for index, area in enumerate(content.areas) if area.parent is None]
    if content.areas and len(roots) != 1:
        yield Fault(Problem.ONE_ROOT, "areas", roots[-1] if roots else -1, "parent")


def _post_faults(index: int, person: Person, areas: Set[str], units: Set[str]) -> Iterator[Fault]:
    for rank, post in enumerate(person.posts):
        if post.area and post.area not in areas:
            yield Fault(Problem.NO_AREA, "people", index, "also" if rank else "area", post.area)
        if post.unit and post.unit not in units:
            yield Fault(Problem.NO_UNIT, "people", index, "unit", post.unit)
    if len(set(person.posts)) < len(person.posts):
        yield Fault(Problem.POST_TWICE, "people", index, "also")


def _goes_round(code: str, parents: dict[str, str | None]) -> bool:
    seen = set()
    current: str | None = code
    while current is not None:
        if current in seen:
            return True
        seen.add(current)
        current = parents.get(current)
    return False
