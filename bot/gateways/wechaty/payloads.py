"""What the events only name: messages, the names of groups and people, pictures. Asked for, retried, kept."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import structlog
from grpclib.exceptions import GRPCError

from bot.gateways.base import RoomChange
from bot.gateways.wechaty import pictures
from bot.gateways.wechaty.channel import CallLost, Link, NotConnected
from bot.gateways.wechaty.inbox import Begin
from bot.gateways.wechaty.memo import Memo
from bot.gateways.wechaty.messages import incoming
from handlers.incoming import Incoming

log = structlog.get_logger()

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
# Seconds between the tries at one payload, and how long one of them waits for a lost gateway to come back.
RETRIES = (0.2, 0.5, 1.0, 2.0)
COMES_BACK = 60.0
# A name is an ornament: a message does not wait longer for it.
NAME_PATIENCE = 1.0
NAMES_KEPT = 600.0
REFUSALS = 3  # in a row, after which a puppet is taken to know no members for NAMES_KEPT
PICTURES_AT_ONCE = 2


def _nothing() -> None:
    pass


class Payloads:
    """`calls` are made at once at most; `on_loss` is told of every message that could not be had."""

    def __init__(self, calls: int, on_loss: Callable[[], None]) -> None:
        self._link: Link | None = None
        self._linked = asyncio.Event()
        self._on_loss = on_loss
        # A quarter for names, so that they do not queue behind a flood of messages.
        self._slots = asyncio.Semaphore(max(1, calls - calls // 4))
        self._name_slots = asyncio.Semaphore(max(1, calls // 4))
        self._picture_slots = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._topics: Memo[str, str] = Memo(self._ask_topic, most=2_000, seconds=NAMES_KEPT)
        self._names: Memo[tuple[str, str], str] = Memo(self._ask_name, most=20_000, seconds=NAMES_KEPT)
        self._contacts: Memo[str, str] = Memo(self._ask_contact, most=20_000, seconds=NAMES_KEPT)
        self._member_refusals = 0
        self._ask_members_from = 0.0

    def connected(self, link: Link) -> None:
        self._link = link
        self._linked.set()

    def disconnected(self) -> None:
        self._link = None
        self._linked.clear()

    def forget(self, changed: str) -> None:
        """`changed`: the id of a group or person, or "ROOM<sep>PERSON" as some puppets name a member."""
        self._topics.forget(lambda room: room in changed)
        self._names.forget(lambda key: any(part and part in changed for part in key))
        self._contacts.forget(lambda person: person in changed)

    async def message(self, message_id: str, account: str, now: datetime, begin: Begin) -> Incoming | None:
        """None, told in the log, for a message that cannot be had. One without a sender has the sender ""."""
        payload = await self._persist(lambda stub: stub.message_payload(id=message_id), self._slots, begin)
        if payload is None:
            self._on_loss()
            log.error("wechaty.message_lost", message_id=message_id)
            return None
        if not payload.from_id:
            # Handed on all the same: the intake stores it, unread.
            log.warning("wechaty.message_without_sender", message_id=message_id, type=int(payload.type))
        room, sender = payload.room_id, payload.from_id
        topic = await self._soon(self._topics, room) if room else ""
        name = await self._soon(self._names, (room, sender)) if sender else ""
        return incoming(payload, message_id, account, now, name, topic)

    async def with_topic(self, change: RoomChange, begin: Begin) -> RoomChange:
        begin()
        if change.topic or change.change == "left":
            return change
        return replace(change, topic=await self._soon(self._topics, change.room))

    async def invitation(self, id: str, account: str, now: datetime, begin: Begin) -> RoomChange | None:
        """Somebody wants the bot in a group whose id is not known before it has joined."""
        payload = await self._persist(lambda stub: stub.room_invitation_payload(id=id), self._slots, begin)
        if payload is None:
            return None
        people = (payload.inviter_id,) if payload.inviter_id else ()
        return RoomChange(account, "", "invited", now, topic=payload.topic, people=people)

    async def picture(self, message_id: str) -> bytes | None:
        return await self._persist(lambda stub: pictures.fetch(stub, message_id), self._picture_slots)

    async def _persist(
        self, ask: Callable[[Any], Awaitable[T]], slots: asyncio.Semaphore, begin: Begin = _nothing
    ) -> T | None:
        """Asks until answered; None when given up. Across a lost connection it waits for the next one."""
        give_up = time.monotonic() + COMES_BACK
        for pause in (*RETRIES, 0):
            async with slots:
                begin()
                try:
                    return await self._connection().call(ask)
                except GRPCError as error:
                    trouble = error.status.name
                except (NotConnected, CallLost) as error:
                    trouble = str(error)
            log.debug("wechaty.asking_again", trouble=trouble)
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(max(0.0, give_up - time.monotonic())):
                    await self._linked.wait()
            except TimeoutError:
                return None
        return None

    def _connection(self) -> Link:
        if self._link is None:
            raise NotConnected("not connected")
        return self._link

    async def _soon(self, names: Memo[K, str], key: K) -> str:
        if (known := names.known(key)) is not None:
            return known
        try:
            async with asyncio.timeout(NAME_PATIENCE):
                return await names.get(key)
        except (GRPCError, NotConnected, CallLost, TimeoutError):
            return ""

    async def _ask_topic(self, room: str) -> str:
        async with self._name_slots:
            payload = await self._connection().call(lambda stub: stub.room_payload(id=room))
        return str(payload.topic)

    async def _ask_name(self, key: tuple[str, str]) -> str:
        """What the person is called in that group, or in private by WeChat's own name."""
        room, person = key
        called = await self._ask_member(room, person) if room else ""
        return called or await self._contacts.get(person)

    async def _ask_member(self, room: str, person: str) -> str:
        """The name in the group. Some puppets know no members: those are not asked for every message."""
        if time.monotonic() < self._ask_members_from:
            return ""
        try:
            async with self._name_slots:
                member = await self._connection().call(
                    lambda stub: stub.room_member_payload(id=room, member_id=person)
                )
        except GRPCError:
            self._member_refusals += 1
            if self._member_refusals >= REFUSALS:
                self._ask_members_from = time.monotonic() + NAMES_KEPT
            return ""
        self._member_refusals = 0
        return str(member.room_alias or member.name)

    async def _ask_contact(self, person: str) -> str:
        async with self._name_slots:
            contact = await self._connection().call(lambda stub: stub.contact_payload(id=person))
        return str(contact.name)
