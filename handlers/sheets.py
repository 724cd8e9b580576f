"""Rows of a sheet <-> entries of the organisation. Knows nothing of files: cells are texts.

A column that a sheet lacks is left as it was. Of a person each row is one post, the first the main one.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from pydantic import ValidationError

from handlers.cells import EQUALS, LISTED, Names, escaped, listed, plain, split, word_for
from handlers.directory import Content, Entry, key_of
from handlers.faults import Fault, Problem, of_entry
from handlers.gazetteer import Landmark
from handlers.organisation import Area, Group, Person, RiskPoint, Unit
from handlers.sheet_columns import BY_TABLE, Column, Sheet

_MODELS: Final[Mapping[str, type[Entry]]] = {
    "areas": Area,
    "groups": Group,
    "people": Person,
    "units": Unit,
    "risk_points": RiskPoint,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a sheet. `source`, `number`: where it stands; `titles`: how its columns are called."""

    cells: Mapping[str, str]  # by the column's key
    source: str = ""
    number: int = 0
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """An entry as the rows have it, and as it was before; None: it is new."""

    entry: Entry
    was: Entry | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault and the row that it stands in."""

    fault: Fault
    row: Row


class Reader:
    """Takes rows for entries. `wrong` gathers what could not be understood."""

    def __init__(
        self, before: Content, rows: Mapping[str, Sequence[Row]], linked: Mapping[str, str] | None = None
    ) -> None:
        """linked: ids of people in sheets, by now other ones at the chat network -> these."""
        self.before = before
        self._linked = linked or {}
        self.wrong: list[Wrong] = []
        self._rows = rows
        self._names = {
            "areas": Names(chain(before.areas, self._sketched("areas", Area))),
            "units": Names(chain(before.units, self._sketched("units", Unit))),
        }

    def _sketched(self, table: str, model: type[Any]) -> Iterator[Any]:
        """The sheet's areas or units with no more than what they are called."""
        for row in self._rows.get(table, ()):
            aliases = tuple(map(plain, split(row.cells.get("aliases", ""), LISTED)))
            more = {"aliases": aliases} if table == "units" else {}
            code, name = row.cells.get("code", ""), row.cells.get("name", "")
            yield model.model_construct(code=code, name=name, **more)

    def read(self, table: str) -> list[Read]:
        rows = self._rows.get(table, ())
        found = self._people(rows) if table == "people" else self._simple(table, rows)
        seen: set[str] = set()
        for read in found:
            if (key := key_of(read.entry)) in seen:
                column = BY_TABLE[table].columns[0].key
                self._say(Fault(Problem.TWICE, table, field=column, value=key), read.rows[0])
            seen.add(key)
        return found

    def _say(self, fault: Fault, row: Row) -> None:
        self.wrong.append(Wrong(fault, row))

    def _simple(self, table: str, rows: Sequence[Row]) -> list[Read]:
        old = {key_of(entry): entry for entry in getattr(self.before, table)}
        groups = _GroupsBefore(self.before.groups, rows)
        found = []
        for row in rows:
            was = groups.of(row, self._say) if table == "groups" else old.get(row.cells.get("code", ""))
            values = (was.model_dump() if was else {}) | self._values(BY_TABLE[table], row)
            if table == "groups" and isinstance(was, Group) and not values.get("id"):
                values["id"] = was.id
            if entry := self._made(table, values, row):
                found.append(Read(entry, was, (row,)))
        return found

    def _made(self, table: str, values: dict[str, Any], row: Row) -> Entry | None:
        if values.get("kind") is None:
            values.pop("kind", None)
        try:
            return _MODELS[table].model_validate(values)
        except ValidationError as error:
            for fault in of_entry(error, table, -1, values):
                self._say(fault, row)
            return None

    def _values(self, sheet: Sheet, row: Row) -> dict[str, Any]:
        """The row's cells as the entry takes them; what is not understood is said and left out."""
        values: dict[str, Any] = {}
        for key, cell in row.cells.items():
            column = sheet.column(key)
            try:
                values[key] = self._value(column, cell)
            except _NotUnderstood as why:
                self._say(Fault(why.problem, sheet.table, -1, key, why.value, why.other), row)
        return values

    def _value(self, column: Column, cell: str) -> Any:
        if column.words:
            if not cell:
                return None
            code = word_for(column.words, cell)
            if code is None:
                known = "、".join(words[0] for words in column.words.values())
                raise _NotUnderstood(Problem.CHOICE, cell, known)
            return code
        if column.key == "places":
            return [_landmark(part) for part in split(cell, LISTED)]
        if column.many:
            parts = [plain(part) for part in split(cell, LISTED)]
            return [self._code(column, part) for part in parts] if column.refers else parts
        if column.refers:
            return self._code(column, cell) if cell else None if column.key == "parent" else ""
        if column.key in {"latitude", "longitude"}:
            return cell or None
        return cell

    def _code(self, column: Column, asked: str) -> str:
        code = self._names[column.refers].find(asked)
        if code is None:
            raise _NotUnderstood(Problem.AMBIGUOUS, asked)
        return code

    def _people(self, rows: Sequence[Row]) -> list[Read]:
        sheet = BY_TABLE["people"]
        old = {person.id: person for person in self.before.people}
        held: dict[str, list[tuple[Row, dict[str, Any]]]] = {}
        finder = _PeopleBefore(self.before.people, rows, self._linked)
        for row in rows:
            if (person_id := finder.of(row, self._say)) is not None:
                held.setdefault(person_id, []).append((row, self._values(sheet, row)))
        found = []
        for person_id, posts in held.items():
            own = tuple(row for row, _ in posts)
            if person := self._person(person_id, posts, old.get(person_id)):
                found.append(Read(person, old.get(person_id), own))
        return found

    def _person(
        self, person_id: str, posts: list[tuple[Row, dict[str, Any]]], was: Person | None
    ) -> Person | None:
        names = [(row, values["name"]) for row, values in posts if values.get("name")]
        for row, name in names[1:]:
            if name != names[0][1]:
                self._say(Fault(Problem.OTHER_NAME, "people", -1, "id", person_id), row)
        name = names[0][1] if names else (was.name if was else "")
        given = [_post(values, was) for _, values in posts]
        if not posts[0][0].cells.keys() & {"role", "area", "unit"} and was is not None:
            given = [post.model_dump() for post in was.posts]
        main = given[0] if given else {}
        entry = self._made("people", {"id": person_id, "name": name, **main, "also": given[1:]}, posts[0][0])
        assert entry is None or isinstance(entry, Person)
        return entry


