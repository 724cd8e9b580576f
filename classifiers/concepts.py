"""The reviewed word tables in lexicon/: dialect to standard words, and which words speak of what."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "lexicon"


class LexiconError(ValueError):
    """A line of a word table does not read "left<TAB>right"."""


def _lines(name: str) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate((_FOLDER / name).read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        left, tab, right = line.partition("\t")
        if not (tab and left.strip() and right.strip()):
            raise LexiconError(f"{name}:{number}: expected two columns with a tab between")
        pairs.append((left.strip(), right.strip()))
    return pairs


class Phrases:
    """Finds phrases in a text by their first two characters: two look-ups a character, rarely more."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = dict(table)
        # Which lengths a phrase that starts with these two characters may have, longest first.
        lengths: dict[str, set[int]] = {}
        for phrase in self._table:
            if len(phrase) > 1:
                lengths.setdefault(phrase[:2], set()).add(len(phrase))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def __contains__(self, phrase: str) -> bool:
        return phrase in self._table

    def _longest(self, text: str, position: int) -> str:
        for length in self._lengths.get(text[position : position + 2], ()):
            phrase = text[position : position + length]
            if phrase in self._table:
                return phrase
        return text[position]

    def replace(self, text: str) -> str:
        """The text with each phrase replaced by its value, the longest first."""
        pieces: list[str] = []
        position, table = 0, self._table
        while position < len(text):
            phrase = self._longest(text, position)
            pieces.append(table.get(phrase, phrase))
            position += len(phrase)
        return "".join(pieces)

    def found(self, text: str) -> dict[str, str]:
        """Phrase -> value for every phrase in the text, overlapping ones too, in order."""
        hits: dict[str, str] = {}
        table, lengths = self._table, self._lengths
        for position, character in enumerate(text):
            for length in lengths.get(text[position : position + 2], ()):
                phrase = text[position : position + length]
                if phrase in table:
                    hits[phrase] = table[phrase]
            if character in table:
                hits[character] = table[character]
        return hits


@cache
def dialect() -> Phrases:
    """Raises LexiconError for a bad table."""
    return Phrases({word: standard for words, standard in _lines("dialect.tsv") for word in words.split()})


@cache
def concepts() -> Phrases:
    """Word -> its concepts, with a space between. Raises LexiconError for a bad table."""
    table: dict[str, list[str]] = {}
    for concept, words in _lines("concepts.tsv"):
        for word in words.split():
            table.setdefault(word, []).append(concept)
    return Phrases({word: " ".join(dict.fromkeys(about)) for word, about in table.items()})


def standard(text: str) -> str:
    """A normalised text with dialect and chat spellings in standard words."""
    return dialect().replace(text)
