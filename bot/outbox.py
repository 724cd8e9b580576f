"""Committed replies -> gateway: paced, urgent first, several to a group as one, retried, given up loudly.

One message is under way at a time per account, and each is noted before the next: after a crash at most that
one can be said twice. What may or may not have been said is not said again before it was looked for among the
account's own messages.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bot.gateways.base import Connection, Gateway, Mention, Outgoing, SendFailed, SendUncertain
from bot.settings import OutboxSettings
from handlers.context import Clock
from storage import messages, replies
from storage.database import Database, is_passing, short
from storage.tables import Reply

log = structlog.get_logger(__name__)

_ECHO_WAIT = timedelta(seconds=5)  # how long an own message may take to come back
_LEASE = timedelta(minutes=2)
_LONGEST_BACKOFF = timedelta(hours=1)
_IDLE = 1.0  # seconds; a wake-up comes sooner when something was committed here


@dataclass(slots=True)
class Pace:
    """When the next message may go, for the account and per room. Urgency 3 does not wait for it."""

    settings: OutboxSettings
    account_next: datetime | None = None
    rooms: dict[str, datetime] = field(default_factory=dict)

    def allows(self, reply: Reply, now: datetime) -> bool:
        if reply.urgency >= 3:
            return True
        if self.account_next is not None and now < self.account_next:
            return False
        room_next = self.rooms.get(reply.room or reply.person)
        return room_next is None or now >= room_next

    def said(self, reply: Reply, now: datetime) -> None:
        self.account_next = now + timedelta(seconds=self.settings.account_seconds)
        self.rooms[reply.room or reply.person] = now + timedelta(seconds=self.settings.group_seconds)
        if len(self.rooms) > 1000:
            self.rooms = {room: at for room, at in self.rooms.items() if at > now}


class Outbox:
    """Sends what is due. `on_sent` is awaited in the event loop after each change of a reply's state."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        clock: Clock,
        settings: OutboxSettings,
        on_sent: Callable[[Sequence[Reply]], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._settings = settings
        self._on_sent = on_sent
        self._pace = Pace(settings)
        self._wake = asyncio.Event()
        self.trouble = ""

    def wake(self) -> None:
        """Something was committed: look now. From the event loop only."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; a message that is being said is noted before it returns."""
        await self._ready()
        await asyncio.to_thread(self.settle, self._clock() + _LONGEST_BACKOFF)
        while True:
            self._wake.clear()
            try:
                busy = self._is_ready() and await _finished(self.step())
            except DBAPIError as error:
                if not is_passing(error):
                    raise
                self.trouble, busy = short(error), False
                log.error("outbox_database_busy", reason=self.trouble)
            if not busy:
                await self._rest()

    def _is_ready(self) -> bool:
        return self._gateway.status.connection is Connection.LOGGED_IN

    async def _ready(self) -> None:
        while not self._is_ready():
            await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), min(_IDLE, self._shortest_pace()))

    def _shortest_pace(self) -> float:
        waits = (self._settings.account_seconds, self._settings.group_seconds)
        return max(0.02, min(wait for wait in (*waits, _IDLE) if wait > 0))

    async def step(self) -> bool:
        """Says the next message that is due and allowed; False where there is none."""
        now = self._clock()
        await asyncio.to_thread(self.settle, now)
        bundle = await asyncio.to_thread(self._next, now)
        if not bundle:
            return False
        ids = [reply.id for reply in bundle]
        self._pace.said(bundle[0], now)
        try:
            external_id = await self._gateway.send(_outgoing(bundle))
        except SendUncertain as error:
            reason = str(error)
            log.warning("send_uncertain", replies=ids, reason=reason)
            await self._note(lambda s: replies.leave_uncertain(s, ids, self._clock() + _ECHO_WAIT, reason))
        except SendFailed as error:
            await self._failed(bundle, str(error), final=error.final)
        else:
            await self._note(lambda s: replies.mark_sent(s, ids, external_id, self._clock()))
        self.trouble = ""
        if self._on_sent:
            await self._on_sent(bundle)
        return True

    async def _failed(self, bundle: Sequence[Reply], reason: str, *, final: bool) -> None:
        ids, attempts = [reply.id for reply in bundle], max(reply.attempts for reply in bundle) + 1
        if final or attempts >= self._settings.attempts:
            log.error("reply_given_up", replies=ids, attempts=attempts, reason=reason)
            await self._note(lambda s: replies.give_up(s, ids, reason))
            return
        wait = timedelta(seconds=self._settings.backoff_seconds) * 2 ** (attempts - 1)
        due = self._clock() + min(wait, _LONGEST_BACKOFF)
        log.warning("send_failed", replies=ids, attempts=attempts, reason=reason)
        await self._note(lambda s: replies.put_back(s, ids, due, reason))

    async def _note(self, change: Callable[[Session], None]) -> None:
        """Writes down what happened, for as long as it takes: a sent reply must not stay unsent."""
        wait = 0.05
        while True:
            try:
                await asyncio.to_thread(self._in_transaction, change)
            except DBAPIError as error:
                if not is_passing(error):
                    raise
                self.trouble = short(error)
                log.error("outbox_database_busy", reason=self.trouble, again_in=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)
            else:
                return

    # From here on: in worker threads.

    def _in_transaction(self, change: Callable[[Session], None]) -> None:
        with self._database.transaction() as session:
            change(session)

    def _next(self, now: datetime) -> list[Reply]:
        """The most urgent reply that may go now, with what else may go along, claimed."""
        account = self._gateway.status.account
        with self._database.reading() as session:
            due = replies.due(session, account, now)
        head = next((reply for reply in due if self._pace.allows(reply, now)), None)
        if head is None:
            return []
        bundle = bundled(head, due, self._settings.longest_text)
        with self._database.transaction() as session:
            claimed = replies.claim(session, [reply.id for reply in bundle], now, _LEASE)
        return bundle if claimed else []

    def settle(self, now: datetime) -> None:
        """Decides about what may have been said: found among the own messages, or to be said again."""
        account = self._gateway.status.account
        with self._database.reading() as session:
            if not replies.any_sending(session, account, now):
                return
        with self._database.transaction() as session:
            for together in _as_sent(replies.uncertain(session, account, now)):
                ids, first = [reply.id for reply in together], together[0]
                since = first.sent_at or first.created_at
                text = joined(together)
                found = messages.came_back(session, account, first.room, text, since)
                if found is not None:
                    replies.mark_sent(session, ids, found, now)
                else:
                    log.warning("reply_said_again", replies=ids)
                    replies.put_back(session, ids, now, first.error)


