"""Queue -> batch -> stored -> handled. Nothing that reached the bot is lost, nothing is handled twice.

A batch takes two commits: first the messages are stored, then they are handled together with their tickets,
events and replies. A crash in between leaves stored, unhandled rows, which the next start takes up first.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bot.settings import IntakeSettings
from handlers.context import Clock, Context, World
from handlers.incoming import Incoming, MessageKind, Quote
from handlers.pipeline import Handled, Reading, handle, read, tell_failure
from storage import messages, rooms
from storage.database import Database, is_passing, short
from storage.ids import new_id
from storage.messages import Handling
from storage.tables import Message, Outcome

T = TypeVar("T")
log = structlog.get_logger(__name__)

_RECOVERY_BATCH = 200
_LONGEST_WAIT = 5.0  # seconds between tries while the database is locked, full or gone


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch left behind, for those who show or send it."""

    handled: tuple[Incoming, ...]
    changed: bool  # a ticket or a reply was written


class Intake:
    """Drains a bounded queue into one worker thread.

    on_batch is awaited in the event loop after each commit.
    """

    def __init__(
        self,
        database: Database,
        world: Callable[[], World],
        clock: Clock,
        settings: IntakeSettings,
        on_batch: Callable[[Batch], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._settings = settings
        self._on_batch = on_batch
        self._queue: asyncio.Queue[Incoming] = asyncio.Queue(settings.queue)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._stopping = False
        self.trouble = ""  # why nothing can be stored right now; shown in /healthz
        self.handled = 0
        self.failed = 0

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def put(self, incoming: Incoming) -> None:
        """Takes a message; waits while the queue is full, so that the gateway slows down."""
        await self._queue.put(clean(incoming, self._settings.longest_text))

    async def idle(self) -> None:
        """Returns when everything put so far is handled."""
        await self._queue.join()

    async def run(self) -> None:
        """Works until cancelled; what was put before is stored and handled before it returns."""
        loop = asyncio.get_running_loop()
        try:
            await self._announce(await loop.run_in_executor(self._thread, self.recover))
            while True:
                batch = [await self._queue.get()]
                await self._take(batch)
        finally:
            self._stopping = True
            batch = self._drain([])
            while batch:
                await asyncio.shield(loop.run_in_executor(self._thread, self.work, batch))
                batch = self._drain([])
            self._thread.shutdown(wait=False)

    async def _take(self, batch: list[Incoming]) -> None:
        batch = self._drain(batch)
        work = asyncio.get_running_loop().run_in_executor(self._thread, self.work, batch)
        try:
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
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

    def recover(self) -> Batch:
        """Handles what a crash left stored but unhandled."""
        taken: list[Incoming] = []
        changed = False
        while True:
            with self._database.reading() as session:
                rows = messages.unhandled(session, _RECOVERY_BATCH)
            if not rows:
                break
            batch = self._insist(lambda rows=rows: self._handle([_incoming(row) for row in rows]))  # type: ignore[misc]
            taken += batch.handled
            changed |= batch.changed
            if not batch.handled:
                break  # another process has them
        if taken:
            log.info("recovered", messages=len(taken))
        return Batch(tuple(taken[-_RECOVERY_BATCH:]), changed)

    def work(self, batch: Sequence[Incoming]) -> Batch:
        """Stores and handles one batch; tries again for as long as the database asks for it."""
        known: dict[tuple[str, str], Incoming] = {}
        for incoming in batch:
            known.setdefault((incoming.account, incoming.id), replace(incoming, row_id=new_id()))
        fresh = list(known.values())
        try:
            self._insist(lambda: self._store(fresh))
        except DBAPIError as error:
            if self._stopping or len(fresh) == 1:
                self._unstorable(fresh, error)
                return Batch((), changed=False)
            parts = [self.work([incoming]) for incoming in fresh]
            return Batch(tuple(m for part in parts for m in part.handled), any(p.changed for p in parts))
        return self._insist(lambda: self._handle(fresh))

    def _unstorable(self, batch: Sequence[Incoming], error: DBAPIError) -> None:
        """The database will not have it, and asking again will not help: said aloud, never passed over."""
        self.failed += len(batch)
        log.critical("messages_not_stored", messages=len(batch), reason=type(error).__name__)

    def _insist(self, step: Callable[[], T]) -> T:
        wait = 0.05
        while True:
            try:
                result = step()
            except DBAPIError as error:
                if not is_passing(error):
                    raise
                self.trouble = short(error)
                log.error("database_busy", reason=self.trouble, again_in=wait)
                if self._stopping:
                    raise
                time.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                self.trouble = ""
                return result

    def _store(self, batch: Sequence[Incoming]) -> None:
        now = self._clock()
        seen = {(m.account, m.room): (m.account, m.room, m.room_topic, now) for m in batch if m.room}
        with self._database.transaction() as session:
            messages.store(session, [_row(incoming, now) for incoming in batch])
            # Sorted, so that two processes lock the rooms in the same order.
            rooms.seen(session, [seen[key] for key in sorted(seen)])

    def _handle(self, batch: Sequence[Incoming]) -> Batch:
        world, now = self._world(), self._clock()
        readings = [self._read(world, incoming) for incoming in batch]
        done: list[Incoming] = []
        handlings: list[Handling] = []
        with self._database.transaction() as session:
            mine = messages.claim(session, [incoming.row_id for incoming in batch])
            for incoming, reading in zip(batch, readings, strict=True):
                if incoming.row_id in mine:
                    done.append(incoming)
                    handlings.append(self._handle_one(session, world, now, incoming, reading))
            if handlings:
                messages.mark_handled(session, handlings, now)
        self.handled += len(done)
        return Batch(tuple(done), any(h.outcome not in _QUIET for h in handlings))

    def _read(self, world: World, incoming: Incoming) -> Reading | Exception:
        try:
            return read(world, incoming)
        except Exception as error:  # noqa: BLE001  the error boundary: one bad message stops nobody else
            return error

    def _handle_one(
        self, session: Session, world: World, now: datetime, incoming: Incoming, reading: Reading | Exception
    ) -> Handling:
        if isinstance(reading, Reading) and reading.quiet:
            return _handling(incoming, reading, Handled(reading.outcome))
        ctx = Context(session, now, world)
        try:
            if isinstance(reading, Exception):
                raise reading
            with session.begin_nested():
                handled = handle(ctx, incoming, reading)
            return _handling(incoming, reading, handled)
        except DBAPIError as error:
            if is_passing(error):
                raise  # the whole batch is tried again
            return self._fail(ctx, incoming, reading, error)
        except Exception as error:  # noqa: BLE001  the error boundary
            return self._fail(ctx, incoming, reading, error)

    def _fail(
        self, ctx: Context, incoming: Incoming, reading: Reading | Exception, error: Exception
    ) -> Handling:
        """Notes the failure under a reference number; the text of the message stays out of the log."""
        self.failed += 1
        reference = f"E{secrets.token_hex(3).upper()}"
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
        known = reading if isinstance(reading, Reading) else Reading()
        if known.command is not None:
            with ctx.session.begin_nested():
                tell_failure(ctx, incoming, reference)
        handled = _handling(incoming, known, Handled(Outcome.FAILED))
        return replace(handled, reference=reference)


_QUIET = {Outcome.NONE, Outcome.IGNORED}


def clean(incoming: Incoming, longest: int) -> Incoming:
    """The message as it can be stored: no lone surrogates, no NUL, bounded, with an id and a sender."""
    text = _printable(incoming.text)
    if len(text) > longest:
        text = text[:longest] + "…"
    quote = incoming.quote
    if quote is not None:
        quote = Quote(_printable(quote.text)[:longest], quote.id)
    return replace(
        incoming,
        id=incoming.id or f"none-{secrets.token_hex(8)}",
        sender=incoming.sender or "unknown",
        kind=incoming.kind if incoming.sender else MessageKind.OTHER,
        text=text,
        sender_name=_printable(incoming.sender_name)[:200],
        room_topic=_printable(incoming.room_topic)[:200],
        quote=quote,
    )


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    # SQLite refuses lone surrogates, PostgreSQL refuses NUL; the other control characters say nothing.
    sound = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in sound if c >= " " or c in "\n\t")


def _row(incoming: Incoming, now: datetime) -> dict[str, object]:
    quote = incoming.quote
    return {
        "id": incoming.row_id,
        "account": incoming.account,
        "external_id": incoming.id,
        "room": incoming.room,
        "room_topic": incoming.room_topic,
        "sender": incoming.account if incoming.from_self else incoming.sender,
        "sender_name": incoming.sender_name,
        "kind": str(incoming.kind),
        "text": incoming.text,
        "mentions": list(incoming.mentions),
        "quoted_id": quote.id if quote else None,
        "quoted_text": quote.text if quote else None,
        "sent_at": incoming.sent_at,
        "received_at": now,
    }


def _incoming(row: Message) -> Incoming:
    quote = Quote(row.quoted_text or "", row.quoted_id or "") if row.quoted_text is not None else None
    return Incoming(
        account=row.account,
        id=row.external_id,
        room=row.room,
        sender=row.sender,
        sent_at=row.sent_at,
        text=row.text,
        kind=MessageKind(row.kind),
        sender_name=row.sender_name,
        room_topic=row.room_topic,
        mentions=tuple(row.mentions),
        quote=quote,
        from_self=row.sender == row.account,
        row_id=row.id,
    )


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
