"""People who need more care: the register in memory, and whom of it a message is by, about or at the door of.

What stands here tells who is old and alone, or ill: no `repr` shows it, and it is said to the grid's own
people in private only (handlers/care_alerts.py, handlers/care_visits.py).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from classifiers.place import fold
from handlers.doors import Address, Door, doors, parsed
from handlers.gazetteer import canonical
from handlers.organisation import Level, Organisation, Person, Role
from handlers.permissions import Actor
from handlers.vault import Vault

_MOST = 3  # of one message; more are a list that somebody posted
_READ = 1000  # characters of a message that are read for names
_BESIDE = 6  # characters around a short name within which a care word counts
_CARE_WORDS = (
    *("老人", "婆婆", "爷爷", "奶奶", "太婆", "大爷", "大娘", "老汉", "老太", "老伯", "孃孃", "嬢嬢", "阿姨"),
    *("孤寡", "独居", "空巢", "残疾", "轮椅", "瘫", "卧床", "透析", "病人", "患者", "孕", "产妇"),
    *("娃", "孩子", "小孩", "留守"),
)
_TOLD_OWNERS, _TOLD_WORKERS = 2, 3
_OWN_PEOPLE = (Role.GRID_OWNER, Role.GRID_WORKER)


class CareKind(StrEnum):
    ELDERLY_ALONE = "elderly_alone"
    LEFT_BEHIND = "left_behind"
    DISABLED = "disabled"
    PREGNANT = "pregnant"
    CHRONIC = "chronic"


class Heard(StrEnum):
    """Why a message concerns somebody."""

    BY = "by"
    ABOUT = "about"
    AT = "at"


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One of the register. `chat` is the id at the chat network; a visit every so many days, 0 for none."""

    id: int
    area: str
    name: str
    kinds: tuple[CareKind, ...]
    address: str
    phone: str = ""
    chat: str = ""
    note: str = ""
    every_days: int = 0

    def __repr__(self) -> str:
        return f"Entry({self.id})"

    @property
    def identity(self) -> tuple[str, str]:
        """Who it is, however the address is written."""
        return fold(self.name).lower().replace(" ", ""), canonical(self.address).replace(" ", "")

    def sealed(self, vault: Vault) -> bytes:
        told: dict[str, Any] = {
            "name": self.name,
            "kinds": [str(kind) for kind in self.kinds],
            "address": self.address,
            "phone": self.phone,
            "chat": self.chat,
            "note": self.note,
            "every_days": self.every_days,
        }
        return vault.seal(json.dumps(told, ensure_ascii=False))


