"""What is said: chatter and reports of the project's own corpus, 3 % of them reports."""

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "classifiers" / "corpus" / "streams"
ROOMS = 200
EVERY = 33  # one message in so many is a report


def texts(count: int) -> list[str]:
    """`count` texts; each report names a place of its own, so that it opens a ticket and joins none."""
    chatter, reports = cycle(_labelled(report=False)), cycle(_labelled(report=True))
    return [
        f"{next(reports)}（{number}号楼）" if number % EVERY == 0 else next(chatter)
        for number in range(1, count + 1)
    ]


def is_report(number: int) -> bool:
    """Whether the text at this position, from 0, is one of the reports."""
    return (number + 1) % EVERY == 0


def room(number: int) -> str:
    return f"R{number % ROOMS}@chatroom"


def _labelled(*, report: bool) -> list[str]:
    return [text for text, label in _lines() if (label != "none") is report and "\n" not in text]


def _lines() -> Iterator[tuple[str, str]]:
    for file in sorted(CORPUS.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            message = json.loads(line)
            yield message["text"], message["label"]
