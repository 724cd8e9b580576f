"""What a purge of a million old messages costs the messages that come in meanwhile.

python -m benchmarks.while_purging [OLD_MESSAGES]
"""

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from benchmarks.grid_bot import settings
from benchmarks.load import room, texts
from bot.app import App, running
from bot.clock import utc_now
from bot.gateways.local import LocalGateway
from bot.purging import Purging
from bot.settings import GatewaySettings
from storage import messages, retention
from storage.database import Database
from storage.ids import new_id

BATCH = 10_000


def _fill(database: Database, count: int) -> None:
    """Old chatter, as the bot would have kept it."""
    said, begun = texts(1000), utc_now() - timedelta(days=30)
    for start in range(0, count, 5000):
        rows = [
            {
                "id": new_id(), "account": "local", "external_id": f"old{number}", "room": room(number),
                "room_topic": "", "sender": f"p{number % 500}", "sender_name": "街坊", "kind": "text",
                "text": said[number % 1000], "mentions": [], "quoted_id": None, "quoted_text": None,
                "sent_at": begun, "received_at": begun + timedelta(seconds=number), "handled_at": begun,
                "outcome": "none",
            }
            for number in range(start, min(count, start + 5000))
        ]  # fmt: skip
        with database.transaction() as session:
            messages.store(session, rows)


async def _rate(app: App, count: int) -> float:
    """Messages a second, all at once."""
    gateway, begun = app.gateway, time.monotonic()
    assert isinstance(gateway, LocalGateway)
    for number, text in enumerate(texts(count)):
        await gateway.say(room(number), f"p{number % 500}", "街坊", text)
    await app.intake.idle()
    return count / (time.monotonic() - begun)


async def _longest(app: App, seconds: float) -> float:
    """The longest that one message waited to be handled, one after another, in ms."""
    gateway, longest, end = app.gateway, 0.0, time.monotonic() + seconds
    assert isinstance(gateway, LocalGateway)
    while time.monotonic() < end:
        begun = time.monotonic()
        await gateway.say(room(1), "p1", "街坊", "早上好")
        await app.intake.idle()
        longest = max(longest, (time.monotonic() - begun) * 1000)
    return longest


async def measure(old: int, tell: Callable[[str], None]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="gridbot-bench-") as folder:
        config = settings(Path(folder), GatewaySettings())
        database = Database(config.storage.url)
        database.upgrade()
        with database.transaction() as session:
            retention.begin(session, utc_now())  # the bot's own timer then leaves it to us
        _fill(database, old)
        database.close()
        async with running(config) as app:
            await asyncio.sleep(1)
            await _rate(app, BATCH)  # warm
            alone, alone_ms = await _rate(app, BATCH), await _longest(app, 5)
            run = Purging(app.database, config.rules.retention, utc_now, config.storage.media)
            begun = time.monotonic()
            thread = threading.Thread(target=run.work)
            thread.start()
            during, during_ms = await _rate(app, BATCH), await _longest(app, 5)
            still = thread.is_alive()
            await asyncio.to_thread(thread.join)
            took = time.monotonic() - begun
        tell(f"| {old} old messages | alone | while they are purged | ratio |")
        tell("| --- | --- | --- | --- |")
        tell(f"| messages/s | {alone:.0f} | {during:.0f} | {during / alone:.2f} |")
        tell(f"| longest ms of one | {alone_ms:.0f} | {during_ms:.0f} | |")
        tell(f"\nThe purge took {took:.0f} s ({'longer' if still else 'NOT longer'} than the measurement).")


def main(old: int = 1_000_000, tell: Callable[[str], None] = print) -> None:
    asyncio.run(measure(old, tell))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
