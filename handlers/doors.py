"""Doors: whether a message names the flat of an address, however it is written.

3栋2单元501, 3幢2单元5-1 and 3-2-501 are one door; 5-1 is how Chongqing writes floor 5, door 1.
"""

import re
from dataclasses import dataclass
from itertools import product

from handlers.gazetteer import canonical

# (building, unit, room), "" where there is none.
Door = tuple[str, str, str]

_MOST = 24  # doors of one text that are looked up
_LONGEST = 400  # characters of a message that are read for doors
_TOKEN = re.compile(
    r"(?<![\d-])(?P<dashed>\d{1,4}(?:-\d{1,4}){1,3})(?![\d-])"
    r"|附\s*(?P<annex>\d{1,3})\s*号?"
    r"|(?P<building>\d{1,4})\s*(?:号楼|栋|幢|座|#)"
    r"|(?P<unit>\d{1,2})\s*单元"
    r"|(?<![\d-])(?P<floor>\d{1,2})\s*[楼层]\s*(?P<door>\d{1,2})\s*[号室]"
    r"|(?P<house>\d{1,4})\s*号(?![楼院线])"
    r"|(?<![\d.-])(?P<room>\d{3,4})(?![\d.-])"
)
_ADMIN = re.compile(
    r"^(?:[^\d]{2,8}?省)?(?:[^\d]{2,6}?市(?:[^\d]{2,6}?(?<!小)区)?)?(?:[^\d]{2,8}?(?:街道|镇))?"
)


@dataclass(frozen=True, slots=True)
class Doors:
    """The numbers of a text, by what they count."""

    buildings: tuple[str, ...] = ()
    houses: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()

    @property
    def mains(self) -> tuple[str, ...]:
        """滨江路12号3栋: the building is 3; 石梯坎5号: it is 5."""
        return self.buildings or self.houses

    def possible(self) -> list[Door]:
        """The doors that may be meant. A room without a building counts for addresses that have none."""
        found = product(self.mains or ("",), self.units or ("",), self.rooms or ("",))
        return list(dict.fromkeys(key for key in found if any(key)))[:_MOST]


def doors(text: str) -> Doors:
    """The numbers in the text. `text` is canonical."""
    kinds: dict[str, list[str]] = {"buildings": [], "houses": [], "units": [], "rooms": []}
    for found in _TOKEN.finditer(text[:_LONGEST]):
        for kind, number in _meaning(found):
            if number not in kinds[kind]:
                kinds[kind].append(number)
    return Doors(**{kind: tuple(numbers) for kind, numbers in kinds.items()})


def _meaning(found: re.Match[str]) -> list[tuple[str, str]]:
    parts = found.groupdict()
    if parts["dashed"]:
        return _dashed([part.lstrip("0") or "0" for part in parts["dashed"].split("-")])
    if parts["annex"]:
        return [("units", f"附{parts['annex']}")]
    if parts["floor"]:
        return [("rooms", _room(parts["floor"], parts["door"]))]
    for kind in ("building", "unit", "house", "room"):
        if parts[kind]:
            return [(f"{kind}s", parts[kind].lstrip("0") or "0")]
    return []


def _dashed(parts: list[str]) -> list[tuple[str, str]]:
    *before, last = parts
    if len(last) < 3:  # floor and door
        floor = before.pop()
        last = _room(floor, last)
    kinds = ("buildings", "units")
    return [*zip(kinds, before, strict=False), ("rooms", last)]


def _room(floor: str, door: str) -> str:
    return f"{floor}{int(door):02d}"


@dataclass(frozen=True, slots=True)
class Address:
    """An address as messages are compared with it. `name`: the road, compound or house before the numbers."""

    door: Door
    house: str  # the number at the road where the building has one of its own
    name: str


def parsed(address: str, areas: tuple[str, ...] = ()) -> Address:
    """`areas`: names of areas, which people leave out when they say where they live."""
    text = canonical(address)
    found = doors(text)
    first = _TOKEN.search(text)
    name = _ADMIN.sub("", text[: first.start()] if first else text)
    for area in areas:
        name = name.replace(area, "")
    keys = found.possible()
    house = found.houses[0] if found.buildings and found.houses else ""
    return Address(keys[0] if keys else ("", "", ""), house, name.strip(" ,，、的"))
