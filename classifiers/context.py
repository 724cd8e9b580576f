"""What was said just before in the same group, as numbers: a report is often told in pieces.

"4栋7-1" says nothing by itself; after "哪栋冒烟?" it is a report of fire. Each earlier message counts by what
the model thought of it alone, so that no verdict leans on another verdict.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifiers.verdict import Turn

STAFF = frozenset({"unit", "grid_worker", "grid_owner", "coordinator", "volunteer"})
MOST_TURNS = 20
WINDOW = 1800.0  # seconds
_TALK_FADES = 600.0  # seconds after which what others said weighs 1/e
_OWN_FADES = 180.0
_EACH_FADES = 0.95  # per message in between
_REPORTS = 4  # the first four of linear.LABELS; the fifth is none

NAMES = (
    *(f"others:{label}" for label in ("flood", "dispute", "safety", "service")),
    *(f"own:{label}" for label in ("flood", "dispute", "safety", "service")),
    *(f"own_last:{label}" for label in ("flood", "dispute", "safety", "service", "none")),
    "own_last",
    *(f"last:{label}" for label in ("flood", "dispute", "safety", "service", "none")),
    "after_question",
    "after_staff",
    "after_staff_question",
    "same_words",
    *(f"hot:{shape}" for shape in ("short", "question", "staff", "digits", "settled")),
    "hot:own_last",
    "hot:after_staff",
    "hot:after_staff_question",
    "turns",
)


def recent(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Those of the turns before a message, oldest first, that it is read with."""
    return tuple(turn for turn in turns if 0 <= turn.ago <= WINDOW)[-MOST_TURNS:]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message by itself. shares: the probabilities of linear.LABELS; pairs: neighbouring characters."""

    shares: Sequence[float]
    pairs: frozenset[str]
    short: bool
    question: bool
    digits: bool
    settled: bool

    @property
    def report(self) -> float:
        return 1.0 - self.shares[_REPORTS]


def heard(text: str, shares: Sequence[float]) -> Heard:
    """`text` is normalised."""
    return Heard(
        shares,
        frozenset(text[at : at + 2] for at in range(len(text) - 1)),
        len(text) < 8,
        "?" in text or text.rstrip().endswith(("吗", "没", "不", "哪", "哪点", "哪里")),
        any(character.isdigit() for character in text),
        "谢" in text or "收到" in text,
    )


def numbers(
    own: Heard, sender: str, staff: bool, before: Sequence[tuple[Turn, Heard]]
) -> tuple[list[float], float]:
    """The values of NAMES, all 0.0 where nothing was said before; and how hot the talk is, 0..1.

    before: oldest first, each with what it says by itself.
    """
    if not before:
        return [0.0] * len(NAMES), 0.0
    others, mine = [0.0] * _REPORTS, [0.0] * _REPORTS
    own_last, own_fresh, alike = [0.0] * (_REPORTS + 1), 0.0, 0.0
    for gap, (turn, said) in enumerate(reversed(before)):
        fades = math.exp(-turn.ago / _TALK_FADES) * _EACH_FADES**gap
        is_mine = bool(sender) and turn.sender == sender
        most = mine if is_mine else others
        for label in range(_REPORTS):
            most[label] = max(most[label], said.shares[label] * fades)
        if is_mine and not own_fresh:
            own_fresh = math.exp(-turn.ago / _OWN_FADES)
            own_last = [share * own_fresh for share in said.shares]
        if own.pairs and said.pairs and said.report > alike:
            shared = len(own.pairs & said.pairs) / min(len(own.pairs), len(said.pairs))
            alike = max(alike, said.report * shared)
    turn, last = before[-1]
    fresh = math.exp(-turn.ago / _OWN_FADES)
    hot = max(max(others), max(mine))
    after_staff = float(turn.role in STAFF)
    asked = float(last.question)
    return [
        *others,
        *mine,
        *own_last,
        own_fresh,
        *(share * fresh for share in last.shares),
        asked,
        after_staff,
        asked * after_staff,
        alike,
        *(hot * shape for shape in (own.short, own.question, staff, own.digits, own.settled)),
        hot * own_fresh,
        hot * after_staff,
        hot * after_staff * asked,
        min(len(before), 10) / 10,
    ], hot
