"""Where the organisation is kept: a YAML file for a start, the database for what was imported or edited.

Once areas stand in the database, the file's areas, groups, people, units and risk points are left out. Before
that, what the database holds (people who joined, groups that were bound) counts beside the file's and, under
the same id, instead of it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from handlers.files import ConfigError, Part, dotted, mistakes, read_mapping
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


def load_organisation(path: Path, session: Session | None = None) -> Organisation:
    """Reads and checks file and, with a session, database. Raises ConfigError with one line a mistake."""
    content = read_file(path)
    if session is not None:
        content = merged(content, stored(session))
    if found := list(wrong(content)):
        raise ConfigError("\n".join(f"{path}: {line}" for line in found))
    return organised(content)


def read_file(path: Path) -> Content:
    """The file as it is, not yet checked as a whole. Raises ConfigError."""
    try:
        return Content.model_validate(read_mapping(path))
    except ValidationError as error:
        lines = [f"{path}: {dotted(place)}: {why}" for place, why in mistakes(error)]
        raise ConfigError("\n".join(lines)) from None


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
    groups = {group.id or group.topic: group for group in (*file.groups, *own.groups)}
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
    """What only shows when the parts are seen together."""
    codes = [area.code for area in content.areas]
    parents = {area.code: area.parent for area in content.areas}
    for index, area in enumerate(content.areas):
        if codes.index(area.code) != index:
            yield f"areas[{index}].code: {area.code} stands twice"
        if area.parent is not None and area.parent not in parents:
            yield f"areas[{index}].parent: there is no area {area.parent}"
        elif _goes_round(area.code, parents):
            yield f"areas[{index}].parent: {area.code} lies below itself"
        for other in area.neighbours:
            if other not in parents:
                yield f"areas[{index}].neighbours: there is no area {other}"
    landmarks = [(area.code, landmark) for area in content.areas for landmark in area.places]
    for name, one, other in claims(landmarks):
        yield f"areas: both {one} and {other} claim the place {name}"
    if content.areas and sum(area.parent is None for area in content.areas) != 1:
        yield "areas: exactly one area has no parent: the street"
    bound: dict[str, Sequence[Group | Person]] = {"groups": content.groups, "people": content.people}
    units = {unit.code for unit in content.units}
    for index, person in enumerate(content.people):
        for post in person.posts:
            if post.unit and post.unit not in units:
                yield f"people[{index}].unit: there is no unit {post.unit}"
        for post in person.also:
            if post.area and post.area not in parents:
                yield f"people[{index}].also: there is no area {post.area}"
    coded: dict[str, Sequence[Unit | RiskPoint]] = {
        "units": content.units,
        "risk_points": content.risk_points,
    }
    for name, entries in coded.items():
        known: set[str] = set()
        for index, entry in enumerate(entries):
            if entry.area and entry.area not in parents:
                yield f"{name}[{index}].area: there is no area {entry.area}"
            if entry.code in known:
                yield f"{name}[{index}].code: {entry.code} stands twice"
            known.add(entry.code)
    for name, things in bound.items():
        seen: set[str] = set()
        for index, thing in enumerate(things):
            if thing.area and thing.area not in parents:
                yield f"{name}[{index}].area: there is no area {thing.area}"
            if thing.id and thing.id in seen:
                yield f"{name}[{index}].id: {thing.id} stands twice"
            seen.add(thing.id)


def _goes_round(code: str, parents: dict[str, str | None]) -> bool:
    seen = set()
    current: str | None = code
    while current is not None:
        if current in seen:
            return True
        seen.add(current)
        current = parents.get(current)
    return False
