"""How long what was said and done is kept, as settings: `rules.retention`."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from handlers.files import Part


class Retention(Part):
    chatter_days: Annotated[float, Field(ge=1, le=3660)] = 7
    """Messages that belong to no ticket, with the answers to them."""
    tickets_years: Annotated[float, Field(ge=0.1, le=100)] = 3
    """Closed tickets with all that belongs to them, counted from closing; and the action log."""
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:30"
    """When it is looked what is too old, street's zone."""

    erase_hours: Annotated[float, Field(ge=0, le=720)] = 24
    """How long somebody who wants to be forgotten may still think better of it."""

    def chatter_before(self, now: datetime) -> datetime:
        return now - timedelta(days=self.chatter_days)

    def tickets_before(self, now: datetime) -> datetime:
        return now - timedelta(days=365.25 * self.tickets_years)
