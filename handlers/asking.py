"""What somebody asks for in words: 查 棉花街 上周 汛情. Areas, labels, states and times in any order.

A word that is none of these is looked for in what is said of the matters; `Wish.unknown` names it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from classifiers.verdict import Label
from handlers.context import Context
from handlers.dates import days_in
from handlers.kinds import Sort
from handlers.lifecycle import State
from storage.board import EXPLAINED


class Part(StrEnum):
    """What a word asks for."""

    AREA = "area"
    LABEL = "label"
    STATE = "state"
    URGENCY = "urgency"
    FLAG = "flag"  # overdue, recurring
    DAYS = "days"
    SORT = "sort"
    PLACE = "place"  # known to the organisation; looked for by all its names
    WORD = "word"  # looked for in what is said
    NOTHING = "nothing"


Days = tuple[date, date]  # both counted in

_STATES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("在办", "未办结", "未结", "没办完", "没办结", "办理中", "open"), "open"),
    **dict.fromkeys(("已结", "办结", "已办结", "办完", "办完了", "结案", "已结案"), State.CLOSED),
    **dict.fromkeys(("未解决", "已解释", "未解决已解释"), EXPLAINED),
    **dict.fromkeys(("全部", "所有"), "all"),
    **dict.fromkeys(("待核查", "待核实"), State.PENDING_CHECK),
}
_FLAGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("超期", "超时", "逾期", "过期"), "overdue"),
    **dict.fromkeys(("反复", "反复办"), "recurring"),
}
_LABELS: Final[Mapping[str, str]] = {"防汛": Label.FLOOD, "矛盾": Label.DISPUTE, "隐患": Label.SAFETY}
_SORTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("设施", "设施问题"), Sort.FACILITY),
    **dict.fromkeys(("需求", "服务需求"), Sort.SERVICE),
}
_FILLERS: Final = (
    "的",
    "有",
    "有哪些",
    "哪些",
    "多少",
    "几件",
    "情况",
    "事",
    "事项",
    "清单",
    "和",
    "一下",
    "了",
)
_SUFFIX = re.compile(r"(?:街道|社区|网格)\Z")
_BETWEEN = re.compile(r"[\s,，、;；。.!！?？:：]+")


@dataclass(frozen=True, slots=True)
class Found:
    """One word as it was typed, and what it means."""

    part: Part
    said: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, in the order it was said."""

    found: tuple[Found, ...]

    def of(self, part: Part) -> Any:
        """The first of that part, None where there is none."""
        return next((one.value for one in self.found if one.part is part), None)

    def besides(self, *parts: Part) -> list[str]:
        """The words, as typed, that are of none of these parts."""
        return [one.said for one in self.found if one.part not in {*parts, Part.NOTHING}]

    def flag(self, name: str) -> bool:
        return any(one.part is Part.FLAG and one.value == name for one in self.found)

    @property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """What is looked for in the matters' words, each in all its forms."""
        return tuple(one.value for one in self.found if one.part in {Part.PLACE, Part.WORD})

    @property
    def days(self) -> Days | None:
        found: Days | None = self.of(Part.DAYS)
        return found


def read(ctx: Context, text: str) -> Wish:
    """What the text asks for."""
    known = _vocabulary(ctx)
    today = ctx.local(ctx.now).date()
    words = filter(None, _BETWEEN.split(unicodedata.normalize("NFKC", text).strip()))
    return Wish(tuple(found for word in words for found in _read(known, word, today)))


def _read(known: Mapping[str, Found], word: str, today: date) -> Iterator[Found]:
    """The word whole, or all that it is put together of; else area and day in front of what is looked for."""
    parts, rest = _split(known, word, today)
    if rest:
        parts, rest = _front(known, word, today)
        rest = rest.lstrip("的")
    yield from parts
    if rest:
        yield Found(Part.WORD, rest, (rest,))


def _split(known: Mapping[str, Found], word: str, today: date) -> tuple[list[Found], str]:
    parts: list[Found] = []
    while word and (found := _first(known, word, today)):
        parts.append(found)
        word = word[len(found.said) :]
    return parts, word


def _front(known: Mapping[str, Found], word: str, today: date) -> tuple[list[Found], str]:
    """棉花街路灯 is an area and what is there; 安全通道 is no label with something behind."""
    parts: list[Found] = []
    while word and (found := _first(known, word, today)) and found.part in {Part.AREA, Part.PLACE, Part.DAYS}:
        parts.append(found)
        word = word[len(found.said) :]
    return parts, word


def _first(known: Mapping[str, Found], word: str, today: date) -> Found | None:
    """The longest known word that it begins with."""
    named = days_in(word, today)
    day = Found(Part.DAYS, named[0], named[1]) if named else None
    for length in range(min(len(word), 24), 0, -1):
        if day is not None and length <= len(day.said):
            return day
        if found := known.get(word[:length].lower()):
            return Found(found.part, word[:length], found.value)
    return None


def _vocabulary(ctx: Context) -> dict[str, Found]:
    """By the word in small letters; of two meanings the earlier one counts."""
    texts, known = ctx.texts, dict[str, Found]()

    def put(part: Part, words: Mapping[str, Any]) -> None:
        for word, value in words.items():
            known.setdefault(word.lower(), Found(part, word, value))

    put(Part.FLAG, _FLAGS)
    put(Part.STATE, {**_STATES, **{texts(f"names.state.{state}"): state for state in State}})
    labels = [label for label in Label if label is not Label.NONE]
    put(Part.SORT, _SORTS)
    put(Part.LABEL, {**_LABELS, **{texts(f"names.label.{label}"): label for label in labels}})
    put(Part.URGENCY, {texts("names.urgency.3"): 3})
    put(Part.NOTHING, dict.fromkeys(_FILLERS))
    areas = sorted(ctx.organisation.areas.values(), key=lambda area: len(ctx.organisation.upwards(area.code)))
    put(Part.AREA, {area.name: area.code for area in areas} | {area.code: area.code for area in areas})
    short = [(_SUFFIX.sub("", area.name), area.code) for area in areas]
    for name, code in short:  # of two of the same name the upper one
        put(Part.AREA, {name: code} if len(name) > 1 else {})
    for area in areas:
        for place in area.places:
            put(Part.PLACE, dict.fromkeys(place.names, place.names))
    return known


def week_of(day: date) -> Days:
    """Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)
