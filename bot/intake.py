"""Queue -> batch -> stored -> handled. Nothing that reached the bot is lost, nothing is handled twice.

A batch takes two commits: first the messages are stored, then they are handled together with their tickets,
events and replies. A crash in between leaves stored, unhandled rows, which the next start takes up first.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import IntegrityError, StatementError

from bot.patience import GaveUp, Patience
from bot.settings import IntakeSettings
from bot.stored import as_row, clean, from_row
from bot.talk import RECENT, Talk
from handlers import groups, questions
from handlers.context import Clock, Context, World
from handlers.incoming import Incoming
from handlers.pipeline import Handled, Reading, handle, read, tell_failure
from storage import messages, rooms
from storage import questions as asked
from storage.database import Database, is_passing
from storage.ids import new_id
from storage.messages import Handling
from storage.tables import Message, Outcome

log = structlog.get_logger(__name__)

_RECOVERY_BATCH = 200
_RECALLED = 20_000  # messages of the last half hour that a start looks at, at most


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch left behind, for those who show or send it."""

    handled: tuple[Incoming, ...] = ()
    changed: bool = False  # a ticket or a reply was written


class Intake:
    """Drains a bounded queue into one worker thread.

    on_batch is awaited in the event loop after each commit. renew, in the worker thread, after a group was
    renamed, so that what is said in it is read with what it is bound to.
    """

    def __init__(
        self,
        database: Database,
        world: Callable[[], World],
        clock: Clock,
        settings: IntakeSettings,
        on_batch: Callable[[Batch], Awaitable[None]] | None = None,
        renew: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._settings = settings
        self._on_batch = on_batch
        self._renew = renew
        self._topics: dict[tuple[str, str], str] = {}  # what each group was called last
        self._gathered: list[Incoming] = []  # taken from the queue, not yet in a batch
        self._queue: asyncio.Queue[Incoming] = asyncio.Queue(settings.queue)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._patience = Patience("intake")
        self._talk = Talk()
        self._remembers = False
        self.handled = 0
        self.failed = 0

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def trouble(self) -> str:
        """Why nothing can be stored right now; shown in /healthz."""
        return self._patience.trouble

    async def put(self, incoming: Incoming) -> None:
        """Takes a message; waits while the queue is full, so that the gateway slows down."""
        await self._queue.put(clean(incoming, self._settings.longest_text))

    async def idle(self) -> None:
        """Returns when everything put so far is handled."""
        await self._queue.join()

    async def run(self) -> None:
        """Works until cancelled; what was put before is stored and handled before it returns."""
        try:
            await self.look_back()
            while True:
                self._gathered.append(await self._queue.get())
                if self.waiting + 1 < self._settings.batch:
                    # A commit for two costs what a commit for one costs: company is worth a moment.
                    await asyncio.sleep(self._settings.gather_ms / 1000)
                batch, self._gathered = self._gathered, []
                await self._take(batch)
        finally:
            self._patience.stop()
            batch = self._drain(self._gathered)
            while batch:
                await asyncio.shield(self._in_thread(partial(self.work, batch)))
                batch = self._drain([])
            self._thread.shutdown(wait=False)

    async def look_back(self, older_than: timedelta = timedelta(0)) -> None:
        """Handles what is stored but unhandled: a crash's, or another process's that is no more."""
        await self._announce(await self._in_thread(lambda: self.recover(older_than)))

    def _in_thread(self, work: Callable[[], Batch]) -> asyncio.Future[Batch]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _take(self, batch: list[Incoming]) -> None:
        batch = self._drain(batch)
        work = self._in_thread(lambda: self.work(batch))
        try:
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
            self._patience.stop()
            await work  # the batch in the thread is finished before we go
            raise
        finally:
            for _ in batch:
                self._queue.task_done()
        await self._announce(result)

    def _drain(self, batch: list[Incoming]) -> list[Incoming]:
        while len(batch) < self._settings.batch and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def _announce(self, result: Batch) -> None:
        if self._on_batch and result.handled:
            await self._on_batch(result)

    # From here on: in the worker thread.

    def recover(self, older_than: timedelta = timedelta(0)) -> Batch:
        """Handles what was stored that long ago and is not handled."""
        before, last_id = self._clock() - older_than, 0
        found = Batch()
        while not self._patience.stopped and (rows := self._left_over(before, last_id)):
            batch = self._handled([from_row(row) for row in rows])
            last_id = rows[-1].id
            if batch.handled:
                log.info("recovered", messages=len(batch.handled))
                found = Batch(batch.handled, found.changed or batch.changed)
        return found

    def _left_over(self, before: datetime, last_id: int) -> list[Message]:
        def look() -> list[Message]:
            with self._database.reading() as session:
                return messages.unhandled(session, before, last_id, _RECOVERY_BATCH)

        try:
            return self._patience.insist(look)
        except GaveUp:
            return []

    def work(self, batch: Sequence[Incoming]) -> Batch:
        """Stores and handles one batch; tries again for as long as the database asks for it."""
        known: dict[tuple[str, str], Incoming] = {}
        for incoming in batch:
            known.setdefault((incoming.account, incoming.id), incoming)
        stored = self._stored(list(known.values()))
        return self._handled(stored) if stored else Batch()

    def _stored(self, batch: Sequence[Incoming], *, last_try: bool = False) -> list[Incoming]:
        """The messages that are in the database now; each has its row's id, unless it was there before."""
        batch = [replace(incoming, row_id=new_id()) for incoming in batch]
        try:
            self._patience.insist(lambda: self._store(batch))
        except GaveUp as error:
            return self._unstorable(batch, error)
        except (StatementError, ValueError) as error:
            if last_try:
                return self._unstorable(batch, error)
            return [one for incoming in batch for one in self._stored([incoming], last_try=True)]
        return batch

    def _unstorable(self, batch: Sequence[Incoming], error: Exception) -> list[Incoming]:
        """The database will not have it, and asking again will not help: said aloud, never passed over."""
        self.failed += len(batch)
        for incoming in batch:
            log.critical(
                "message_not_stored",
                reference=_reference(),
                account=incoming.account,
                message=incoming.id,
                error=type(error).__name__,
            )
        return []

    def _store(self, batch: Sequence[Incoming]) -> None:
        now = self._clock()
        seen = {(m.account, m.room): (m.account, m.room, m.room_topic, now) for m in batch if m.room}
        topics = {key: row[2] for key, row in seen.items() if row[2]}
        fresh = {key: topic for key, topic in topics.items() if self._topics.get(key) != topic}
        with self._database.transaction() as session:
            ctx = Context(session, now, self._world())
            renamed = [groups.renamed(ctx, *key, topic) for key, topic in sorted(fresh.items())]
            messages.store(session, [as_row(incoming, now) for incoming in batch])
            # Sorted, so that two processes lock the rooms in the same order.
            rooms.seen(session, [seen[key] for key in sorted(seen)])
            groups.heard(ctx, batch)
        self._topics |= fresh
        if any(renamed):
            self._renew()

    def _handled(self, batch: Sequence[Incoming]) -> Batch:
        """Handles what is stored; alone what spoils the batch, so that its neighbours go on."""
        world = self._world()
        self._remember()
        work = [(incoming, self._read(world, incoming)) for incoming in batch]
        try:
            return self._patience.insist(lambda: self._handle(world, work))
        except GaveUp:
            return Batch()  # it is stored: the next start takes it up
        except (StatementError, ValueError) as error:
            if len(work) > 1:
                parts = [self._handled([incoming]) for incoming in batch]
                return Batch(tuple(m for p in parts for m in p.handled), any(p.changed for p in parts))
            failed = [(batch[0], error)]
            return self._patience.insist(lambda: self._handle(world, failed))

    def _remember(self) -> None:
        """After a start: what was said lately, so that the talk goes on where it was."""
        if self._remembers:
            return

        def look() -> list[Incoming]:
            with self._database.reading() as session:
                return [from_row(row) for row in messages.since(session, self._clock() - RECENT, _RECALLED)]

        try:
            self._talk.hear_all(self._patience.insist(look))
        except GaveUp:
            return
        self._remembers = True

    def _read(self, world: World, incoming: Incoming) -> Reading | Exception:
        try:
            before = self._talk.before(world.organisation, incoming)
            self._talk.hear(incoming)
            return read(world, incoming, before)
        except Exception as error:  # noqa: BLE001  the error boundary: one bad message stops nobody else
            return error

    def _handle(self, world: World, work: Sequence[tuple[Incoming, Reading | Exception]]) -> Batch:
        """One transaction: what each message is to bring about, and that it has."""
        now = self._clock()
        handlings: list[Handling] = []
        with self._database.transaction() as session:
            ctx = Context(session, now, world)
            mine = messages.claim(session, [incoming.row_id for incoming, _ in work])
            waiting = asked.open_ones(session, now)
            for incoming, reading in work:
                if incoming.row_id in mine:
                    if questions.where(incoming) in waiting and isinstance(reading, Reading):
                        reading = replace(reading, waited_for=True)
                    handlings.append(_handle_one(ctx, incoming, reading))
                    if handlings[-1].outcome == Outcome.COMMAND:
                        waiting = asked.open_ones(session, now)
            if handlings:
                messages.mark_handled(session, handlings, now)
        self.handled += len(handlings)
        self.failed += sum(h.outcome == Outcome.FAILED for h in handlings)
        done = tuple(incoming for incoming, _ in work if incoming.row_id in mine)
        return Batch(done, any(h.outcome not in _QUIET for h in handlings))


def _handle_one(ctx: Context, incoming: Incoming, reading: Reading | Exception, tries: int = 2) -> Handling:
    if isinstance(reading, Exception):
        return _fail(ctx, incoming, Reading(), reading)
    if reading.leaves_alone:
        return _handling(incoming, reading, Handled(reading.outcome))
    try:
        with ctx.session.begin_nested():
            return _handling(incoming, reading, handle(ctx, incoming, reading))
    except Exception as error:  # the error boundary
        if is_passing(error):
            raise  # the whole batch is tried again
        if isinstance(error, IntegrityError) and tries > 1:
            # Another process may have made the same row id at the same moment.
            return _handle_one(ctx, incoming, reading, tries - 1)
        return _fail(ctx, incoming, reading, error)


def _fail(ctx: Context, incoming: Incoming, reading: Reading, error: Exception) -> Handling:
    """Notes the failure under a reference number; the text of the message stays out of the log."""
    reference = _reference()
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    log.error(
        "message_failed",
        reference=reference,
        message=incoming.row_id,
        error=type(error).__name__,
        at=f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "",
    )
    if reading.command is not None:
        with ctx.session.begin_nested():
            tell_failure(ctx, incoming, reference)
    return replace(_handling(incoming, reading, Handled(Outcome.FAILED)), reference=reference)


def _reference() -> str:
    """What finds a log line again."""
    return f"E{secrets.token_hex(3).upper()}"


_QUIET = {Outcome.NONE, Outcome.IGNORED}


def _handling(incoming: Incoming, reading: Reading, handled: Handled) -> Handling:
    verdict = reading.verdict
    return Handling(
        id=incoming.row_id,
        outcome=handled.outcome,
        label=verdict.label,
        urgency=verdict.urgency,
        confidence=verdict.confidence,
        place=verdict.place,
        evidence=list(verdict.evidence),
        ticket_id=handled.ticket_id,
    )
