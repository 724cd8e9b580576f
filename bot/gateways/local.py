"""The built-in chat: people talk on the web page, in groups of the organisation file, without any network."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.gateways.base import (
    Capabilities,
    Connection,
    GatewayStatus,
    Listening,
    Outgoing,
    RoomChange,
    SendFailed,
    Sink,
)
from bot.live import CHAT, Live
from handlers.incoming import Incoming, MessageKind, Quote
from storage import chat
from storage.chat import Line
from storage.database import Database

ACCOUNT = "local"
FOLDER = "local"  # of the pictures, below the media folder
SHEETS = ".xlsx"
_ID = re.compile(r"[a-z0-9-]{1,64}")


class NotListening(Exception):
    """The bot is starting or stopping; try again in a moment."""


class LocalGateway:
    """Every tab of the page is a person. What is said here is kept by the intake like any other message."""

    name = "local"
    capabilities = Capabilities()

    def __init__(self, database: Database, clock: Callable[[], datetime], live: Live, media: Path) -> None:
        self._database = database
        self._clock = clock
        self._live = live
        self._pictures = media / FOLDER
        self._sink: Sink | None = None
        self._status = GatewayStatus(account=ACCOUNT)

    @property
    def status(self) -> GatewayStatus:
        return self._status

    async def run(self, sink: Sink) -> None:
        now = self._clock()
        await sink(Listening(now))
        self._status.connection = Connection.LOGGED_IN
        self._status.since = now
        self._sink = sink
        try:
            await asyncio.Event().wait()
        finally:
            self._sink = None
            self._status.connection = Connection.STARTING

    async def say(
        self,
        room: str,
        person_id: str,
        name: str,
        text: str,
        quote_id: str | None = None,
        picture: bytes | None = None,
        mentions: tuple[str, ...] = (),
        topic: str = "",
    ) -> str:
        """What a person says in a group, or in private (`room` empty); the message's id.

        Returns when the intake has taken it. Raises NotListening.
        """
        sink = self._sink
        if sink is None:
            raise NotListening
        message_id = uuid4().hex
        if picture is not None:
            await asyncio.to_thread(self._keep, message_id, picture)
        incoming = Incoming(
            account=ACCOUNT,
            id=message_id,
            room=room,
            sender=person_id,
            sent_at=self._clock(),
            text=text,
            kind=MessageKind.IMAGE if picture is not None else MessageKind.TEXT,
            sender_name=name,
            room_topic=topic,
            mentions=mentions,
            quote=await self._quote(quote_id) if quote_id else None,
        )
        await sink(incoming)
        self._status.last_message_at = incoming.sent_at
        self._live.publish(CHAT, _as_data(_line_said(incoming)))
        return message_id

    async def change(self, room: str, change: str, topic: str = "", people: tuple[str, ...] = ()) -> None:
        """What happens to groups of real networks, to be tried here; see RoomChange. Raises NotListening."""
        if self._sink is None:
            raise NotListening
        await self._sink(RoomChange(ACCOUNT, room, change, self._clock(), topic, people))

    async def send(self, outgoing: Outgoing) -> str:
        """Shows it on the pages. The id follows from the key, so that a repeated try is not shown twice."""
        said_as = f"bot-{hashlib.sha256(outgoing.key.encode()).hexdigest()[:32]}"
        if outgoing.picture is not None:
            try:
                content = await asyncio.to_thread(outgoing.picture.read_bytes)
                await asyncio.to_thread(self._keep, said_as, content)
            except OSError as error:
                raise SendFailed(f"the picture cannot be read: {error.strerror}") from None
        line = Line(
            id=said_as,
            room=outgoing.room,
            person=outgoing.person,
            author="",
            text=outgoing.text,
            at=self._clock(),
            from_bot=True,
            has_picture=outgoing.picture is not None and outgoing.picture.suffix != SHEETS,
            has_sheet=outgoing.picture is not None and outgoing.picture.suffix == SHEETS,
            mentions=tuple(mention.id for mention in outgoing.mentions),
        )
        self._live.publish(CHAT, _as_data(line))
        return said_as

    async def fetch_picture(self, account: str, message_id: str) -> bytes | None:
        if account != ACCOUNT or not _ID.fullmatch(message_id):
            return None
        return await asyncio.to_thread(_read, self._pictures / message_id)

    def _keep(self, message_id: str, content: bytes) -> None:
        self._pictures.mkdir(parents=True, exist_ok=True)
        (self._pictures / message_id).write_bytes(content)

    async def _quote(self, quote_id: str) -> Quote | None:
        found = await asyncio.to_thread(self._find, quote_id)
        return Quote(text=found.text, id=quote_id) if found else None

    def _find(self, quote_id: str) -> chat.Quoted | None:
        with self._database.reading() as session:
            return chat.quoted(session, ACCOUNT, quote_id)


def _line_said(incoming: Incoming) -> Line:
    return Line(
        id=incoming.id,
        room=incoming.room,
        person=incoming.sender,
        author=incoming.sender_name,
        text=incoming.text,
        at=incoming.sent_at,
        quote=incoming.quote.text if incoming.quote else "",
        has_picture=incoming.kind is MessageKind.IMAGE,
        mentions=incoming.mentions,
    )


def _as_data(line: Line) -> Mapping[str, Any]:
    return {"line": line}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
