"""The whole job without a network in between: through the local gateway, and the intake alone.

python -m benchmarks.without_network [MESSAGES]
"""

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import structlog

from benchmarks.grid_bot import settings
from benchmarks.load import is_report, room, texts
from bot.app import App, running
from bot.gateways.base import Outgoing
from bot.gateways.local import LocalGateway
from bot.settings import GatewaySettings

BATCH = 20_000
PACED, PER_SECOND = 600, 100.0


async def _handle(app: App, count: int) -> tuple[float, float]:
    """(messages a second, ms of CPU a message)."""
    gateway, process = app.gateway, psutil.Process()
    assert isinstance(gateway, LocalGateway)
    said = texts(count)
    begun, cpu = time.monotonic(), sum(process.cpu_times()[:2])
    for number, text in enumerate(said):
        await gateway.say(room(number), f"p{number % 500}", "街坊", text)
    await app.intake.idle()
    took, used = time.monotonic() - begun, sum(process.cpu_times()[:2]) - cpu
    return count / took, used * 1000 / count


async def _latency(app: App) -> tuple[float, float]:
    """(p50, p99) in ms from saying a report to its answer being handed to the gateway, at 100 messages/s."""
    said_at: dict[str, float] = {}
    waits: list[float] = []
    send = app.gateway.send

    async def timed(outgoing: Outgoing) -> str | None:
        if outgoing.room in said_at:
            waits.append((time.monotonic() - said_at.pop(outgoing.room)) * 1000)
        return await send(outgoing)

    app.gateway.send = timed  # type: ignore[method-assign]
    gateway, begun = app.gateway, time.monotonic()
    assert isinstance(gateway, LocalGateway)
    for number, text in enumerate(texts(PACED)):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
        place = f"L{number}@chatroom"
        if is_report(number):
            said_at[place] = time.monotonic()
        await gateway.say(place, f"p{number % 500}", "街坊", text)
    await asyncio.sleep(2)
    waits.sort()
    return statistics.median(waits), waits[-1]


async def measure(total: int, tell: Callable[[str], None]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    process = psutil.Process()
    with tempfile.TemporaryDirectory(prefix="gridbot-bench-") as folder:
        async with running(settings(Path(folder), GatewaySettings())) as app:
            await asyncio.sleep(1)  # the gateway is listening by then
            p50, p99 = await _latency(app)
            tell(
                "| through the local gateway, messages so far | messages/s | CPU ms a message | memory MiB |"
            )
            tell("| --- | --- | --- | --- |")
            for done in range(BATCH, total + 1, BATCH):
                rate, cpu = await _handle(app, BATCH)
                gc.collect()
                memory = process.memory_info().rss / 2**20
                tell(f"| {done} | {rate:.0f} | {cpu:.3f} ({1000 / cpu:.0f} a core-second) | {memory:.0f} |")
            tell(f"\nMessage to reply at 100 messages/s: p50 {p50:.0f} ms, longest {p99:.0f} ms.")


def main(total: int = 100_000, tell: Callable[[str], None] = print) -> None:
    asyncio.run(measure(total, tell))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
