"""Removes what is too old (rules.retention), in small steps, with pauses in which the intake has its turn.

A picture's file goes before its row: killed in between, the row is found again at the next run.
"""

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from bot.gateways import local
from handlers.context import Clock
from handlers.retention import Retention
from storage import retention
from storage.database import Database
from storage.retention import Counts, Cursor, Cutoffs, Picture

log = structlog.get_logger(__name__)

_SHORTEST_PAUSE = 0.002  # seconds
# Longer than the step took: others write in between, whichever database it is.
_PAUSE = 1.5
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")


class Purging:
    """One run. `sleep` takes seconds; a stop asked for is obeyed after the step under way."""

    def __init__(
        self,
        database: Database,
        rules: Retention,
        clock: Clock,
        media: Path,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        now = clock()
        self._database = database
        self._cutoffs = Cutoffs(now, rules.chatter_before(now), rules.tickets_before(now))
        self._media = media
        self._sleep = sleep
        self._stopped = False
        self._run = 0

    def stop(self) -> None:
        self._stopped = True

    def count(self) -> Counts:
        """What would go; changes nothing."""
        with self._database.reading() as session:
            return retention.count(session, self._cutoffs)

    def work(self) -> Counts:
        """Removes everything that is too old; how much that was."""
        with self._database.transaction() as session:
            self._run = retention.begin(session, self._cutoffs.now)
        removed = self._chatter() + self._tickets() + self._others()
        log.info("purged", **{name: getattr(removed, name) for name in Counts.__slots__})
        return removed

    def _chatter(self) -> Counts:
        removed, cursor = Counts(), None
        while not self._stopped:
            begun = time.monotonic()
            step, cursor = self._chatter_step(cursor)
            removed += step
            if cursor is None:
                break
            self._pause(begun)
        return removed

    def _chatter_step(self, after: Cursor | None) -> tuple[Counts, Cursor | None]:
        with self._database.transaction() as session:
            found = retention.chatter(session, self._cutoffs, after)
            if not found.ids:
                return Counts(), None
            gone = self._unlink(found.pictures)
            step = retention.remove_messages(session, found.ids) + Counts(pictures=gone)
            retention.note(session, self._run, step)
        return step, found.cursor

    def _tickets(self) -> Counts:
        removed = Counts()
        while not self._stopped:
            begun = time.monotonic()
            with self._database.transaction() as session:
                ids = retention.tickets(session, self._cutoffs)
                if not ids:
                    return removed
                self._unlink(retention.pictures_of(session, ids))
                step = retention.remove_tickets(session, ids)
                retention.note(session, self._run, step)
            removed += step
            self._pause(begun)
        return removed

    def _others(self) -> Counts:
        removed = Counts()
        while not self._stopped:
            begun = time.monotonic()
            with self._database.transaction() as session:
                step = retention.remove_others(session, self._cutoffs)
                retention.note(session, self._run, step)
            if not step.others:
                break
            removed += step
            self._pause(begun)
        return removed

    def _pause(self, begun: float) -> None:
        self._sleep(max(_SHORTEST_PAUSE, (time.monotonic() - begun) * _PAUSE))

    def _unlink(self, pictures: Iterable[Picture]) -> int:
        found = [path for path in files_of(self._media, pictures) if path.exists()]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)


def files_of(media: Path, pictures: Iterable[Picture]) -> list[Path]:
    """The files that may be there: what was fetched, and what the built-in chat keeps of its own."""
    files = [media / one.path for one in pictures if one.path and _NAME.fullmatch(one.path)]
    own = [one.external_id for one in pictures if one.account == local.ACCOUNT]
    return files + [media / local.FOLDER / name for name in own if _NAME.fullmatch(name)]
