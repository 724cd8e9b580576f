"""The whole bot as a child process; writes "handled N" to standard output after each batch.

python -m benchmarks.grid_bot ENDPOINT TOKEN FOLDER
"""

import asyncio
import sys
from pathlib import Path

import structlog
from pydantic import SecretStr

from bot.app import running
from bot.intake import Batch
from bot.settings import GatewaySettings, LogSettings, OutboxSettings, Settings, StorageSettings, WebSettings
from handlers.rules import Rules

ORGANISATION = Path(__file__).parents[1] / "organisation.yaml"


def settings(folder: Path, gateway: GatewaySettings) -> Settings:
    """The defaults on a SQLite file, without the pauses between replies that spare a WeChat account."""
    return Settings(
        organisation=ORGANISATION,
        gateway=gateway,
        storage=StorageSettings(url=f"sqlite:///{folder / 'bench.db'}", media=folder / "media"),
        web=WebSettings(port=0),
        rules=Rules(serve="all"),  # the load comes from rooms that nobody has bound
        outbox=OutboxSettings(group_seconds=0, account_seconds=0),
        log=LogSettings(level="error"),
    )


async def main(endpoint: str, token: str, folder: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    gateway = GatewaySettings(kind="wechaty", endpoint=endpoint, token=SecretStr(token), tls=False)
    async with running(settings(folder, gateway)) as app:
        tell = app.intake._on_batch

        async def count(batch: Batch) -> None:
            print("handled", app.intake.handled, flush=True)
            if tell:
                await tell(batch)

        app.intake._on_batch = count
        assert app.working is not None
        await app.working


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