class _NotUnderstood(Exception):
    """A cell does not say what its column is for."""

    def __init__(self, problem: Problem, value: str, other: str = "") -> None:
        self.problem, self.value, self.other = problem, value, other


def _landmark(part: str) -> dict[str, Any]:
    names = [plain(name) for name in split(part, EQUALS)]
    return {"name": names[0] if names else "", "aliases": names[1:]}


def _post(values: dict[str, Any], was: Person | None) -> dict[str, Any]:
    """The row's post; what the sheet has no column for is as in the post that it seems to be."""
    given = {key: values[key] for key in ("role", "area", "unit") if values.get(key) is not None}
    for post in was.posts if was else ():
        held = post.model_dump()
        if all(held[key] == value for key, value in given.items()):
            return held if "role" in values else given | held
    return given


class _GroupsBefore:
    """Which group a row means: by id, else by topic, those first whose id is unknown."""

    def __init__(self, groups: Sequence[Group], rows: Sequence[Row]) -> None:
        self._by_id = {group.id: group for group in groups if group.id}
        claimed = {row.cells.get("id", "") for row in rows}
        self._by_topic: dict[str, list[Group]] = {}
        for group in groups:
            if not group.id or group.id not in claimed:
                self._by_topic.setdefault(group.topic, []).append(group)

    def of(self, row: Row, say: Any) -> Group | None:
        id, topic = row.cells.get("id", ""), row.cells.get("topic", "")
        if id in self._by_id:
            return self._by_id[id]
        alike = self._by_topic.get(topic, []) if topic else []
        unknown = [group for group in alike if not group.id]
        if id:
            return unknown[0] if len(unknown) == 1 else None
        if len(unknown) != 1 and len(alike) > 1:
            say(Fault(Problem.AMBIGUOUS, "groups", -1, "id", topic), row)
        return next(iter(unknown or alike), None)


class _PeopleBefore:
    """Which person a row means: by id; without one by a name that only one person has."""

    def __init__(self, people: Sequence[Person], rows: Sequence[Row], linked: Mapping[str, str]) -> None:
        self._linked = {old: new for old, new in linked.items() if old not in {p.id for p in people}}
        claimed = {self._linked.get(id, id) for row in rows if (id := row.cells.get("id", ""))}
        nameless = Counter(row.cells.get("name", "") for row in rows if not row.cells.get("id"))
        self._several = {name for name, count in nameless.items() if count > 1}
        self._named: dict[str, list[str]] = {}
        for person in people:
            if person.id not in claimed:
                self._named.setdefault(person.name, []).append(person.id)

    def of(self, row: Row, say: Any) -> str | None:
        id, name = row.cells.get("id", ""), row.cells.get("name", "")
        if id:
            return self._linked.get(id, id)
        if not name:
            say(Fault(Problem.EMPTY, "people", -1, "name"), row)
            return None
        if name in self._several:
            say(Fault(Problem.SAME_NAME, "people", -1, "id", name), row)
            return None
        found = self._named.get(name, [])
        if len(found) > 1:
            say(Fault(Problem.AMBIGUOUS, "people", -1, "id", name), row)
            return None
        made = made_id(name)
        return found[0] if found else self._linked.get(made, made)


def made_id(name: str) -> str:
    """Of a person whose id at the chat network is not known yet; the same name has the same."""
    return f"made-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def cells_of(entry: Entry) -> list[dict[str, str]]:
    """An entry's rows: one, or of a person one a post."""
    if isinstance(entry, Person):
        return [
            {
                "id": entry.id,
                "name": entry.name,
                "role": _written(BY_TABLE["people"].column("role"), post.role),
                "area": post.area,
                "unit": post.unit,
            }
            for post in entry.posts
        ]
    sheet = next(BY_TABLE[table] for table, model in _MODELS.items() if isinstance(entry, model))
    return [{column.key: _written(column, getattr(entry, column.key)) for column in sheet.columns}]


def _written(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.words:
        return column.words[value][0]
    if column.key == "places":
        return "、".join("=".join(escaped(name, LISTED + EQUALS) for name in place.names) for place in value)
    return listed(value) if column.many else str(value)


def landmarks_shown(places: Sequence[Landmark]) -> str:
    """Places and their other names as a cell has them."""
    return _written(BY_TABLE["areas"].column("places"), places)
