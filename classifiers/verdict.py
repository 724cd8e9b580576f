"""What a classifier says of a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Label(StrEnum):
    """One label a message; the classifier's README says what each covers."""

    FLOOD = "flood"
    DISPUTE = "dispute"
    SAFETY = "safety"
    SERVICE = "service"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label with its reasons.

    urgency: 3 = life or serious harm, within minutes; 2 = today; 1 = routine; 0 = `none`.
    confidence: 0..1, the probability of the label as the model sees it.
    place: the part of the text that names the place, "" if none.
    evidence: what spoke for the label, strongest first, e.g. ("rule:gas_smell", "word:漏气").
    """

    label: Label
    urgency: int
    confidence: float
    place: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def is_report(self) -> bool:
        return self.label is not Label.NONE


NOTHING = Verdict(Label.NONE, 0, 1.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """A message to classify. `role` and `group_kind` are hints and may be empty."""

    text: str
    role: str = ""
    group_kind: str = ""


class Classifier(Protocol):
    """Any text length, any characters; never raises for a text. Safe to call from one thread at a time."""

    def classify(self, sample: Sample) -> Verdict: ...

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]: ...
