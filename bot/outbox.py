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
from typing import Any, TypeVar

import structlog
from sqlmodel import Session

from bot.gateways.base import Connection, Gateway, Mention, Outgoing, SendFailed, SendUncertain
from bot.patience import GaveUp, Patience
from bot.settings import OutboxSettings
from handlers.context import Clock
from handlers.vault import Unreadable
from storage import messages, replies
from storage.database import Database
from storage.tables import Reply

T = TypeVar("T")

log = structlog.get_logger(__name__)

_ECHO_WAIT = timedelta(seconds=5)  # how long an own message may take to come back
_SETTLE_EVERY = timedelta(minutes=1)  # sooner where this process itself is in doubt
_LEASE = timedelta(minutes=2)
_LONGEST_BACKOFF = timedelta(hours=1)
_IDLE = 1.0  # seconds; a wake-up comes sooner when something was committed here


@dataclass(slots=True)
class Pace:
    """When the next message may go, for the account and per room. Urgency 3 does not wait for it."""

    settings: OutboxSettings
    account_next: datetime | None = None
    rooms: dict[str, datetime] = field(default_factory=dict)

    def account_rests(self, now: datetime) -> bool:
        return self.account_next is not None and now < self.account_next

    def resting(self, now: datetime) -> list[str]:
        """The rooms and people that are left in peace a moment longer."""
        return [place for place, until in self.rooms.items() if now < until]

    def said(self, reply: Reply, now: datetime) -> None:
        self.account_next = now + timedelta(seconds=self.settings.account_seconds)
        self.rooms[reply.room or reply.person] = now + timedelta(seconds=self.settings.group_seconds)
        if len(self.rooms) > 1000:
            self.rooms = {place: self.rooms[place] for place in self.resting(now)}


