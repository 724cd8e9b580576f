"""When the digests are sent, and what they tell of groups, as settings."""

from datetime import time
from typing import Annotated

from pydantic import Field

from handlers.figures.model import DigestKind
from handlers.files import Part


class Digests(Part):
    """Into the coordinators' group of each area that has one. Times are of the street's zone."""

    kinds: tuple[DigestKind, ...] = tuple(DigestKind)
    """Which are sent."""
    morning_at: time = time(8, 30)
    evening_at: time = time(18, 0)
    weekly_at: time = time(8, 30)
    """On Mondays."""
    pictures: bool = True
    """Whether a picture goes with each that has anything to show."""
    quiet_days: Annotated[int, Field(ge=0, le=366)] = 3
    """A group in which nothing was said for so many days is told as quiet, once; 0 for never."""
