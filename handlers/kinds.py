"""Which facility problem (设施问题) or service wish (服务需求) a matter is: the words of kinds.yaml.

Read anew each time it is asked, so that a better table also counts for what was reported before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from classifiers.place import fold
from classifiers.verdict import Label
from handlers.files import read_mapping

_FILE: Final = Path(__file__).with_name("kinds.yaml")
OTHER: Final = "other"
_TROUBLE_NEEDED: Final = frozenset({Label.SAFETY, Label.FLOOD})


class Sort(StrEnum):
    """Which of the two lists."""

    FACILITY = "facility"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the table. `code` is unique within its list."""

    sort: Sort
    code: str
    name: str


class _Words:
    """Finds the words of a table in a text, the longest at each position."""

    def __init__(self, words: Mapping[str, int]) -> None:
        """words: -> what each stands for, such as the number of its line."""
        self._by_first: dict[str, list[tuple[str, int]]] = {}
        for word in sorted(words, key=len, reverse=True):
            self._by_first.setdefault(word[0], []).append((word, words[word]))

    def find(self, text: str) -> Iterator[tuple[str, int]]:
        """Each word as often as it is there, none inside another."""
        position = 0
        while position < len(text):
            step = 1
            for word, line in self._by_first.get(text[position], ()):
                if text.startswith(word, position):
                    yield word, line
                    step = len(word)
                    break
            position += step


@dataclass(frozen=True, slots=True)
class _Table:
    kinds: tuple[Kind, ...]
    words: _Words
    trouble: _Words


@lru_cache(maxsize=1)
def _table() -> _Table:
    content = read_mapping(_FILE)
    kinds: list[Kind] = []
    words: dict[str, int] = {}
    for sort in Sort:
        for code, line in content[sort].items():
            words |= dict.fromkeys(fold(line["words"]).lower().split(), len(kinds))
            kinds.append(Kind(sort, code, line["name"]))
    kinds.append(Kind(Sort.SERVICE, OTHER, "其他诉求"))
    trouble = dict.fromkeys(fold(content["trouble"]).split(), True)
    harmless = dict.fromkeys(fold(content["harmless"]).split(), False)
    return _Table(tuple(kinds), _Words(words), _Words(trouble | harmless))


def kinds(sort: Sort) -> list[Kind]:
    """Of one of the lists, in the order of the table."""
    return [kind for kind in _table().kinds if kind.sort is sort]


@lru_cache(maxsize=50_000)  # a board of 10,000 tickets is read again with every change
def kind_of(label: str, summary: str, place: str = "") -> Kind | None:
    """The kind of a matter of that label, by what was said of it; None: in neither list.

    A dispute is in neither. What is a danger is a facility problem where a thing is said to be broken. The
    name of the place tells nothing (石梯坎 is no broken step) unless nothing else does (2单元电梯).
    """
    if label not in {Label.SERVICE, *_TROUBLE_NEEDED}:
        return None
    table, folded = _table(), fold(f"{place} {summary}").lower()
    beside = folded.replace(fold(place).lower(), " ") if place else folded
    weight = _weighed(table, beside, label) or _weighed(table, folded, label)
    if label in _TROUBLE_NEEDED:
        if not weight or not any(wrong for _, wrong in table.trouble.find(folded)):
            return None
    elif not weight:
        return table.kinds[-1]
    return table.kinds[min(weight, key=lambda line: (-weight[line], line))]


def _weighed(table: _Table, text: str, label: str) -> dict[int, int]:
    """By line of the table, how many characters of its words are there."""
    weight: dict[int, int] = {}
    for word, line in dict.fromkeys(table.words.find(text)):
        if label == Label.SERVICE or table.kinds[line].sort is Sort.FACILITY:
            weight[line] = weight.get(line, 0) + len(word)
    return weight
