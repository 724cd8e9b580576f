"""The street's working rules, as settings: the `rules:` part of config.yaml."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from classifiers.verdict import Label
from handlers.codes import Codes
from handlers.figures.rules import Digests
from handlers.files import Part as Part  # the settings' as well
from handlers.opening import Opening
from handlers.organisation import GroupKind
from handlers.retention import Retention
from handlers.team_rules import Joint, Orders
from handlers.track_rules import DEFAULTS, TrackRule
from handlers.workdays import USUAL, Hours

Minutes = Annotated[float, Field(ge=0, le=60 * 24 * 60)]
Clock = Literal["always", "working"]


class Limits(Part):
    """Minutes from opening until each step is due; 0 switches the step's deadline off."""

    clock: Clock = "always"
    """Whether nights and holidays count: in working time a day is as long as the working hours are."""
    accept: Minutes
    arrive: Minutes
    solve: Minutes


def _kind(value: Any) -> Any:
    """Elsewhere an unknown kind of group is served as residents; here it is a typing mistake."""
    if isinstance(value, str) and value not in set(GroupKind):
        raise ValueError(f"there is no kind of group {value}")
    return value


class Special(Part):
    """What differs for the matters that it fits; what it leaves out fits any, or stays as it is."""

    label: Label | None = None
    urgency: Literal[1, 2, 3] | None = None
    kind: Annotated[GroupKind | None, BeforeValidator(_kind)] = None
    clock: Clock | None = None
    accept: Minutes | None = None
    arrive: Minutes | None = None
    solve: Minutes | None = None

    def fits(self, label: str, urgency: int, kind: str) -> bool:
        wanted = ((self.label, label), (self.urgency, urgency), (self.kind, kind))
        return all(mine in (None, theirs) for mine, theirs in wanted)


# The design's, after what cities publish for 数字城管 and 接诉即办: 3 working days for what is routine.
_LIMITS: Mapping[str, Mapping[str, Any]] = {
    "urgency_3": {"clock": "always", "accept": 3, "arrive": 30, "solve": 120},
    "urgency_2": {"clock": "always", "accept": 15, "arrive": 60, "solve": 24 * 60},
    "urgency_1": {"clock": "working", "accept": 60, "arrive": 0, "solve": 3 * 8 * 60},
}


class Deadlines(Part):
    """By urgency, then by what is special about label and kind of group."""

    urgency_3: Limits = Limits(**_LIMITS["urgency_3"])
    urgency_2: Limits = Limits(**_LIMITS["urgency_2"])
    urgency_1: Limits = Limits(**_LIMITS["urgency_1"])
    special: tuple[Special, ...] = (Special(label=Label.DISPUTE, urgency=1, solve=5 * 8 * 60),)
    """Of those that fit, the first that says something of a limit counts for it."""

    @model_validator(mode="before")
    @classmethod
    def _keep_the_rest(cls, values: Any) -> Any:
        """Where only one limit of an urgency is named, the others stay as they are."""
        if not isinstance(values, dict):
            return values
        given = {name: values[name] for name in _LIMITS if isinstance(values.get(name), dict)}
        return values | {name: {**_LIMITS[name], **own} for name, own in given.items()}

    def of(self, urgency: int, label: str = "", kind: str = "") -> Limits:
        """The limits of a matter. kind: of the group where it was first reported, "" where it was none."""
        usual = {3: self.urgency_3, 2: self.urgency_2}.get(urgency, self.urgency_1)
        changed: dict[str, Any] = {}
        for special in self.special:
            if special.fits(label, max(urgency, 1), kind):
                said = {n: v for n in Limits.model_fields if (v := getattr(special, n)) is not None}
                changed = said | changed
        return usual.model_copy(update=changed)


Share = Annotated[float, Field(gt=0, lt=1)]


class Reminders(Part):
    ahead: Annotated[tuple[Share, ...], Field(max_length=5)] = (0.5, 0.9)
    """Parts of a step's limit after which the one it waits for is reminded in private."""
    ahead_from_minutes: Minutes = 30
    """Shorter steps have no reminder ahead."""
    most: Annotated[int, Field(ge=0, le=10)] = 2
    """How often one overdue step reminds its owner in the group before the ticket climbs one level."""
    every_minutes: Minutes = 30
    quiet_from: time = time(22, 0)
    quiet_until: time = time(7, 0)
    """Between these, in the street's zone, only urgency 3 reminds."""


class Extensions(Part):
    """延期: more time, asked for before the deadline, each at most as long as the limit."""

    most: Annotated[int, Field(ge=0, le=5)] = 2


class Linking(Part):
    """When a second report joins an open ticket. A wrong join is worse than a missed one."""

    window_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 6
    same_group: Annotated[float, Field(ge=0, le=1)] = 0.5
    same_area: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Likeness (0..1) from which a report joins, in the same group and in another group of the area."""
    weak: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Likeness from which what may be no report at all is noted at a ticket of the same group."""
    fragment_seconds: Annotated[float, Field(ge=0, le=3600)] = 90
    """Messages of one sender this short after one another are read together; 0 for never."""


class CareRules(Part):
    """Visits to the people of the care register."""

    visits_at: time = time(8, 30)
    """When the grid owners get the day's list, in the street's zone."""
    visits_on: Literal["working", "all"] = "working"
    """On which days: working days (after public holidays) or every day."""
    every_days: Annotated[int, Field(ge=0, le=366)] = 30
    """Days between two visits where the register says nothing; 0 for no visits."""


class Recurring(Part):
    """反复办: the same place and label again and again."""

    times: Annotated[int, Field(ge=0, le=50)] = 3
    """How many make it recur, the new one among them; 0 for never."""
    days: Annotated[int, Field(ge=1, le=366)] = 30


class Rules(Part):
    serve: Literal["auto", "all", "bound"] = "auto"
    """Groups that are bound to no area: served as the street's own, or left alone. auto: see bot/world.py."""
    joining: Codes = Codes()
    opening: Opening = Opening()
    review_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 24
    """How long a coordinator has to decide what the bot was not sure of."""
    linking: Linking = Linking()
    tracks: tuple[TrackRule, ...] = DEFAULTS
    """What makes a matter large; the first line that fits decides, and what none fits is small."""
    working_hours: Hours = USUAL
    """In the street's zone, on working days; together they are a day of the limits in working time."""
    deadlines: Deadlines = Deadlines()
    reminders: Reminders = Reminders()
    extensions: Extensions = Extensions()
    joint: Joint = Joint()
    orders: Orders = Orders()
    reopen_hours: Annotated[float, Field(ge=0, le=24 * 30)] = 72
    """How long after closing the reporter's 不满意 reopens a ticket."""
    recurring: Recurring = Recurring()
    undo_minutes: Minutes = 5
    """How long one's own last command can be taken back by 撤销."""
    sign_in_minutes: Annotated[float, Field(gt=0, le=60)] = 10
    """How long a link to the pages may be used (once) that was asked for in chat by 登录."""
    plain_minutes: Minutes = 30
    """For so long a plain word (接单) answers the bot's last message in a group; 0: only by quoting it."""
    picture_minutes: Minutes = 10
    """A picture joins the ticket that the same person reported this long before or after."""
    retention: Retention = Retention()
    care: CareRules = CareRules()
    digests: Digests = Digests()
    loop_replies: Annotated[int, Field(ge=1, le=1000)] = 10
    """More answers than this to one sender within ten minutes: the sender is taken for a bot."""

    @property
    def reopen_window(self) -> timedelta:
        return timedelta(hours=self.reopen_hours)
