"""Who and what the street is: areas, groups, people, units, risk points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from handlers.files import SHOWN, Trimmed
from handlers.gazetteer import Entry, Gazetteer, Landmark


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


Title = Annotated[str, Field(min_length=1, max_length=60), SHOWN]
Key = Annotated[str, Field(min_length=1, max_length=64), SHOWN]


class Area(Trimmed):
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    name: Title
    parent: str | None = None
    places: tuple[Landmark, ...] = ()
    neighbours: tuple[str, ...] = ()


class Group(Trimmed):
    id: Annotated[str, Field(max_length=200), SHOWN] = ""
    topic: Annotated[str, Field(max_length=200), SHOWN] = ""
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


class Post(Trimmed):
    """A role somebody has: in an area ("" is the whole street), for a unit its code as well."""

    role: Role = Role.RESIDENT
    area: str = ""
    unit: str = ""


class Person(Trimmed):
    """`role` and `area` are the main post, which says how the person speaks; `also` are the others."""

    id: Annotated[str, Field(min_length=1, max_length=200), SHOWN]
    name: Title
    role: Role = Role.RESIDENT
    area: str = ""
    unit: str = ""
    also: tuple[Post, ...] = ()

    @property
    def posts(self) -> tuple[Post, ...]:
        """The main one first."""
        return (Post(role=self.role, area=self.area, unit=self.unit), *self.also)

    def has(self, *roles: Role) -> bool:
        return any(post.role in roles for post in self.posts)


class UnitKind(StrEnum):
    """What a unit does; the other one is whatever the list does not name."""

    POLICE = "police"
    FIRE = "fire"
    HOSPITAL = "hospital"
    CITY = "city"  # 城管
    ECONOMY = "economy"  # 经信
    POWER = "power"
    GAS = "gas"
    WATER = "water"
    TELECOM = "telecom"
    MOBILE = "mobile"
    UNICOM = "unicom"
    TOWER = "tower"
    OTHER = "other"


class Unit(Trimmed):
    """A unit that joins in. A person with role unit and no unit of his own is a unit by himself."""

    code: Key
    name: Title
    kind: UnitKind = UnitKind.OTHER
    area: str = ""
    aliases: tuple[Title, ...] = ()


class RiskKind(StrEnum):
    FLOODING = "flooding"  # 易涝点
    LANDSLIDE = "landslide"  # 滑坡
    BUILDING = "building"  # 危房
    WALL = "wall"  # 挡墙、堡坎
    TREE = "tree"
    FIRE = "fire"
    CABLE = "cable"  # 电缆井
    OTHER = "other"


class RiskPoint(Trimmed):
    """A mapped risk point. `latitude`, `longitude`: degrees, WGS 84."""

    code: Key
    name: Title
    kind: RiskKind = RiskKind.OTHER
    area: str = ""
    place: Annotated[str, Field(max_length=200), SHOWN] = ""
    aliases: tuple[Title, ...] = ()
    latitude: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None


@dataclass(frozen=True)
class Organisation:
    """The street as the handlers ask for it. Built whole or not at all; replaced whole on reload."""

    areas: dict[str, Area]
    groups: tuple[Group, ...]
    people: dict[str, Person]
    words: tuple[str, ...] = ()
    root: str = ""
    units: dict[str, Unit] = field(default_factory=dict)
    risk_points: dict[str, RiskPoint] = field(default_factory=dict)
    places: Gazetteer = field(init=False, repr=False, default_factory=Gazetteer)
    _by_id: dict[str, Group] = field(init=False, repr=False, default_factory=dict)
    _by_topic: dict[str, Group] = field(init=False, repr=False, default_factory=dict)
    # Asked with every message, of streets with hundreds of areas and thousands of people.
    _above: dict[str, tuple[Area, ...]] = field(init=False, repr=False, default_factory=dict)
    _below: dict[str, frozenset[str]] = field(init=False, repr=False, default_factory=dict)
    _posted: dict[str, list[tuple[Post, Person]]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        below: dict[str, set[str]] = {}
        for code in self.areas:
            self._above[code] = tuple(self._climb(code))
            for area in self._above[code]:
                below.setdefault(area.code, set()).add(code)
        self._below.update({code: frozenset(codes) for code, codes in below.items()})
        for person in self.people.values():
            for post in person.posts:
                self._posted.setdefault(post.area or self.root, []).append((post, person))
            if person.role is Role.UNIT and not person.unit:
                self.units.setdefault(person.id, Unit(code=person.id, name=person.name, area=person.area))
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
        landmarks = {name for area in self.areas.values() for place in area.places for name in place.names}
        for point in self.risk_points.values():
            names = {name for name in (point.name, *point.aliases) if name not in landmarks}
            yield from ((name, Entry(point.name, point.area)) for name in sorted(names))
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

    def upwards(self, code: str) -> tuple[Area, ...]:
        """The area and everything above it, nearest first. An unknown code counts as the street."""
        return self._above.get(code) or self._above.get(self.root, ())

    def _climb(self, code: str) -> Iterator[Area]:
        area = self.areas.get(code) or self.areas.get(self.root)
        while area is not None:
            yield area
            area = self.areas.get(area.parent) if area.parent else None

    def within(self, code: str, above: str) -> bool:
        """Whether area `code` is `above` or lies below it."""
        return any(area.code == above for area in self.upwards(code))

    def all_within(self, code: str) -> frozenset[str]:
        """The codes of the area and of all below it; none where there is no such area."""
        return self._below.get(code, frozenset())

    def near(self, code: str) -> list[str]:
        """Areas whose matters may be those of `code`: itself, those above and below it, and its neighbours.

        Neighbours are those beside it under the same parent, and those that the file names as such.
        """
        if code not in self.areas:
            return [code]
        area = self.areas[code]
        above = [found.code for found in self.upwards(code)]
        below = sorted(self.all_within(code))
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
        """People with a post of these roles for an area, those of the nearest area first."""
        found = [
            person
            for area in self.upwards(code)
            for post, person in self._posted.get(area.code, ())
            if post.role in roles
        ]
        return list({person.id: person for person in found}.values())

    def posted(self, area: str) -> list[tuple[Post, Person]]:
        """Who has a post in just this area."""
        return self._posted.get(area, [])

    def members(self, unit: str) -> list[Person]:
        """The people of a unit; one who is a unit by himself is his own."""
        own = [p for p in self.people.values() if any(post.unit == unit for post in p.posts)]
        return own or [person for person in [self.people.get(unit)] if person]

    def units_of(self, person: Person) -> list[Unit]:
        """The units somebody speaks for."""
        codes = [post.unit or person.id for post in person.posts if post.role is Role.UNIT]
        return [unit for code in codes if (unit := self.units.get(code))]

    def unit_named(self, name: str, area: str = "") -> Unit | None:
        """By code, name or alias; of several of that name the one nearest to the area, above it first."""
        wanted = name.strip()
        found = [unit for unit in self.units.values() if wanted in (unit.code, unit.name, *unit.aliases)]
        order = {above.code: distance for distance, above in enumerate(self.upwards(area))}
        return min(found, key=lambda u: order.get(u.area or self.root, len(order)), default=None)

    def groups_of(self, kind: GroupKind, code: str) -> list[Group]:
        """Groups of a kind bound to the area or above it, nearest first."""
        order = {area.code: distance for distance, area in enumerate(self.upwards(code))}
        found = [g for g in self.groups if g.kind is kind and (g.area or self.root) in order]
        return sorted(found, key=lambda group: order[group.area or self.root])

    def gazetteer(self) -> list[str]:
        """Names a message may use for a place: areas, their places and the street's own words."""
        areas = self.areas.values()
        landmarks = {name for area in areas for landmark in area.places for name in landmark.names}
        risky = {name for point in self.risk_points.values() for name in (point.name, *point.aliases)}
        return sorted({*self.words, *(area.name for area in areas), *landmarks, *risky})


def build(
    areas: Sequence[Area],
    groups: Sequence[Group] = (),
    people: Sequence[Person] = (),
    words: Sequence[str] = (),
    units: Sequence[Unit] = (),
    risk_points: Sequence[RiskPoint] = (),
) -> Organisation:
    """An organisation of checked parts."""
    roots = [area.code for area in areas if area.parent is None]
    return Organisation(
        areas={area.code: area for area in areas},
        groups=tuple(groups),
        people={person.id: person for person in people},
        words=tuple(words),
        root=roots[0] if roots else "",
        units={unit.code: unit for unit in units},
        risk_points={point.code: point for point in risk_points},
    )
