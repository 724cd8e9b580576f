"""The line between the event stream and the sink: what arrived first is handed on first."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.gateways.base import GatewayEvent, Sink

# Seconds that one event whose payload is slow to come may hold up those behind it. Then they pass, and it
# follows when it comes: a message about danger must not wait for another one's retries.
PATIENCE = 2.0


Begin = Callable[[], None]


@dataclass(slots=True)
class _Item:
    begun: asyncio.Future[float]
    task: asyncio.Task[GatewayEvent | None]


async def _patiently(item: _Item) -> None:
    """Until the item is there, or its patience is at an end."""
    turn: set[asyncio.Future[Any]] = {item.task, item.begun}
    await asyncio.wait(turn, return_when=asyncio.FIRST_COMPLETED)
    if not item.task.done():
        left = item.begun.result() + PATIENCE - time.monotonic()
        await asyncio.wait({item.task}, timeout=max(0.0, left))


class Inbox:
    """Fetches payloads side by side and hands the events to the sink in the order of arrival.

    That order is every room's order. At most `most` events are on their way; beyond that `put` waits, and
    with it the event stream: the gateway keeps what the bot has no room for.
    """

    def __init__(self, sink: Sink, *, most: int) -> None:
        self._sink = sink
        self._room = asyncio.Semaphore(most)
        self._items: asyncio.Queue[_Item] = asyncio.Queue()
        self._late: set[asyncio.Task[None]] = set()

    async def put(self, fetch: Callable[[Begin], Coroutine[Any, Any, GatewayEvent | None]]) -> None:
        """Waits for room, not for the event.

        `fetch` must not raise; it calls what it is given when it has its turn: its patience counts from then.
        """
        await self._room.acquire()
        begun: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        def begin() -> None:
            if not begun.done():
                begun.set_result(time.monotonic())

        self._items.put_nowait(_Item(begun, asyncio.create_task(fetch(begin))))

    async def say(self, event: GatewayEvent) -> None:
        """Puts an event that needs nothing fetched."""

        async def ready(_: Begin) -> GatewayEvent:
            return event

        await self.put(ready)

    async def run(self) -> None:
        """Until cancelled. Raises what the sink raises."""
        while True:
            item = await self._items.get()
            if not item.task.done():  # mostly it is: waiting costs more than looking
                await _patiently(item)
            if item.task.done():
                await self._hand_on(item.task)
            else:
                late = asyncio.create_task(self._hand_on(item.task))
                self._late.add(late)
                late.add_done_callback(self._late.discard)
            self._items.task_done()

    async def drain(self, seconds: float) -> None:
        """Gives what already arrived some more time, then drops it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._items.join()
                while self._late:
                    await asyncio.wait(set(self._late))
        while not self._items.empty():
            self._items.get_nowait().task.cancel()
        for task in self._late:
            task.cancel()

    async def _hand_on(self, task: asyncio.Task[GatewayEvent | None]) -> None:
        try:
            event = await task
            if event is not None:
                await self._sink(event)
        finally:
            self._room.release()
