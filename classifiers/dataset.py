"""Reads the labelled corpus: JSON lines, one message a line."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from classifiers.context import MOST_TURNS, recent
from classifiers.verdict import Label, Sample, Turn

CORPUS = Path(__file__).parent / "corpus"
# The author of what a street put right.
STREET = "street"
# Their messages are the development split: chats and single messages of authors who are never learned from.
UNSEEN = frozenset({"a3", "a11", "a12", "a20"})


class BadCorpus(ValueError):
    """A line of the corpus cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled message. author and stream: who wrote it, so that no one is tested on their own words.

    at: seconds since 1970, 0.0 where unknown; incident: the matter within the stream that a report belongs
    to; opens: it opens a matter rather than adding to one; single: written for its own sake, many of those
    hard on purpose, rather than as part of a running chat.
    """

    sample: Sample
    label: Label
    urgency: int
    author: str
    stream: str
    at: float = 0.0
    incident: str = ""
    place: str = ""
    opens: bool = False
    single: bool = False


def _text(record: dict[str, Any], key: str, *, required: bool = False) -> str:
    value = record.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{key!r} must be a text")
    if required and not value:
        raise ValueError(f"{key!r} is empty")
    return value


def _example(line: str, single: bool) -> Example:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    known = [str(label) for label in Label]
    if record.get("label") not in known:
        raise ValueError(f"unknown label {record.get('label')!r}, expected one of {', '.join(known)}")
    label, urgency = Label(record["label"]), record.get("urgency")
    if type(urgency) is not int or not 0 <= urgency <= 3 or (urgency == 0) != (label is Label.NONE):
        raise ValueError(f"urgency {urgency!r} does not go with {label}: 0 for none, else 1-3")
    return Example(
        Sample(
            _text(record, "text", required=True),
            _text(record, "role"),
            _text(record, "kind"),
            _text(record, "sender"),
        ),
        label,
        urgency,
        _text(record, "author", required=True),
        _text(record, "stream", required=True),
        datetime.fromisoformat(_text(record, "time")).timestamp() if record.get("time") else 0.0,
        _text(record, "incident"),
        _text(record, "place"),
        record.get("opens") is True,
        single,
    )


def load(paths: Iterable[Path] | None = None) -> list[Example]:
    """All examples in the order of file names and lines. Raises BadCorpus naming file and line."""
    files = sorted(CORPUS.glob("*/*.jsonl"), key=lambda path: (path.parent.name, path.name))
    examples = []
    for path in files if paths is None else paths:
        # Only \n ends a line: a message may hold U+2028 and its like.
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                examples.append(_example(line.decode("utf-8"), path.parent.name == "singles"))
            except ValueError as error:  # bad UTF-8 and bad JSON too
                raise BadCorpus(f"{path}:{number}: {error}") from error
    return examples


def in_context(examples: Sequence[Example]) -> list[Example]:
    """The same, each message of a chat with what was said before it; single ones stay alone."""
    told: list[Example] = []
    said: list[Example] = []
    for example in examples:
        if example.single:
            told.append(example)
            continue
        if said and said[-1].stream != example.stream:
            said = []
        before = recent(
            Turn(one.sample.sender, example.at - one.at, one.sample.text, one.sample.role)
            for one in said[-MOST_TURNS:]
        )
        told.append(replace(example, sample=replace(example.sample, before=before)))
        said.append(example)
    return told


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """What may be learned from, and the development split."""
    known = [example for example in examples if example.author not in UNSEEN]
    return known, [example for example in examples if example.author in UNSEEN]
