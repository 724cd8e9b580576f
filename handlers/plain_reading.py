"""Which texts may be a plain word in answer to the bot: a look at the text alone, nearly all are none."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from handlers import commands
from handlers.commands.parsing import FULL_NUMBER
from handlers.commands.plain_words import POLITE_BEFORE, POLITE_BEHIND, Note, Plain, all_words
from handlers.commands.registry import COMMANDS
from handlers.shapes import doubted

_LONGEST = 300  # characters: with a note; a longer text tells something else
_LONGEST_WORD = 24  # the same without one
_STICKER = re.compile(r"\[[^\[\]\s]{1,6}\]")  # [强], [OK]: how the network writes its own
_CALLED = re.compile(r"^(?:@[^\s\u2005]+[\s\u2005]+)+")
_CALLED_BEHIND = re.compile(r"(?:[\s\u2005]*@[^\s\u2005]+)+[\s\u2005]*$")
_AROUND = re.compile(r"^[^\w#]+|[^\w#]+$")  # punctuation, spaces, emoji
_ASKED = re.compile(r"[?？]|[吗没]\W*$")
_TICKET = rf"(?:{FULL_NUMBER}|[0-9]{{1,5}})"
_BEFORE = re.compile(rf"^({_TICKET})[号单]?[\s,，:：、]*(?=[^\W\d])")
_BEHIND = re.compile(rf"[\s,，:：、]*({_TICKET})[号单]?$")
_INSIDE = re.compile(rf"^[\s,，:：、]*({_TICKET})[号单]?(?=$|[\s,，:：、。])")
_PARTED = re.compile(r"^了?(?:$|[\s,，:：、。.!！;；~～])")


@dataclass(frozen=True, slots=True)
class Said:
    """A message that may be a plain word: what it may mean, the ticket's number if told, and the note."""

    rows: tuple[Plain, ...]
    number: str = ""
    note: str = ""


def candidate(text: str) -> Said | None:
    """What the text may mean as an answer to the bot; None for all other text, that is for nearly all."""
    if len(text) > _LONGEST or text.lstrip().startswith(("#", "＃")):
        return None
    body = _bare(_STICKER.sub("", text))
    if not body or (len(body) <= _LONGEST_WORD and _ASKED.search(text)):
        return None
    number = ""
    if leading := _BEFORE.match(body):
        number, body = leading[1].upper(), body[leading.end() :]
    if len(body) <= _LONGEST_WORD:
        if rows := _whole(body):
            return Said(rows, number)
        if not number and (behind := _BEHIND.search(body)) and (rows := _whole(body[: behind.start()])):
            return Said(rows, behind[1].upper())
    return _noted(body, number)


def _bare(text: str) -> str:
    return _AROUND.sub("", _CALLED.sub("", text.strip())).strip()


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[Plain, ...]]:
    """The words of the commands that there are."""
    assert commands  # all families are declared by then
    known = {
        word: tuple(row for row in rows if row.command in COMMANDS) for word, rows in all_words().items()
    }
    return {word: rows for word, rows in known.items() if rows}


def _whole(body: str) -> tuple[Plain, ...]:
    """The meanings of a text that is one word and what politeness puts around it."""
    known, called = _words(), _CALLED_BEHIND.search(body)
    body = _CALLED_BEHIND.sub("", body)
    while body := _AROUND.sub("", body):
        body = unicodedata.normalize("NFKC", body).lower()
        if rows := known.get(body):
            return tuple(row for row in rows if not (called and row.note is Note.NAME))
        shorter = _without(body, POLITE_BEFORE, POLITE_BEHIND)
        if shorter == body:
            break
        body = shorter
    return ()


def _without(body: str, before: Sequence[str], behind: Sequence[str] = ()) -> str:
    for word in sorted(before, key=len, reverse=True):
        if body.startswith(word):
            return body[len(word) :]
    for word in sorted(behind, key=len, reverse=True):
        if body.endswith(word):
            return body[: -len(word)]
    return body


def _noted(body: str, number: str) -> Said | None:
    """A word with a note behind it: 办结 换了灯泡; or one that is its own note: 修好了，换了灯泡."""
    while True:
        for word, rows in _takes_note():
            if not body.lower().startswith(word):
                continue
            rest = body[len(word) :]
            parted = _PARTED.match(rest) is not None
            fitting = tuple(row for row in rows if parted or row.glued)
            if not fitting:
                continue
            if not number and (inside := _INSIDE.match(rest)):
                number, rest = inside[1].upper(), rest[inside.end() :]
            notes = {row.note for row in fitting}
            own = notes <= {Note.OWN, Note.DONE}
            note = body if own else _AROUND.sub("", rest.removeprefix("了") if parted else rest)
            return None if Note.DONE in notes and doubted(body) else Said(fitting, number, note)
        shorter = _AROUND.sub("", _without(body, POLITE_BEFORE))
        if shorter == body or not shorter:
            return None
        body = shorter


@lru_cache(maxsize=1)
def _takes_note() -> list[tuple[str, tuple[Plain, ...]]]:
    """The longest word first."""
    found = [
        (word, tuple(row for row in rows if row.note is not Note.NONE)) for word, rows in _words().items()
    ]
    return sorted(((word, rows) for word, rows in found if rows), key=lambda pair: -len(pair[0]))
