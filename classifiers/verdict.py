"""What a classifier says of a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
    chance: 0..1, the probability that it is a report at all, whichever: 1 - P(none).
    leaning, leaning_urgency: label and urgency that it has if it is a report; known for most messages whose
    label is `none` as well, else `none` and 0.
    """

    label: Label
    urgency: int
    confidence: float
    place: str = ""
    evidence: tuple[str, ...] = ()
    chance: float = field(default=0.0, kw_only=True)
    leaning: Label = field(default=Label.NONE, kw_only=True)
    leaning_urgency: int = field(default=0, kw_only=True)

    @property
    def is_report(self) -> bool:
        return self.label is not Label.NONE

    def as_report(self) -> "Verdict":
        """The verdict if it is a report: what it leans to, where it was taken for nothing."""
        if self.is_report:
            return self
        return replace(self, label=self.leaning, urgency=self.leaning_urgency)


def certain(label: Label, urgency: int, place: str = "", evidence: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a report that somebody vouches for."""
    return Verdict(label, urgency, 1.0, place, evidence, chance=1.0, leaning=label, leaning_urgency=urgency)


NOTHING = Verdict(Label.NONE, 0, 1.0, chance=0.0, leaning=Label.NONE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said in the same group `ago` seconds before."""

    sender: str
    ago: float
    text: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A message to classify. All but the text are hints and may be empty.

    sender: whoever it is, to tell which turns are theirs; before: what was said last in the group, oldest
    first, empty if nothing was, None where that is not known.
    """

    text: str
    role: str = ""
    group_kind: str = ""
    sender: str = ""
    before: tuple[Turn, ...] | None = None


class Classifier(Protocol):
    """Any text length, any characters; never raises for a text. Safe to call from one thread at a time."""

    def classify(self, sample: Sample) -> Verdict: ...

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]: ...
