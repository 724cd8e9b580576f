"""What a chat network must offer, and nothing more.

Three kinds of network fit behind it: one that reads and writes groups (local, wechaty); one that reads only
what is addressed to it (an official WeCom bot for internal groups: `Capabilities.reads_all` is false); and
groups without any bot, where a grid owner forwards messages and pastes what the bot drafts
(`Capabilities.sends` is false: `send` keeps the draft for the person instead of saying it).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from handlers.incoming import Incoming


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody to be notified. The text already holds "@name"; networks that notify by id use `id`."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to say, into a room or, where `room` is empty, to a person in private.

    key: the same for every try at the same message, so that a network that can may say it once.
    """

    key: str
    room: str
    text: str
    person: str = ""
    mentions: tuple[Mention, ...] = ()
    picture: Path | None = None  # or another file, by its suffix


@dataclass(frozen=True, slots=True)
class RoomChange:
    """The bot or a group changed. `room` is "" in an invitation: its id is known only after joining."""

    account: str
    room: str
    change: str  # joined, left (the bot); member_joined, member_left; renamed; invited
    at: datetime
    topic: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listening:
    """From now on nothing is missed."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Deaf:
    """From now on nobody listens: what is said is lost at the network, until Listening."""

    at: datetime
    reason: str


GatewayEvent = Incoming | RoomChange | Listening | Deaf

# Awaiting the sink is the back-pressure: it returns when there is room for more, not when it is handled.
Sink = Callable[[GatewayEvent], Awaitable[None]]


class Connection(StrEnum):
    STARTING = "starting"
    CONNECTED = "connected"  # to the gateway; not logged in at the network
    LOGGED_IN = "logged_in"
    LOST = "lost"  # being retried
    REFUSED = "refused"  # final: a person has to mend it


@dataclass(slots=True)
class GatewayStatus:
    """What the board and /healthz show. Times are aware UTC."""

    connection: Connection = Connection.STARTING
    account: str = ""
    since: datetime | None = None
    last_message_at: datetime | None = None
    detail: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capabilities:
    reads_all: bool = True
    sends: bool = True
    mentions: bool = True
    quotes: bool = True
    pictures: bool = True


class GatewayRefused(Exception):
    """The gateway turned the bot away for good, e.g. a wrong token. The message says what to mend."""


class SendFailed(Exception):
    """It was certainly not said. `final`: trying again cannot help (no such room, removed from it)."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class SendUncertain(Exception):
    """It may have been said (deadline passed, connection lost while sending): never blindly said again.

    If it was, it comes back as an own message (`Incoming.from_self`), where the network shows those.
    """


class Gateway(Protocol):
    name: str  # "local", "wechaty": the settings' gateway.kind
    capabilities: Capabilities

    @property
    def status(self) -> GatewayStatus: ...

    async def run(self, sink: Sink) -> None:
        """Connects and hands every event to `sink`, each room's messages in order, until cancelled.

        Loses and regains the connection by itself, saying Deaf and Listening. Raises GatewayRefused only.
        """

    async def send(self, outgoing: Outgoing) -> str | None:
        """Says it; the network's id of the message, or None where it gives none.

        Raises SendFailed or SendUncertain.
        """

    async def fetch_picture(self, account: str, message_id: str) -> bytes | None:
        """The picture of an image message in full size, None where the network no longer has it."""
