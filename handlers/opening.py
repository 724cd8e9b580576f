"""Whether a message opens a ticket, is shown to a coordinator, or is left alone: all numbers in one place."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from classifiers.verdict import Label, Verdict
from handlers.files import Part

Chance = Annotated[float, Field(ge=0, le=1)]
Matter = Literal["flood", "dispute", "safety", "service", "urgent"]


class Decision(StrEnum):
    OPEN = "open"
    REVIEW = "review"  # unsure: a coordinator decides
    NOTHING = "nothing"


class Thresholds(Part):
    """Chances of being a report: from `open` on a ticket is opened, from `review` on a coordinator asked."""

    open: Chance
    review: Chance

    @model_validator(mode="after")
    def _ordered(self) -> "Thresholds":
        if self.review > self.open:
            raise ValueError(f"review ({self.review}) must not be above open ({self.open})")
        return self


# Measured on running chat by authors whom the classifier had not seen (classifiers/README.md).
DEFAULTS: Mapping[Matter, Mapping[str, float]] = {
    "flood": {"open": 0.9, "review": 0.5},
    "dispute": {"open": 0.9, "review": 0.5},
    "safety": {"open": 0.9, "review": 0.5},
    "service": {"open": 0.9, "review": 0.5},
    "urgent": {"open": 0.85, "review": 0.3},
}


class Opening(Part):
    """The thresholds of each label; `urgent` counts for urgency 3 of any label where it asks for less.

    kinds: kind of group -> label or `urgent` -> what differs there.
    """

    flood: Thresholds = Thresholds(**DEFAULTS["flood"])
    dispute: Thresholds = Thresholds(**DEFAULTS["dispute"])
    safety: Thresholds = Thresholds(**DEFAULTS["safety"])
    service: Thresholds = Thresholds(**DEFAULTS["service"])
    urgent: Thresholds = Thresholds(**DEFAULTS["urgent"])
    kinds: dict[str, dict[Matter, Thresholds]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _keep_the_rest(cls, values: Any) -> Any:
        """Where only one of two thresholds is named, the other stays as it is."""
        if not isinstance(values, dict):
            return values
        usual = _over_each(DEFAULTS, {name: values.get(name, {}) for name in DEFAULTS})
        kinds = values.get("kinds", {})
        if isinstance(kinds, dict):
            kinds = {kind: _over_each(usual, special) for kind, special in kinds.items()}
        return {**values, **usual, "kinds": kinds}

    def of(self, label: Label, urgency: int, kind: str) -> Thresholds:
        """What a report of that label and urgency needs in such a group. Urgent leans to opening."""
        own = self._of(label.value, kind)  # type: ignore[arg-type]  # never `none`: that is no report
        if urgency < 3:
            return own
        urgent = self._of("urgent", kind)
        return Thresholds(open=min(own.open, urgent.open), review=min(own.review, urgent.review))

    def _of(self, matter: Matter, kind: str) -> Thresholds:
        special = self.kinds.get(kind, {}).get(matter)
        usual: Thresholds = getattr(self, matter)
        return special or usual


def _over_each(usual: Mapping[Any, Any], special: Any) -> Any:
    """Each of the special thresholds, completed by the usual ones. What is no mapping is reported later."""
    if not isinstance(special, dict):
        return special
    pairs = ((name, usual.get(name), own) for name, own in special.items())
    return {
        name: {**old, **own} if isinstance(old, Mapping) and isinstance(own, dict) else own
        for name, old, own in pairs
    }


def decide(opening: Opening, verdict: Verdict, kind: str) -> Decision:
    """By the chance of any report: a message torn between two labels is a report for certain."""
    found = verdict.as_report()
    if not found.is_report:
        return Decision.NOTHING
    needed = opening.of(found.label, found.urgency, kind)
    if verdict.chance >= needed.open:
        return Decision.OPEN
    return Decision.REVIEW if verdict.chance >= needed.review else Decision.NOTHING
