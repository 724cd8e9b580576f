"""Waiting for what other tasks and threads bring about."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Returns as soon as the condition holds; TimeoutError where it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.005)


async def cancelled(task: "asyncio.Task[None]") -> None:
    """Cancels the task and waits for its end; raises what it ended with, if not just that."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
