"""The settings of joining by one-time codes."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from handlers.files import Part


class Codes(Part):
    """One-time codes, and how guessing them is slowed down."""

    code_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 72
    misses: Annotated[int, Field(ge=1, le=1000)] = 5
    """Wrong codes of one person within the window; after one more, nothing he types is looked at."""
    misses_all: Annotated[int, Field(ge=1, le=100_000)] = 60
    """The same for everybody together, by account."""
    window_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 10

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)