def unsealed(vault: Vault, id: int, area: str, sealed: bytes) -> Entry:
    """Raises Unreadable."""
    told = json.loads(vault.open(sealed))
    kinds = tuple(CareKind(kind) for kind in told.pop("kinds"))
    return Entry(id=id, area=area, kinds=kinds, **told)


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """An entry as it is looked for."""

    entry: Entry
    address: Address
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class Match:
    entry: Entry
    heard: Heard


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a message when it is looked for. `area`: where it belongs."""

    sender: str
    text: str
    area: str
    private: bool


@dataclass(slots=True, repr=False)
class Register:
    """Everybody of it, with the indexes by which a message is looked up. `trouble`: why it cannot be used."""

    entries: Sequence[Entry] = ()
    organisation: Organisation = field(default_factory=lambda: Organisation(areas={}, groups=(), people={}))
    vault: Vault | None = None
    trouble: str = ""
    _by_id: dict[int, Entry] = field(init=False, default_factory=dict)
    _by_chat: dict[str, list[Entry]] = field(init=False, default_factory=dict)
    _by_start: dict[str, list[tuple[str, Known]]] = field(init=False, default_factory=dict)
    _by_door: dict[Door, list[Known]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        areas = tuple(sorted((a.name for a in self.organisation.areas.values()), key=len, reverse=True))
        for entry in self.entries:
            places = frozenset(place.name for place in self.organisation.places.find(entry.address))
            known = Known(entry, parsed(entry.address, areas), places)
            self._by_id[entry.id] = entry
            if entry.chat:
                self._by_chat.setdefault(entry.chat, []).append(entry)
            name = entry.identity[0]
            if len(name) > 1:
                self._by_start.setdefault(name[:2], []).append((name, known))
            if any(known.address.door):
                self._by_door.setdefault(known.address.door, []).append(known)

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, id: int) -> Entry | None:
        return self._by_id.get(id)

    def find(self, told: Told) -> list[Match]:
        """Whom the message concerns; nobody where the register is empty or the message a list of people."""
        if not self.entries:
            return []
        found = {entry.id: Match(entry, Heard.BY) for entry in self._by_chat.get(told.sender, ())}
        text = canonical(told.text[:_READ])
        for match in (*self._about(told, text), *self._at(told, text)):
            found.setdefault(match.entry.id, match)
        return list(found.values()) if len(found) <= _MOST else []

    def _about(self, told: Told, text: str) -> Iterator[Match]:
        position = 0
        while position < len(text) - 1:
            starts = self._by_start.get(text[position : position + 2], ())
            named = [(name, known) for name, known in starts if text.startswith(name, position)]
            longest = max((len(name) for name, _ in named), default=1)
            for name, known in named:
                # 王小 is not in 王小明; whoever is meant lives where this is heard.
                sure = len(name) > 2 or self._says_more(text, position, known)
                if sure and len(name) == longest and self._near(told, known.entry.area):
                    yield Match(known.entry, Heard.ABOUT)
            position += longest if named else 1

    def _says_more(self, text: str, position: int, known: Known) -> bool:
        """Many words look like a name of two characters: something beside it has to say that it is one."""
        beside = text[max(position - _BESIDE, 0) : position + 2 + _BESIDE]
        return any(word in beside for word in _CARE_WORDS) or self._names_place(text, known)

    def _at(self, told: Told, text: str) -> Iterator[Match]:
        numbers = doors(text)
        candidates = [known for key in numbers.possible() for known in self._by_door.get(key, ())]
        if not candidates:
            return
        named = [known for known in candidates if self._names_place(text, known)]
        if not named:
            # 3-2-501 alone: whose it is must not be a guess.
            named = [known for known in candidates if self._is_plain(told, known)]
            if len({(known.entry.area, known.address.name) for known in named}) > 1:
                return
        for known in named:
            if self._near(told, known.entry.area) and _same_house(numbers.houses, numbers.buildings, known):
                yield Match(known.entry, Heard.AT)

    def _is_plain(self, told: Told, known: Known) -> bool:
        """Whether the door alone tells enough: it has building and room, and the group is its own grid's."""
        building, _, room = known.address.door
        own = self.organisation.level_of(told.area) is Level.GRID
        return bool(building and room and own and self._near(told, known.entry.area))

    def _near(self, told: Told, area: str) -> bool:
        """In private anybody may be meant; in a group those of its area, which is not the whole street."""
        if told.private:
            return True
        within = self.organisation.within
        return told.area != self.organisation.root and (within(area, told.area) or within(told.area, area))

    def _names_place(self, text: str, known: Known) -> bool:
        names = (known.address.name, self.organisation.area_name(known.entry.area))
        if any(len(name) > 1 and name in text for name in names):
            return True
        return any(place.name in known.places for place in self.organisation.places.find(text))


def _same_house(houses: tuple[str, ...], buildings: tuple[str, ...], known: Known) -> bool:
    """滨江路14号3栋 is not 滨江路12号3栋; who leaves the house out means the one that is known."""
    return not (known.address.house and buildings and houses) or known.address.house in houses


def sees(organisation: Organisation, actor: Actor | Person, area: str) -> bool:
    """Whether somebody is of the grid's own people: owner or worker of that grid, or of a part of it.

    Posts for a community or the whole street are none: those see numbers only.
    """
    return any(
        post.role in _OWN_PEOPLE
        and organisation.level_of(post.area) is Level.GRID
        and (organisation.within(area, post.area) or organisation.within(post.area, area))
        for post in actor.posts
        if post.area in organisation.areas
    )


def own_people(organisation: Organisation, area: str, role: Role) -> list[Person]:
    """The grid's own people of a role, those of the nearest area first."""
    found = [
        person for person in organisation.staff(area, role) if _of_grid(organisation, person, role, area)
    ]
    below = sorted(organisation.all_within(area) - {area})
    inner = [p for code in below for post, p in organisation.posted(code) if post.role is role]
    return list({person.id: person for person in (*found, *inner)}.values())


def _of_grid(organisation: Organisation, person: Person, role: Role, area: str) -> bool:
    posts = [post for post in person.posts if post.role is role and post.area in organisation.areas]
    return any(
        organisation.level_of(post.area) is Level.GRID and organisation.within(area, post.area)
        for post in posts
    )


def told_of(organisation: Organisation, area: str) -> list[Person]:
    """Who is told of somebody in need there: the grid owner, else the grid's workers; nobody from above."""
    owners = own_people(organisation, area, Role.GRID_OWNER)[:_TOLD_OWNERS]
    return owners or own_people(organisation, area, Role.GRID_WORKER)[:_TOLD_WORKERS]
