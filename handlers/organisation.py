"""Who and what the street is: areas, groups, people. Read from a YAML file, checked as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from handlers.files import ConfigError, Part, dotted, mistakes, read_mapping
from handlers.gazetteer import Entry, Gazetteer, Landmark, claims


class Role(StrEnum):
    RESIDENT = "resident"
    COURIER = "courier"
    VOLUNTEER = "volunteer"
    GRID_WORKER = "grid_worker"
    GRID_OWNER = "grid_owner"
    UNIT = "unit"
    COORDINATOR = "coordinator"
    BOT = "bot"  # another bot in the group: never answered


class GroupKind(StrEnum):
    RESIDENTS = "residents"
    OWNERS = "owners"
    DISASTER = "disaster"
    COURIER = "courier"
    SCENIC = "scenic"
    PHOTOGRAPHERS = "photographers"
    MERCHANTS = "merchants"
    HOMESTAY = "homestay"
    DOCK = "dock"
    PARENTS = "parents"
    ELDERLY = "elderly"
    VOLUNTEER = "volunteer"
    UNITS = "units"
    COORDINATORS = "coordinators"

    @classmethod
    def _missing_(cls, value: object) -> "GroupKind":
        """An unknown kind is served as residents."""
        return cls.RESIDENTS


class Level(StrEnum):
    """Who has the ticket: 网格, 社区, 街道, 区. Areas have the first three and micro-grids below them."""

    GRID = "grid"
    COMMUNITY = "community"
    STREET = "street"
    DISTRICT = "district"

    @property
    def above(self) -> "Level | None":
        ladder = list(Level)
        position = ladder.index(self) + 1
        return ladder[position] if position < len(ladder) else None


class Area(Part):
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    parent: str | None = None
    places: tuple[Landmark, ...] = ()
    neighbours: tuple[str, ...] = ()


class Group(Part):
    id: str = ""
    topic: str = ""
    kind: GroupKind = GroupKind.RESIDENTS
    area: str = ""

    @model_validator(mode="before")
    @classmethod
    def _unknown_kind(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("kind") is not None:
            return {**values, "kind": GroupKind(str(values["kind"]))}
        return values

    @model_validator(mode="after")
    def _named(self) -> "Group":
        if not self.id and not self.topic:
            raise ValueError("a group needs an id or a topic")
        return self


class Person(Part):
    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    role: Role = Role.RESIDENT
    area: str = ""


class _File(Part):
    areas: tuple[Area, ...] = ()
    groups: tuple[Group, ...] = ()
    people: tuple[Person, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Organisation:
    """The street as the handlers ask for it. Built whole or not at all; replaced whole on reload."""

    areas: dict[str, Area]
    groups: tuple[Group, ...]
    people: dict[str, Person]
    words: tuple[str, ...] = ()
    root: str = ""
    places: Gazetteer = field(init=False, repr=False, default_factory=Gazetteer)
    _by_id: dict[str, Group] = field(init=False, repr=False, default_factory=dict)
    _by_topic: dict[str, Group] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", Gazetteer(self._written()))
        for group in self.groups:
            if group.id:
                self._by_id[group.id] = group
            if group.topic:
                self._by_topic.setdefault(group.topic, group)

    def _written(self) -> Iterator[tuple[str, Entry]]:
        """What people may write for a place, and what is meant by it."""
        for area in self.areas.values():
            for landmark in area.places:
                yield from ((name, Entry(landmark.name, area.code)) for name in landmark.names)
        yield from ((word, Entry(word, "")) for word in self.words if len(word) > 1)

    @property
    def street_code(self) -> str:
        """The prefix of ticket numbers: the street's code in capitals."""
        return (self.root or "GRID").upper()

    def bound_group(self, room: str, topic: str = "") -> Group | None:
        return self._by_id.get(room) or (self._by_topic.get(topic) if topic else None)

    def group(self, room: str, topic: str = "") -> Group:
        """The group of that id or topic; one that the file does not name is served as the street's own."""
        return self.bound_group(room, topic) or Group(id=room or "private", topic=topic, area=self.root)

    def person(self, person_id: str) -> Person | None:
        return self.people.get(person_id)

    def role(self, person_id: str) -> Role:
        person = self.people.get(person_id)
        return person.role if person else Role.RESIDENT

    def upwards(self, code: str) -> Iterator[Area]:
        """The area and everything above it, nearest first. An unknown code counts as the street."""
        area = self.areas.get(code) or self.areas.get(self.root)
        while area is not None:
            yield area
            area = self.areas.get(area.parent) if area.parent else None

    def within(self, code: str, above: str) -> bool:
        """Whether area `code` is `above` or lies below it."""
        return any(area.code == above for area in self.upwards(code))

    def near(self, code: str) -> list[str]:
        """Areas whose matters may be those of `code`: itself, those above and below it, and its neighbours.

        Neighbours are those beside it under the same parent, and those that the file names as such.
        """
        if code not in self.areas:
            return [code]
        area = self.areas[code]
        above = [found.code for found in self.upwards(code)]
        below = [other for other in self.areas if self.within(other, code)]
        beside = [other.code for other in self.areas.values() if other.parent == area.parent]
        named = [*area.neighbours, *(o.code for o in self.areas.values() if code in o.neighbours)]
        return list(dict.fromkeys([*above, *below, *beside, *named]))

    def level_of(self, code: str) -> Level:
        """By depth: the root is the street, its children communities, all below are grids."""
        depth = sum(1 for _ in self.upwards(code))
        return {0: Level.STREET, 1: Level.STREET, 2: Level.COMMUNITY}.get(depth, Level.GRID)

    def area_at(self, code: str, level: Level) -> Area | None:
        """The area of that level at or above `code`; for the district the street itself (its edge)."""
        wanted = Level.STREET if level is Level.DISTRICT else level
        found = [area for area in self.upwards(code) if self.level_of(area.code) is wanted]
        return found[-1] if found else None

    def community_name(self, code: str) -> str:
        area = self.area_at(code, Level.COMMUNITY) or self.areas.get(self.root)
        return area.name if area else ""

    def area_name(self, code: str) -> str:
        area = self.areas.get(code)
        return area.name if area else ""

    def staff(self, code: str, *roles: Role) -> list[Person]:
        """People of these roles for an area, those of the nearest area first."""
        order = {area.code: distance for distance, area in enumerate(self.upwards(code))}
        found = [p for p in self.people.values() if p.role in roles and (p.area or self.root) in order]
        return sorted(found, key=lambda person: order[person.area or self.root])

    def groups_of(self, kind: GroupKind, code: str) -> list[Group]:
        """Groups of a kind bound to the area or above it, nearest first."""
        order = {area.code: distance for distance, area in enumerate(self.upwards(code))}
        found = [g for g in self.groups if g.kind is kind and (g.area or self.root) in order]
        return sorted(found, key=lambda group: order[group.area or self.root])

    def gazetteer(self) -> list[str]:
        """Names a message may use for a place: areas, their places and the street's own words."""
        areas = self.areas.values()
        landmarks = {name for area in areas for landmark in area.places for name in landmark.names}
        return sorted({*self.words, *(area.name for area in areas), *landmarks})


def load_organisation(path: Path) -> Organisation:
    """Reads and checks the whole file. Raises ConfigError with one line a mistake."""
    try:
        content = _File.model_validate(read_mapping(path))
    except ValidationError as error:
        lines = [f"{path}: {dotted(place)}: {why}" for place, why in mistakes(error)]
        raise ConfigError("\n".join(lines)) from None
    if found := list(_mistakes(content)):
        raise ConfigError("\n".join(f"{path}: {line}" for line in found))
    return build(content.areas, content.groups, content.people, content.words)


def build(
    areas: Sequence[Area],
    groups: Sequence[Group] = (),
    people: Sequence[Person] = (),
    words: Sequence[str] = (),
) -> Organisation:
    """An organisation of checked parts."""
    roots = [area.code for area in areas if area.parent is None]
    return Organisation(
        areas={area.code: area for area in areas},
        groups=tuple(groups),
        people={person.id: person for person in people},
        words=tuple(words),
        root=roots[0] if roots else "",
    )


def _mistakes(content: _File) -> Iterator[str]:
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
