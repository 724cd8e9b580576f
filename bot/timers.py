"""APScheduler with its jobs in memory: few jobs, rebuilt from the settings at every start.

What is due stands in the database (`due_at`, the digest's unique day), so that a restart or a second process
neither forgets nor repeats it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from bot.purging import Purging
from bot.settings import Settings
from handlers import answers, care_visits, digest, erasing, joint_clock, orders, reminders, workdays
from handlers.context import Clock, Context, World
from handlers.figures.model import DigestKind
from storage import care, retention, reviews
from storage.database import Database, short
from storage.retention import Counts

log = structlog.get_logger(__name__)

_SWEEP = 50  # tickets a transaction
_AHEAD = timedelta(days=60)  # deadlines reach that far, and a new calendar takes a while to come
_ECHO_LOOK_BACK = timedelta(days=2)
Job = Callable[[], Awaitable[None]]
Sweep = Callable[[Context, int], int]
# Each looks at what is due, at most so many tickets, and tells how many there were.
SWEEPS: tuple[Sweep, ...] = (reminders.sweep, joint_clock.sweep, orders.sweep, answers.lapse, erasing.sweep)


class Timers:
    """What time brings about. `sweep` and `digests` are plain functions for a worker thread."""

    def __init__(
        self, database: Database, world: Callable[[], World], clock: Clock, settings: Settings
    ) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._settings = settings
        self._said: set[int] = set()
        self._purging: Purging | None = None

    def _say_without_holidays(self) -> None:
        """Once for each year of which only the weekends are known: deadlines then fall on holidays too."""
        now = self._clock().astimezone(self._world().zone)
        for year in {now.year, (now + _AHEAD).year} - self._said:
            if not workdays.known(year):
                log.warning("holidays_unknown", year=year, instead="weekends only")
            self._said.add(year)

    def sweep(self) -> int:
        """Reminds, escalates, takes back whatever is due; how many tickets were looked at."""
        self._say_without_holidays()
        return sum(self._swept(sweep) for sweep in SWEEPS)

    def _swept(self, sweep: Sweep) -> int:
        """In batches of one transaction each, until nothing is left that is due."""
        looked = 0
        while True:
            with self._database.transaction() as session:
                found = sweep(Context(session, self._clock(), self._world()), _SWEEP)
            looked += found
            if found < _SWEEP:
                return looked

    def expire(self) -> int:
        """Takes from the review list what nobody decided on in time; how many."""
        with self._database.transaction() as session:
            return reviews.expire(session, self._clock())

    def visits(self, account: str) -> bool:
        """Hands out the day's lists of visits; False where that is not due, or was done before."""
        now, world = self._clock(), self._world()
        if not account or not world.care.entries:
            return False
        with self._database.transaction() as session:
            return care_visits.morning(Context(session, now, world), account)

    def cover(self) -> int:
        """Takes out of stored messages what was said sealed, where the network showed it; how many."""
        world, since = self._world(), self._clock() - _ECHO_LOOK_BACK
        if not world.care.entries:
            return 0
        with self._database.transaction() as session:
            return care.cover_echoes(session, since, world.texts("care.stand_in", number=""))

    def digests(self, account: str) -> bool:
        """Posts what is due of the digests; False where nothing is, or all was posted before."""
        kinds = self._world().rules.digests.kinds if account else ()
        return any([self._digest(kind, account) for kind in kinds])

    def _digest(self, kind: DigestKind, account: str) -> bool:
        world = self._world()
        with self._database.reading() as session:
            ready = digest.due(Context(session, self._clock(), world), account, kind)
        if ready is None:
            return False
        # Counted before, so that others can write meanwhile; of several processes one's is then taken.
        with self._database.transaction() as session:
            return digest.post(Context(session, self._clock(), world), account, ready)

    def purge(self) -> Counts | None:
        """Removes what is too old, once a night or, where that was missed, by day; None where it was done."""
        now, world = self._clock(), self._world()
        due = _last(world.rules.retention.at, now.astimezone(world.zone))
        with self._database.reading() as session:
            done = retention.last(session)
        if done is not None and done >= due:
            return None
        self._purging = Purging(
            self._database, world.rules.retention, self._clock, self._settings.storage.media
        )
        return self._purging.work()

    def stop(self) -> None:
        """A run under way ends after its next step."""
        if self._purging is not None:
            self._purging.stop()


def _last(at: str, local: datetime) -> datetime:
    """When it was HH:MM last."""
    today = datetime.combine(local, time.fromisoformat(at), local.tzinfo)
    return today if local >= today else today - timedelta(days=1)


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
