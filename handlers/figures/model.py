"""What the figures of a period are. docs/figures.md says what each of them counts.

Codes are those of areas and labels; `name` is what people read. Places and summaries are masked already:
no flat and no telephone number is in here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class DigestKind(StrEnum):
    """Which digest: what is open in the morning, a day in the evening, a week on Monday."""

    MORNING = "morning"
    EVENING = "evening"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end): aware instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """numerator of denominator; excluded: how many were left out of both, and are told beside it."""

    numerator: int = 0
    denominator: int = 0
    excluded: int = 0

    @property
    def percent(self) -> float | None:
        """0..100, not rounded; None of nothing."""
        return 100 * self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Durations:
    """Elapsed minutes of `count` matters: median and 90th percentile by nearest rank; None of nothing."""

    count: int = 0
    median: float | None = None
    ninetieth: float | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """opened, closed: in the period. open, overdue: at its end; overdue ones are open ones."""

    opened: int = 0
    closed: int = 0
    open: int = 0
    overdue: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.opened + other.opened,
            self.closed + other.closed,
            self.open + other.open,
            self.overdue + other.overdue,
        )


@dataclass(frozen=True, slots=True)
class Usual:
    """The mean of Counts over the same period 1..4 weeks before; `weeks`: how many of them there are."""

    weeks: int = 0
    opened: float = 0
    closed: float = 0
    open: float = 0
    overdue: float = 0


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Of one label. urgent: how many of those opened are of urgency 3."""

    label: str
    counts: Counts = Counts()
    usual: Usual = Usual()
    urgent: int = 0


@dataclass(frozen=True, slots=True)
class AreaLoad:
    """Of one part of the scope: a child area with all below it, or what lies in the scope but in no part."""

    area: str
    name: str
    counts: Counts = Counts()
    usual: Usual = Usual()


@dataclass(frozen=True, slots=True)
class DayCounts:
    """A calendar day of the street: how many were opened, by label; labels that had none are missing."""

    day: date
    opened: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.opened.values())


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """A place with how many matters of the period were there; `area` is the code of its area."""

    place: str
    area: str
    matters: int
    recurring: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One ticket in a list. owner: the name of who answers for it, "" for nobody.

    deadline: None where none runs.
    """

    number: str
    label: str
    urgency: int
    state: str
    area: str
    place: str
    summary: str
    owner: str
    opened: datetime
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Helpers:
    """What couriers and volunteers told, which matters they told first, and orders they took."""

    courier_reports: int = 0
    courier_matters: int = 0
    volunteer_reports: int = 0
    volunteer_matters: int = 0
    orders_taken: int = 0
    orders_done: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What people put right of the bot's. corrected: by kind (false_alarm, relabel, merge, split, review).

    right: of the matters that the bot opened itself in the period, those whose label nobody has put right.
    """

    corrected: Mapping[str, int]
    right: Share = Share()

    @property
    def corrections(self) -> int:
        return sum(self.corrected.values())


class Loss(StrEnum):
    """What is the matter with a group."""

    QUIET = "quiet"  # nothing was said for days where usually something is
    LOST = "lost"  # the bot is in it no more


@dataclass(frozen=True, slots=True)
class GroupTrouble:
    """A group that went quiet or lost the bot; since: the last message, or when the bot left."""

    topic: str
    area: str
    loss: Loss
    since: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """All of one scope and period.

    area: the scope, with all below it. period: cut at the present where it is not over. visits: (due, still
    open) of the day's care visits, None where the register is not used.
    """

    area: str
    name: str
    period: Period
    total: Counts
    usual: Usual
    labels: tuple[LabelFigures, ...]  # every label, in the order of classifiers.verdict.Label
    areas: tuple[AreaLoad, ...]  # every part, most open first; they add up to `total`
    urgent: int  # opened with urgency 3
    explained: int  # closed without being solved, told on its own
    duplicates: int  # merged into others within the period: no matters of their own
    reopened: int  # closed before, taken up again within the period
    answered: Durations  # from opening to the first answer of a person
    closing: Durations  # from opening to the last closing
    response: Share  # 响应率
    solution: Share  # 解决率
    satisfaction: Share  # 满意率
    on_time: Share  # 按期结案率
    rework: Share  # 返工率
    extension: Share  # 延期率
    places: tuple[PlaceCount, ...]  # at most five
    recurring: tuple[Line, ...]  # flagged 反复 and opened in the period, at most five
    oldest: tuple[Line, ...]  # open at the end, longest first, at most five
    promises: int  # deadlines of what is open that fall into `ahead`
    promised: tuple[Line, ...]  # the first of them, at most five
    helpers: Helpers
    judgement: Judgement
    groups: tuple[GroupTrouble, ...]
    days: tuple[DayCounts, ...]  # 14 calendar days up to that of the end, oldest first
    visits: tuple[int, int] | None = None
    kind: DigestKind | None = None  # None for a period that somebody asked for
    ahead: Period | None = None  # in which the promises fall

    @property
    def empty(self) -> bool:
        """Nothing was opened or closed and nothing is open."""
        return self.total == Counts()

    def label(self, label: str) -> LabelFigures:
        return next((one for one in self.labels if one.label == label), LabelFigures(label))
