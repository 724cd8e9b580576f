"""The street's places: which of them a text names, in which area they lie, whether two texts name the same.

People write 三栋 and 3栋, 负二楼 and B2, half and full width, simplified and traditional: `canonical` makes
these one before anything is compared.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from pydantic import Field, model_validator
from rapidfuzz import fuzz

from classifiers.place import fold, is_spot
from handlers.files import SHOWN, Trimmed

Name = Annotated[str, Field(min_length=2, max_length=40), SHOWN]


class Landmark(Trimmed):
    """A building, a road or a local name, with what else people call it."""

    name: Name
    aliases: tuple[Name, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE = re.compile(r"[零一二三四五六七八九十两]{1,3}(?=\s*(?:栋|幢|座|号|楼|层|单元))")
_BELOW = re.compile(r"(?:负|地下)\s*(\d{1,2})\s*(?:楼|层)?|(?<![a-z0-9])b(\d)(?:楼|层)?(?![a-z0-9])")


def canonical(text: str) -> str:
    """The text as places are compared: 三栋 -> 3栋, 负二楼, 负2层 and B2 -> -2楼, one width, one script."""
    arabic = _CHINESE.sub(lambda found: str(_value(found[0])), _chinese_below(fold(text).lower()))
    return _BELOW.sub(lambda found: f"-{found[1] or found[2]}楼", arabic)


def _chinese_below(text: str) -> str:
    return re.sub(r"负([一二三四五])", lambda found: f"负{_value(found[1])}", text)


def _value(numeral: str) -> int:
    """二十三 -> 23"""
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return int("".join(str(_DIGITS[character]) for character in numeral))
    return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A known place; `area` is "" for a local name that belongs to no area."""

    name: str
    area: str


class Gazetteer:
    """Finds the known places that a text names: the longest name first, none inside another."""

    def __init__(self, entries: Iterable[tuple[str, Entry]] = ()) -> None:
        """(what people write, what is meant); of the same writing the first counts."""
        self._entries: dict[str, Entry] = {}
        for written, entry in entries:
            self._entries.setdefault(canonical(written), entry)
        longest_first = sorted(self._entries, key=len, reverse=True)
        # 3栋 is not in 13栋.
        each = (
            rf"(?<!\d){re.escape(name)}" if name[0].isdigit() else re.escape(name) for name in longest_first
        )
        self._pattern = re.compile("|".join(each)) if longest_first else None

    def __len__(self) -> int:
        return len(set(self._entries.values()))

    def find(self, text: str) -> list[Entry]:
        """Each once, in the order of the text."""
        if self._pattern is None:
            return []
        found = self._pattern.findall(canonical(text))
        return list(dict.fromkeys(self._entries[name] for name in found))


def claims(landmarks: Iterable[tuple[str, Landmark]]) -> Iterator[tuple[str, str, str]]:
    """(name, area, other area) of each name that two areas claim; `landmarks` come with their area."""
    owners: dict[str, str] = {}
    for area, landmark in landmarks:
        for name in landmark.names:
            owner = owners.setdefault(canonical(name), area)
            if owner != area:
                yield name, owner, area


# Numbers that tell two places apart; 楼 and 层 do not: smoke on the 6th floor is smelt on the 7th.
_NUMBERED = re.compile(
    r"(?<![\d.-])(\d{1,4})\s*(?:(?P<house>栋|幢|座|号楼(?![上下道梯顶])|号院)"
    r"|(?P<unit>单元)|号(?P<thing>[线柜梯口桌台机门铺船泊点坑线窗]|电梯|货梯)?(?![晚早上下中凌那前后起之]午?|\d))"
)
_DASHED = re.compile(r"(?<![\d-])(\d{1,2})-\d{1,2}-\d{1,2}(?![\d-])")  # 4-1-6: house, unit, room
_STRONG = 0.8  # of 1: 滨江路9号 and 滨江路9号门口
_STRANGE = 0.4


def numbers(text: str) -> frozenset[tuple[str, int]]:
    """(what is numbered, number): 3栋2单元 -> ("house", 3), ("unit", 2)."""
    written = canonical(text)
    found = {("house", int(match[1])) for match in _DASHED.finditer(written)}
    for match in _NUMBERED.finditer(written):
        kind = "house" if match["house"] else "unit" if match["unit"] else match["thing"] or "number"
        found.add((kind, int(match[1])))
    return frozenset(found)


class Relation(Enum):
    """How two places stand to each other."""

    SAME = "same"
    UNKNOWN = "unknown"
    STRANGE = "strange"  # both named, in words that differ: perhaps two corners of one place
    APART = "apart"  # other known places, or other numbers: two places, whatever else is alike


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is, as far as texts tell: known places, numbers, and the words used."""

    entries: frozenset[Entry] = frozenset()
    numbers: frozenset[tuple[str, int]] = frozenset()
    words: tuple[str, ...] = ()

    @property
    def is_named(self) -> bool:
        """Whether it tells more than the kind of place."""
        return bool(self.entries or self.numbers or self.words)

    def __or__(self, other: "Spot") -> "Spot":
        words = tuple(dict.fromkeys(self.words + other.words))
        return Spot(self.entries | other.entries, self.numbers | other.numbers, words)

    def relation(self, other: "Spot") -> Relation:
        if self._apart(other):
            return Relation.APART
        if self.entries & other.entries or self._houses() & other._houses():
            return Relation.SAME
        pairs = [(mine, theirs) for mine in self.words for theirs in other.words]
        if not pairs:
            return Relation.UNKNOWN
        ratio = max(fuzz.partial_ratio(mine, theirs) for mine, theirs in pairs) / 100
        if ratio >= _STRONG:
            return Relation.SAME
        return Relation.STRANGE if ratio < _STRANGE else Relation.UNKNOWN

    def _apart(self, other: "Spot") -> bool:
        if self.entries and other.entries and not _meet(self.entries, other.entries):
            return True
        kinds = {kind for kind, _ in self.numbers} & {kind for kind, _ in other.numbers}
        return any(
            not {n for n in self.numbers if n[0] == kind} & {n for n in other.numbers if n[0] == kind}
            for kind in kinds
        )

    def _houses(self) -> frozenset[tuple[str, int]]:
        return frozenset(number for number in self.numbers if number[0] in {"house", "number"})


def _meet(one: Iterable[Entry], other: Iterable[Entry]) -> bool:
    """江岸大厦 is in 江岸大厦负二楼车库."""
    return any(a.name in b.name or b.name in a.name for a in one for b in other)


def spot(gazetteer: Gazetteer, text: str, place: str) -> Spot:
    """What a message and the place that was read from it tell of where it is."""
    words = canonical(place)
    named = (words,) if words and not is_spot(words) else ()
    return Spot(frozenset(gazetteer.find(text)), numbers(f"{text} {place}"), named)
