"""News inside the process: who watches a page is told at once that something changed.

News may be lost (a slow reader, a restart): the database is the arbiter, and a page that missed something is
told so (`MISSED`) and reads it again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

CHAT = "chat"  # a message or a reply in a room of the local chat
TICKETS = "tickets"  # a ticket changed
GATEWAY = "gateway"  # the gateway's state changed
REPLIES = "replies"  # the outbox was changed by a person: look at it again
EXPORTS = "exports"  # a file that is written in the background went on
ORDERED = "ordered"  # somebody asked for such a file
MISSED = "missed"  # this reader was too slow: read everything again


@dataclass(frozen=True, slots=True)
class News:
    topic: str
    data: Mapping[str, Any] | None = None


class Subscription:
    """One reader's queue. Equal news that waits already is not queued twice."""

    def __init__(self, topics: frozenset[str], limit: int) -> None:
        self._topics = topics
        self._limit = limit
        self._queue: deque[News] = deque()
        self._ready = asyncio.Event()
        self.closed = False

    def offer(self, news: News) -> None:
        if self._topics and news.topic not in self._topics:
            return
        if news in self._queue:
            return
        if len(self._queue) >= self._limit:
            self._queue.clear()
            news = News(MISSED)
        self._queue.append(news)
        self._ready.set()

    def close(self) -> None:
        self.closed = True
        self._ready.set()

    async def next(self, seconds: float) -> News | None:
        """The next news, None when there was none for that long or when the hub closes (see `closed`)."""
        if not self._queue and not self.closed:
            try:
                async with asyncio.timeout(seconds):
                    await self._ready.wait()
            except TimeoutError:
                return None
        news = self._queue.popleft() if self._queue else None
        if not self._queue and not self.closed:
            self._ready.clear()
        return news

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> News:
        while not self.closed:
            if (news := await self.next(60)) is not None:
                return news
        raise StopAsyncIteration


class Live:
    """The hub. Nobody ever waits for a reader."""

    def __init__(self) -> None:
        self._readers: set[Subscription] = set()
        self._closed = False

    def publish(self, topic: str, data: Mapping[str, Any] | None = None) -> None:
        """Tells every reader; from the event loop only."""
        news = News(topic, data)
        for reader in self._readers:
            reader.offer(news)

    @asynccontextmanager
    async def subscribe(self, *topics: str, limit: int = 200) -> AsyncIterator[Subscription]:
        """A reader of these topics (none named: of all) as long as the block lasts."""
        reader = Subscription(frozenset((*topics, MISSED)) if topics else frozenset(), limit)
        reader.closed = self._closed
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """Ends every reader, so that open pages do not hold up the end of the process."""
        self._closed = True
        for reader in self._readers:
            reader.close()
