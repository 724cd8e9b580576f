"""What the contract tests need from a network, whatever its kind.

To put another gateway under the contract, write a `NetworkSide` for it and name it in networks.py.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from bot.gateways.base import Gateway, GatewayEvent, Listening
from handlers.incoming import Incoming

E = TypeVar("E", bound=GatewayEvent)
WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the bot sent, as the network saw it."""

    room: str
    person: str
    text: str
    mentions: tuple[str, ...] = ()
    picture: bytes | None = None


class NetworkSide(ABC):
    """The people at the other end. An async context manager: inside of it the network is up.

    room: a group that the bot is in, with the people of `people` in it; other_room: a second one.
    account: the bot's own id there. shows_own: what the bot says comes back as an event.
    """

    account: str
    room: str
    other_room: str
    people: tuple[str, ...]
    shows_own = True

    @abstractmethod
    async def __aenter__(self) -> "NetworkSide": ...

    @abstractmethod
    async def __aexit__(self, *_: object) -> None: ...

    @abstractmethod
    def gateway(self) -> Gateway:
        """A new gateway to this network, not yet running."""

    @abstractmethod
    async def say(self, room: str, sender: str, text: str, mentions: tuple[str, ...] = ()) -> str:
        """A person (or the account itself) says it; the message's id. `room` "" is private to the bot."""

    @abstractmethod
    async def show(self, room: str, sender: str, picture: bytes) -> str:
        """A person sends a picture; the message's id."""

    @abstractmethod
    async def said(self) -> list[Told]:
        """What the bot sent since the network is up."""

    async def again(self, message_id: str) -> bool:
        """The network delivers the message once more; False where it never does."""
        return False


class Heard:
    """A sink that remembers. `delay`: seconds that it takes for each event."""

    def __init__(self, delay: float = 0) -> None:
        self.events: list[GatewayEvent] = []
        self.delay = delay
        self._more = asyncio.Condition()

    async def __call__(self, event: GatewayEvent) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        self.events.append(event)
        async with self._more:
            self._more.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def messages(self) -> list[Incoming]:
        return self.of(Incoming)

    async def until(self, fits: Callable[["Heard"], object], seconds: float = WAIT_SECONDS) -> None:
        async with asyncio.timeout(seconds), self._more:
            await self._more.wait_for(lambda: fits(self))

    async def message(self, message_id: str, seconds: float = WAIT_SECONDS) -> Incoming:
        await self.until(lambda heard: any(one.id == message_id for one in heard.messages), seconds)
        return next(one for one in self.messages if one.id == message_id)


@asynccontextmanager
async def running(gateway: Gateway, heard: Heard | None = None, *, wait: bool = True) -> AsyncIterator[Heard]:
    """The gateway, listening (unless `wait` is false), and stopped at the end."""
    heard = heard or Heard()
    task = asyncio.create_task(gateway.run(heard))
    try:
        if wait:
            listening = asyncio.create_task(heard.until(lambda heard: heard.of(Listening)))
            await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            await listening
        yield heard
    finally:
        task.cancel()
        await asyncio.wait({task})


async def becomes(true: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Waits for what no event tells of, e.g. a status. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def clock() -> datetime:
    return datetime.now(UTC)
