"""Trying again while the database is locked, full or gone."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from storage.database import is_passing, short

T = TypeVar("T")
log = structlog.get_logger(__name__)

_FIRST_WAIT = 0.05  # seconds
_LONGEST_WAIT = 5.0


class GaveUp(Exception):
    """The database was out of reach until the process had to end."""


class Patience:
    """For worker threads. `trouble` says why nothing goes on right now; shown in /healthz."""

    def __init__(self, part: str, *, last_seconds: float = 5) -> None:
        """last_seconds: how long to go on trying after `stop`."""
        self._part = part
        self._last_seconds = last_seconds
        self._until: float | None = None
        self._stopping = threading.Event()
        self.trouble = ""

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """The process ends: from now on there is little time left."""
        self._until = time.monotonic() + self._last_seconds
        self._stopping.set()

    def insist(self, step: Callable[[], T]) -> T:
        """Does the step until the database takes it.

        Raises GaveUp at the end of the process, and whatever the database refuses for good.
        """
        wait = _FIRST_WAIT
        while True:
            try:
                result = step()
            except DBAPIError as error:
                if not is_passing(error):
                    raise
                self.trouble = short(error)
                log.error("database_busy", part=self._part, reason=self.trouble, again_in=wait)
                if self._until is not None and time.monotonic() >= self._until:
                    raise GaveUp(self.trouble) from error
            else:
                self.trouble = ""
                return result
            if self._until is None:
                self._stopping.wait(wait)
            else:
                time.sleep(min(wait, 0.2))
            wait = min(wait * 2, _LONGEST_WAIT)
