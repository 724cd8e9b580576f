"""Text -> command. `#接单 31`, `＃接单３１`, `@bot 接单`, `#take 31`, or `接单` in answer to the bot."""

import re
import unicodedata
from dataclasses import dataclass

from handlers.commands.registry import COMMANDS, Command

# What may stand between a command's name and what follows it, and around a note.
_SEPARATORS = " \t\n　,，:：。.、!！?？#@"
_AROUND = " \t\n　,，:：、.。!！?？"
# A street's code may be letters or digits: CTM0713-001, 5001030713-001.
FULL_NUMBER = r"[A-Za-z0-9_.][A-Za-z0-9_.-]*[0-9]{4}-[0-9]{3,5}(?![0-9])"
_TICKET = rf"({FULL_NUMBER}|[0-9]{{1,5}})"
_NUMBER = re.compile(rf"^[#\s:：,，]*{_TICKET}(?:号|单)?(?=$|[\s,，:：。.、@!！;；])")
_BARE_NUMBER = re.compile(rf"^{_TICKET}\s*$")
_TOPIC = re.compile(r"^[#＃][^\s#＃]+[#＃]")
# "@bot CTM0712-031 怎么样了": asked how it goes. Longer words behind a number are the bot's own, passed on.
_QUESTION = re.compile(rf"^({FULL_NUMBER}).{{0,12}}$")
_LEADING_MENTION = re.compile(r"^(?:@[^\s\u2005]+[\s\u2005]+)+")


@dataclass(frozen=True, slots=True)
class Parsed:
    command: Command
    number: str
    argument: str
    word: str = ""  # the name or alias that was typed, in small letters


def parse(text: str, *, addressed: bool = False) -> Parsed | None:
    """The command in the text, None where there is none.

    addressed: the message quotes the bot, mentions it or is private, so that the prefix may be left out.
    A `#` with a word that is no command is no command: people use # for topics, #like this#.
    """
    stripped = _LEADING_MENTION.sub("", text.strip()) if addressed else text.strip()
    prefixed = stripped[:1] in ("#", "＃")
    if not stripped or not (prefixed or addressed) or _TOPIC.match(stripped):
        return None
    body = _narrow(stripped.lstrip("#＃ 　") if prefixed else stripped)
    if bare := _BARE_NUMBER.match(body):
        return Parsed(COMMANDS["进度"], bare[1].upper(), "")
    if found := _longest(body, glue=prefixed):
        parsed = _parsed(*found)
        return None if found[0].bare and not prefixed and parsed.argument and not parsed.number else parsed
    if leading := _NUMBER.match(body):  # "#31 接单"
        found = _longest(body[leading.end() :].lstrip(_SEPARATORS), glue=False)
        if found and found[0].numbered:
            return Parsed(found[0], leading[1].upper(), found[1].strip(_AROUND), found[2])
    asked = _QUESTION.match(body) if addressed else None
    return Parsed(COMMANDS["进度"], asked[1].upper(), "") if asked else None


def _parsed(entry: Command, rest: str, word: str) -> Parsed:
    number = _NUMBER.match(rest) if entry.numbered else None
    if number is None:
        return Parsed(entry, "", rest.strip(_AROUND), word)
    return Parsed(entry, number[1].upper(), rest[number.end() :].strip(_AROUND), word)


def _narrow(text: str) -> str:
    """Full-width letters and digits of the first words made half-width; the note is left as typed."""
    head, tail = text[:24], text[24:]
    return (
        "".join(unicodedata.normalize("NFKC", c) if c.isalnum() or c in "＠＃－" else c for c in head) + tail
    )


def _longest(body: str, *, glue: bool) -> tuple[Command, str, str] | None:
    """The command whose name the text begins with, what follows it, and the name as it was typed."""
    lowered = body.lower()
    for word in sorted(COMMANDS, key=len, reverse=True):
        if not lowered.startswith(word):
            continue
        entry, rest = COMMANDS[word], body[len(word) :]
        ascii_word = word.isascii()
        free = not rest or rest[0] in _SEPARATORS or (rest[0].isdigit() and not ascii_word)
        if free or (entry.glued and (glue or entry.clings) and not ascii_word and len(word) > 1):
            return entry, rest, word
    return None
