"""The street's working rules, as settings: the `rules:` part of config.yaml."""

from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import Field

from handlers.files import Part as Part  # the settings' as well
from handlers.opening import Opening
from handlers.track_rules import DEFAULTS, TrackRule

Minutes = Annotated[float, Field(ge=0, le=60 * 24 * 60)]


class Limits(Part):
    """Minutes from opening until each step is due; 0 switches the step's deadline off."""

    accept: Minutes
    arrive: Minutes
    solve: Minutes


class Deadlines(Part):
    """By urgency. The defaults are the design's, after what cities publish for 数字城管 and 接诉即办."""

    urgency_3: Limits = Limits(accept=3, arrive=30, solve=120)
    urgency_2: Limits = Limits(accept=15, arrive=60, solve=24 * 60)
    urgency_1: Limits = Limits(accept=60, arrive=0, solve=3 * 24 * 60)

    def of(self, urgency: int) -> Limits:
        return {3: self.urgency_3, 2: self.urgency_2}.get(urgency, self.urgency_1)


class Reminders(Part):
    most: Annotated[int, Field(ge=0, le=10)] = 2
    """How often one step reminds its owner before the ticket climbs one level."""
    every_minutes: Minutes = 30
    quiet_from: time = time(22, 0)
    quiet_until: time = time(7, 0)
    """Between these, in the street's zone, only urgency 3 reminds."""


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


class Rules(Part):
    serve: Literal["all", "bound"] = "all"
    """Groups that the organisation file does not name: served as the street's own, or left alone."""
    opening: Opening = Opening()
    review_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 24
    """How long a coordinator has to decide what the bot was not sure of."""
    linking: Linking = Linking()
    tracks: tuple[TrackRule, ...] = DEFAULTS
    """What makes a matter large; the first line that fits decides, and what none fits is small."""
    deadlines: Deadlines = Deadlines()
    reminders: Reminders = Reminders()
    reopen_hours: Annotated[float, Field(ge=0, le=24 * 30)] = 72
    """How long after closing the reporter's 不满意 reopens a ticket."""
    picture_minutes: Minutes = 10
    """A picture joins the ticket that the same person reported this long before or after."""
    loop_replies: Annotated[int, Field(ge=1, le=1000)] = 10
    """More answers than this to one sender within ten minutes: the sender is taken for a bot."""

    @property
    def reopen_window(self) -> timedelta:
        return timedelta(hours=self.reopen_hours)