async def _finished(work: Coroutine[Any, Any, bool]) -> bool:
    """Awaits the work; when cancelled meanwhile, lets it come to its end first."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _as_sent(found: Sequence[Reply]) -> list[list[Reply]]:
    """Groups replies by the message they went as: same place, same instant."""
    groups: dict[tuple[str, str, datetime | None], list[Reply]] = {}
    for reply in found:
        groups.setdefault((reply.room, reply.person, reply.sent_at), []).append(reply)
    return list(groups.values())


def joined(bundle: Sequence[Reply]) -> str:
    """The text of replies that go as one message, in the order they were written."""
    return "\n".join(reply.text for reply in sorted(bundle, key=lambda reply: reply.id))


def bundled(head: Reply, due: Sequence[Reply], longest: int) -> list[Reply]:
    """The reply with others due to the same place that fit; an urgent one takes only urgent ones along."""
    if head.picture:
        return [head]
    bundle, length = [head], len(head.text)
    for reply in due:
        if reply is head or reply.picture or (reply.room, reply.person) != (head.room, head.person):
            continue
        if head.urgency >= 3 > reply.urgency:
            continue
        if length + 1 + len(reply.text) > longest:
            break
        bundle.append(reply)
        length += 1 + len(reply.text)
    return bundle


def _outgoing(bundle: Sequence[Reply]) -> Outgoing:
    first = bundle[0]
    people = {mention["id"]: mention["name"] for reply in bundle for mention in reply.mentions}
    return Outgoing(
        key="-".join(str(reply.id) for reply in bundle),
        room=first.room,
        person=first.person,
        text=joined(bundle),
        mentions=tuple(Mention(id, name) for id, name in people.items()),
        picture=Path(first.picture) if first.picture else None,
    )
