"""APScheduler with its jobs in memory: few jobs, rebuilt from the settings at every start.

What is due stands in the database (`due_at`, the digest's unique day), so that a restart or a second process
neither forgets nor repeats it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, time

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from bot.settings import Settings
from handlers import digest, reminders
from handlers.context import Clock, Context, World
from storage import messages
from storage.database import Database, short

log = structlog.get_logger(__name__)

_SWEEP = 50  # tickets a transaction
Job = Callable[[], Awaitable[None]]


class Timers:
    """What time brings about. `sweep` and `evening` are plain functions for a worker thread."""

    def __init__(
        self, database: Database, world: Callable[[], World], clock: Clock, settings: Settings
    ) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._settings = settings

    def sweep(self) -> int:
        """Reminds and escalates whatever is due; how many tickets were looked at."""
        looked = 0
        while True:
            with self._database.transaction() as session:
                found = reminders.sweep(Context(session, self._clock(), self._world()), _SWEEP)
            looked += found
            if found < _SWEEP:
                return looked

    def evening(self, account: str) -> bool:
        """Posts today's digest once its time has come; False where it has not, or where it was posted."""
        now, world = self._clock(), self._world()
        local = now.astimezone(world.zone)
        if not account or local.time() < time.fromisoformat(self._settings.timers.digest_at):
            return False
        with self._database.transaction() as session:
            if not messages.any_ticket(session):
                return False  # a bot that has never had a ticket has nothing to tell
            return digest.post(Context(session, now, world), account, local.date())


def scheduler(settings: Settings, jobs: dict[str, tuple[float | str, Job]]) -> AsyncIOScheduler:
    """A scheduler with these jobs: name -> (every so many seconds, or daily at HH:MM, what to do)."""
    made = AsyncIOScheduler(
        timezone=settings.tz,
        # A job that was late is still wanted, once: by default it would be dropped after one second.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    for name, (when, job) in jobs.items():
        made.add_job(_guarded(name, job), _trigger(when, settings), id=name)
    return made


def _trigger(when: float | str, settings: Settings) -> CronTrigger | IntervalTrigger:
    if isinstance(when, str):
        hour, minute = when.split(":")
        return CronTrigger(hour=int(hour), minute=int(minute), timezone=settings.tz)
    start = datetime.now(settings.tz)
    return IntervalTrigger(seconds=when, start_date=start, timezone=settings.tz)


def _guarded(name: str, job: Job) -> Job:
    """A database that is busy now is tried at the next turn."""

    async def run() -> None:
        try:
            await job()
        except DBAPIError as error:
            log.error("timer_failed", timer=name, reason=short(error))

    return run
