"""A bounded memory of what was asked for."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Asks once for what many want at the same time, and again after `seconds`.

    A failed answer is not kept. `most` entries; the one longest unused goes first.
    """

    def __init__(self, fetch: Callable[[K], Awaitable[V]], *, most: int, seconds: float) -> None:
        self._fetch = fetch
        self._most = most
        self._seconds = seconds
        self._kept: OrderedDict[K, tuple[float, asyncio.Future[V]]] = OrderedDict()

    async def get(self, key: K) -> V:
        """Raises what `fetch` raises."""
        answer: asyncio.Future[V]
        kept = self._kept.get(key)
        if kept is None or kept[0] < time.monotonic():
            answer = asyncio.ensure_future(self._fetch(key))
            self._kept[key] = (time.monotonic() + self._seconds, answer)
            answer.add_done_callback(lambda done: self._drop_failed(key, done))
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            answer = kept[1]
        if key in self._kept:
            self._kept.move_to_end(key)
        # Shielded: one waiter's cancellation must not take the answer from the others.
        return await asyncio.shield(answer)

    def known(self, key: K) -> V | None:
        """The answer that is there already, else None."""
        kept = self._kept.get(key)
        if kept is None or kept[0] < time.monotonic() or not kept[1].done() or kept[1].cancelled():
            return None
        return None if kept[1].exception() else kept[1].result()

    def forget(self, matches: Callable[[K], bool]) -> None:
        for key in [key for key in self._kept if matches(key)]:
            del self._kept[key]

    def _drop_failed(self, key: K, answer: asyncio.Future[V]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        kept = self._kept.get(key)
        if failed and kept is not None and kept[1] is answer:
            del self._kept[key]
