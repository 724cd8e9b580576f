"""What stands in one cell of a sheet: words, lists, names of areas and units."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from handlers.organisation import Area, Unit
from handlers.sheet_columns import Synonyms

LISTED: Final = "、；;，,\n"
EQUALS: Final = "=＝"


def folded(text: str) -> str:
    """As names and words are compared: one width, one case, no marks such as 姓名*（必填）."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold().replace(" ", "")
    return plain.partition("(")[0].strip("*:") or plain


def split(cell: str, separators: str) -> list[str]:
    """The parts between separators; a backslash takes the next character as it is, and stays."""
    parts, escaped = [""], False
    for character in cell:
        if character in separators and not escaped:
            parts.append("")
            continue
        parts[-1] += character
        escaped = character == "\\" and not escaped
    return [part.strip() for part in parts if part.strip()]


def plain(part: str) -> str:
    found, escaped = "", False
    for character in part:
        escaped = character == "\\" and not escaped
        found += "" if escaped else character
    return found


def escaped(text: str, separators: str) -> str:
    return "".join(f"\\{c}" if c in separators or c == "\\" else c for c in text)


def listed(parts: Iterable[str]) -> str:
    """What `split` takes apart again."""
    return "、".join(escaped(part, LISTED) for part in parts)


class Names:
    """Finds an area or unit by its code, else by its name (a unit's other names, too)."""

    def __init__(self, entries: Iterable[Area | Unit]) -> None:
        self._codes: set[str] = set()
        self._named: dict[str, set[str]] = {}
        for entry in entries:
            self._codes.add(entry.code)
            others = entry.aliases if isinstance(entry, Unit) else ()
            for name in (entry.name, *others):
                self._named.setdefault(name, set()).add(entry.code)

    def find(self, asked: str) -> str | None:
        """The code; what nobody knows as it is, for the check of the whole; None where several fit."""
        if asked in self._codes:
            return asked
        found = self._named.get(asked, set())
        return None if len(found) > 1 else next(iter(found), asked)


def word_for(words: Synonyms, cell: str) -> str | None:
    """The code that a cell means, None for an unknown word."""
    asked = folded(cell)
    for code, said in words.items():
        if asked == code or asked in {folded(word) for word in said}:
            return str(code)
    return None
