"""Writes the files that people asked for, one after another, below the media folder.

What is asked for stands in the database: what waits outlives a restart, what was being written then is marked
interrupted, and a file is there only when it is whole. Another process may take it as well as this one.
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError

from bot.patience import GaveUp, Patience
from bot.tabulating import Progress, tabulate
from handlers.context import Clock, World
from handlers.files import ConfigError
from handlers.lists import Asked
from handlers.tabling import TABLES, TableName
from storage import exports
from storage.database import Database, short
from storage.tables import Export, ExportState

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(days=1)
_BEAT: Final = 1.0  # seconds between two words of how far it is, and looks at whether it is still wanted
_SILENT: Final = timedelta(minutes=2)  # whose process says nothing for so long has ended
_PAUSE: Final = 0.002  # seconds after a batch, in which the intake has its turn


class _Stopped(Exception):
    """Not wanted any more, or the process ends."""


def path_of(media: Path, export: Export) -> Path:
    """Where the file is, or will be."""
    return media / "exports" / f"{export.id}.{export.format}"


class Exports:
    """A worker like the outbox. `told` is called when something of an export changed."""

    def __init__(
        self,
        database: Database,
        world: Callable[[], World],
        clock: Clock,
        media: Path,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._media = media
        self._told = told
        self._wake = asyncio.Event()
        self._patience = Patience("exports")

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; what is being written then is marked interrupted."""
        try:
            while True:
                self._wake.clear()
                await self.step()
                try:
                    async with asyncio.timeout(30):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        except GaveUp:
            return
        finally:
            self._patience.stop()

    async def step(self) -> int:
        """Writes everything that waits; how many files."""
        written = 0
        while (export := await asyncio.to_thread(self._patience.insist, self._take)) is not None:
            await self._write(export)
            self._told()
            written += 1
        return written

    async def _write(self, export: Export) -> None:
        job = _Job(self._database, self._world(), self._clock, path_of(self._media, export), export)
        work = asyncio.create_task(asyncio.to_thread(job.work))
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=_BEAT)
                await asyncio.to_thread(self._patience.insist, job.beat)
                self._told()
        finally:
            job.stopped.set()
            await asyncio.wait({work})
            state = work.result()
            await asyncio.to_thread(self._patience.insist, lambda: job.end(state))

    def _take(self) -> Export | None:
        with self._database.transaction() as session:
            return exports.take(session, self._clock())

    def sweep(self) -> bool:
        """Marks what was interrupted and removes what is a day old; whether there was any."""
        now = self._clock()
        with self._database.transaction() as session:
            interrupted = exports.interrupt(session, now - _SILENT, now)
            old = exports.outdated(session, now - KEPT)
            for export in old:
                path_of(self._media, export).unlink(missing_ok=True)
            exports.remove(session, [export.id for export in old])
            known = exports.all_ids(session)
        self._tidy(known)
        return bool(interrupted or old)

    def _tidy(self, known: set[int]) -> None:
        """What a process that was killed left behind: half files, and whole ones without a row."""
        folder = self._media / "exports"
        for left in folder.iterdir() if folder.is_dir() else ():
            stem = left.stem
            is_old = time.time() - left.stat().st_mtime > KEPT.total_seconds()
            if left.is_dir() and is_old:
                shutil.rmtree(left, ignore_errors=True)
            elif left.is_file() and is_old and not (stem.isdigit() and int(stem) in known):
                left.unlink(missing_ok=True)


class _Job:
    """One file. `work` is for a worker thread; `beat` and `end` write to the database meanwhile."""

    def __init__(self, database: Database, world: World, clock: Clock, file: Path, export: Export) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._file = file
        self._export = export
        self._progress = Progress(0, 0, 0)
        self.stopped = threading.Event()

    def work(self) -> ExportState:
        """How it ended; INTERRUPTED where it was stopped."""
        table = TABLES[TableName(self._export.name)]
        asked = Asked.of_json(self._export.asked)
        try:
            tabulate(self._database, self._world, self._clock(), table, asked, self._file, self._tell)
        except _Stopped:
            return ExportState.INTERRUPTED
        except (ConfigError, DBAPIError) as error:
            log.error("export_failed", export=self._export.id, reason=short(error))
        except Exception:  # one file that cannot be written stops nothing else
            log.exception("export_failed", export=self._export.id)
        else:
            return ExportState.DONE
        return ExportState.FAILED

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        if self.stopped.is_set():
            raise _Stopped
        time.sleep(_PAUSE)

    def beat(self) -> None:
        now = self._progress
        with self._database.transaction() as session:
            wanted = exports.beat(
                session, self._export.id, self._clock(), seen=now.seen, total=now.total, rows=now.rows
            )
        if not wanted:
            self.stopped.set()

    def end(self, state: ExportState) -> None:
        """Where it was cancelled in the last moment, the file goes again."""
        size = self._file.stat().st_size if state is ExportState.DONE else 0
        now = self._progress
        with self._database.transaction() as session:
            kept = exports.end(
                session,
                self._export.id,
                state,
                self._clock(),
                seen=now.seen,
                total=now.total,
                rows=now.rows,
                size=size,
            )
        if not kept:
            self._file.unlink(missing_ok=True)
