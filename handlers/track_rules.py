"""The table that says which matters are large. What comes of it: `handlers/tracks.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from handlers.files import Part
from handlers.organisation import GroupKind, RiskKind, RiskPoint


class Track(StrEnum):
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Matter:
    """What the table looks at. `kind`: of the group where it was first reported, None in private."""

    label: str
    urgency: int
    kind: GroupKind | None = None
    point: RiskPoint | None = None


class TrackRule(Part):
    """One line of the table: everything that it names has to be so. `urgency`: from this on.

    risk_point: true for any mapped risk point, else its kind.
    """

    track: Track
    label: Literal["flood", "dispute", "safety", "service"] | None = None
    urgency: Annotated[int, Field(ge=1, le=3)] | None = None
    kind: GroupKind | None = None
    risk_point: Literal[True] | RiskKind | None = None

    def fits(self, matter: Matter) -> bool:
        point = matter.point
        return (
            (self.label is None or self.label == matter.label)
            and (self.urgency is None or matter.urgency >= self.urgency)
            and (self.kind is None or self.kind is matter.kind)
            and (self.risk_point is None or (point is not None and self.risk_point in (True, point.kind)))
        )


# Danger to life is never one man's matter. Water and danger that somebody has to see to today are watched
# where the street itself has mapped that they turn bad: a risk point.
DEFAULTS: tuple[TrackRule, ...] = (
    TrackRule(urgency=3, track=Track.LARGE),
    TrackRule(label="flood", urgency=2, risk_point=True, track=Track.LARGE),
    TrackRule(label="safety", urgency=2, risk_point=True, track=Track.LARGE),
)


def decide(rules: Sequence[TrackRule], matter: Matter) -> Track:
    """By the first line of the table that fits; small where none does."""
    return next((rule.track for rule in rules if rule.fits(matter)), Track.SMALL)
