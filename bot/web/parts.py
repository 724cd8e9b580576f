"""What the pages are given by the app."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web
from sqlmodel import Session

from bot.gateways.base import Gateway
from bot.gateways.local import LocalGateway
from bot.live import Live
from bot.settings import Settings
from handlers.context import World
from storage.database import Database

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Parts:
    """`health`: facts of the app's own for /healthz, such as the intake's queue; nothing personal.

    Something in its `trouble` makes the whole degraded. `reload` takes over at once what was written of the
    organisation, which would otherwise take some seconds.
    """

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    world: Callable[[], World]
    gateway: Gateway
    live: Live
    local: LocalGateway | None
    health: Callable[[], dict[str, Any]]
    reload: Callable[[], object] = bool


PARTS = web.AppKey("parts", Parts)


def parts_of(request: web.Request) -> Parts:
    return request.app[PARTS]


async def read(parts: Parts, query: Callable[[Session], Result]) -> Result:
    """Runs a query in a worker thread: the database is synchronous, the pages are not."""

    def run() -> Result:
        with parts.database.reading() as session:
            return query(session)

    return await asyncio.to_thread(run)


async def write(parts: Parts, change: Callable[[Session], Result]) -> Result:
    """The same in a transaction of its own."""

    def run() -> Result:
        with parts.database.transaction() as session:
            return change(session)

    return await asyncio.to_thread(run)