class Outbox:
    """Sends what is due. `on_sent` is awaited in the event loop after each change of a reply's state.

    unsealed: gives the words of a sealed reply, or raises Unreadable.
    drawn: the file of a reply's picture; takes its time.
    """

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        clock: Clock,
        settings: OutboxSettings,
        on_sent: Callable[[Sequence[Reply]], Awaitable[None]] | None = None,
        unsealed: Callable[[bytes], str] | None = None,
        drawn: Callable[[str], Path] = Path,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._settings = settings
        self._on_sent = on_sent
        self._unsealed = unsealed
        self._drawn = drawn
        self._pace = Pace(settings)
        self._wake = asyncio.Event()
        self._patience = Patience("outbox")
        self._settle_at: datetime | None = None  # None: what is under way was left by an ended process

    @property
    def trouble(self) -> str:
        """Why nothing can be noted right now; shown in /healthz."""
        return self._patience.trouble

    def wake(self) -> None:
        """Something was committed: look now. From the event loop only."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; a message that is being said is noted before it returns."""
        while True:
            self._wake.clear()
            busy = self._is_ready() and await self._finished(self.step())
            if not busy:
                await self._rest()

    def _is_ready(self) -> bool:
        return self._gateway.status.connection is Connection.LOGGED_IN

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            # Not wait_for: on Python 3.11 it swallows a cancellation that meets the wake-up.
            async with asyncio.timeout(min(_IDLE, self._shortest_pace())):
                await self._wake.wait()

    def _shortest_pace(self) -> float:
        waits = (self._settings.account_seconds, self._settings.group_seconds)
        return max(0.02, min(wait for wait in (*waits, _IDLE) if wait > 0))

    async def step(self) -> bool:
        """Says the next message that is due and allowed; False where there is none."""
        now = self._clock()
        try:
            bundle = await self._in_thread(lambda: self._look(now))
            if bundle:
                self._pace.said(bundle[0], now)
                await self._say(bundle)
        except GaveUp:
            return False  # what is not noted is looked into at the next start
        if bundle and self._on_sent:
            await self._on_sent(bundle)
        return bool(bundle)

    async def _say(self, bundle: Sequence[Reply]) -> None:
        ids = [reply.id for reply in bundle]
        try:
            external_id = await self._gateway.send(
                _outgoing(bundle, self._text(bundle), await self._picture(bundle[0]))
            )
        except Unreadable as error:
            await self._failed(bundle, str(error), final=True)
        except SendUncertain as error:
            reason = str(error)
            log.warning("send_uncertain", replies=ids, reason=reason)
            look_at = self._clock() + _ECHO_WAIT
            await self._note(lambda s: replies.leave_uncertain(s, ids, look_at, reason))
            self._settle_at = min(self._settle_at or look_at, look_at)
        except SendFailed as error:
            await self._failed(bundle, str(error), final=error.final)
        else:
            await self._note(lambda s: replies.mark_sent(s, ids, external_id, self._clock()))

    async def _picture(self, reply: Reply) -> Path | None:
        """The words go without it where it cannot be made. Raises SendFailed where there are no words."""
        if not reply.picture:
            return None
        try:
            return await asyncio.to_thread(self._drawn, reply.picture)
        except Exception as error:  # a picture that cannot be drawn must not stop what is said
            log.exception("picture_not_drawn", reply=reply.id)
            if not reply.text:
                raise SendFailed(f"the picture cannot be drawn: {type(error).__name__}", final=True) from None
            return None

    def _text(self, bundle: Sequence[Reply]) -> str:
        """What is said. Raises Unreadable."""
        sealed = bundle[0].sealed
        if sealed is None:
            return joined(bundle)
        if self._unsealed is None:
            raise Unreadable
        return self._unsealed(sealed)

    async def _failed(self, bundle: Sequence[Reply], reason: str, *, final: bool) -> None:
        ids, attempts = [reply.id for reply in bundle], max(reply.attempts for reply in bundle) + 1
        if final or attempts >= self._settings.attempts:
            log.error("reply_given_up", replies=ids, attempts=attempts, reason=reason)
            await self._note(lambda s: replies.give_up(s, ids, reason))
            return
        due = self._clock() + self._backoff(attempts)
        log.warning("send_failed", replies=ids, attempts=attempts, reason=reason)
        await self._note(lambda s: replies.put_back(s, ids, due, reason))

    def _backoff(self, attempts: int) -> timedelta:
        seconds = self._settings.backoff_seconds * 2.0 ** (attempts - 1)
        return min(timedelta(seconds=min(seconds, 1e6)), _LONGEST_BACKOFF)

    async def _note(self, change: Callable[[Session], None]) -> None:
        """Writes down what happened, for as long as it takes: a sent reply must not stay unsent."""
        await self._in_thread(lambda: self._in_transaction(change))

    async def _in_thread(self, step: Callable[[], T]) -> T:
        return await asyncio.to_thread(self._patience.insist, step)

    async def _finished(self, work: Coroutine[Any, Any, bool]) -> bool:
        """Awaits the work; when cancelled meanwhile, lets it come to its end first."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._patience.stop()
            await task
            raise

    # From here on: in worker threads.

    def _in_transaction(self, change: Callable[[Session], None]) -> None:
        with self._database.transaction() as session:
            change(session)

    def _look(self, now: datetime) -> list[Reply]:
        if self._settle_at is None or now >= self._settle_at:
            # What this process says it notes; what an ended one left open need not be waited for.
            self.settle(now, now + _LEASE if self._settle_at is None else now)
            with self._database.reading() as session:
                doubts = replies.any_sending(session, self._gateway.status.account, now + _LEASE)
            self._settle_at = now + (_ECHO_WAIT if doubts else _SETTLE_EVERY)
        return self._next(now)

    def _next(self, now: datetime) -> list[Reply]:
        """The most urgent reply that may go now, with what else may go along, claimed."""
        account = self._gateway.status.account
        with self._database.reading() as session:
            found = replies.due(
                session,
                account,
                now,
                resting=self._pace.resting(now),
                urgent_only=self._pace.account_rests(now),
                limit=1,
            )
            if not found:
                return []
            along = replies.due_along(session, found[0], now)
        bundle = bundled(found[0], along, self._settings.longest_text)
        with self._database.transaction() as session:
            claimed = replies.claim(session, [reply.id for reply in bundle], now, _LEASE)
        return bundle if claimed else []

    def settle(self, now: datetime, until: datetime) -> None:
        """Decides about what may have been said: found among the own messages, or to be said again.

        until: looks into what was to be looked into by then.
        """
        account = self._gateway.status.account
        with self._database.reading() as session:
            if not replies.any_sending(session, account, until):
                return
        with self._database.transaction() as session:
            for together in _as_sent(replies.uncertain(session, account, until)):
                self._settle(session, together, now)

    def _settle(self, session: Session, together: Sequence[Reply], now: datetime) -> None:
        ids, first = [reply.id for reply in together], together[0]
        attempts = max(reply.attempts for reply in together)
        found = self._found(session, together)
        if found is not None:
            replies.mark_sent(session, ids, found, now)
        elif attempts >= self._settings.attempts:
            log.error("reply_given_up", replies=ids, attempts=attempts, reason=first.error)
            replies.give_up(session, ids, first.error or "never known to have been said")
        else:
            log.warning("reply_said_again", replies=ids, attempts=attempts)
            due = now if attempts == 1 else now + self._backoff(attempts - 1)
            replies.put_back(session, ids, due, first.error)

    def _found(self, session: Session, together: Sequence[Reply]) -> str | None:
        """The id under which the network shows that these were said; spaces may have changed there."""
        try:
            first, text = together[0], "".join(self._text(together).split())
        except Unreadable:
            return None
        since = first.sent_at or first.created_at
        own = messages.own_unclaimed(session, first.account, first.room, since)
        return next((external_id for external_id, said in own if "".join(said.split()) == text), None)


def _as_sent(found: Sequence[Reply]) -> list[list[Reply]]:
    """Groups replies by the message they went as: same place, same instant. A sealed one went alone."""
    groups: dict[tuple[str, str, datetime | None, int], list[Reply]] = {}
    for reply in found:
        alone = reply.id if reply.sealed else 0
        groups.setdefault((reply.room, reply.person, reply.sent_at, alone), []).append(reply)
    return list(groups.values())


def joined(bundle: Sequence[Reply]) -> str:
    """The text of replies that go as one message, in the order they were written."""
    return "\n".join(reply.text for reply in sorted(bundle, key=lambda reply: reply.id))


def bundled(head: Reply, due: Sequence[Reply], longest: int) -> list[Reply]:
    """The reply with others due to the same place that fit; an urgent one takes only urgent ones along.

    Pictures and what is sealed go alone.
    """
    if head.picture or head.sealed:
        return [head]
    bundle, length = [head], len(head.text)
    for reply in due:
        if reply is head or reply.picture or reply.sealed:
            continue
        if (reply.room, reply.person) != (head.room, head.person):
            continue
        if head.urgency >= 3 > reply.urgency:
            continue
        if length + 1 + len(reply.text) > longest:
            break
        bundle.append(reply)
        length += 1 + len(reply.text)
    return bundle


def _outgoing(bundle: Sequence[Reply], text: str, picture: Path | None) -> Outgoing:
    first = bundle[0]
    people = {mention["id"]: mention["name"] for reply in bundle for mention in reply.mentions}
    return Outgoing(
        key="-".join(str(reply.id) for reply in bundle),
        room=first.room,
        person=first.person,
        text=text,
        mentions=tuple(Mention(id, name) for id, name in people.items()),
        picture=picture,
    )
