"""Fetches the pictures that belong to tickets and keeps them as files below the media folder."""

import asyncio
import contextlib
from pathlib import Path

import structlog

from bot.gateways.base import Gateway, SendFailed, SendUncertain
from handlers.context import Clock
from storage import attachments
from storage.attachments import Wanted
from storage.database import Database

log = structlog.get_logger(__name__)

_ATTEMPTS = 5
_LARGEST = 20 * 1024 * 1024  # bytes
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}


class Pictures:
    """A worker like the outbox: what is wanted stands in the database, a crash forgets nothing."""

    def __init__(self, database: Database, gateway: Gateway, clock: Clock, folder: Path) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._folder = folder
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            await self.step()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 30)

    async def step(self) -> int:
        """Fetches what is wanted now; how many were looked at."""
        found = await asyncio.to_thread(self._wanted)
        for picture in found:
            await self._fetch(picture)
        return len(found)

    async def _fetch(self, picture: Wanted) -> None:
        try:
            content = await self._gateway.fetch_picture(picture.account, picture.external_id)
        except (SendFailed, SendUncertain) as error:
            await asyncio.to_thread(self._failed, picture, str(error))
            return
        if content is None:
            await asyncio.to_thread(self._failed, picture, "the gateway does not have it")
        elif len(content) > _LARGEST:
            await asyncio.to_thread(self._failed, picture, f"larger than {_LARGEST} bytes")
        else:
            try:
                await asyncio.to_thread(self._keep, picture, content)
            except OSError as error:
                await asyncio.to_thread(self._failed, picture, error.strerror or "cannot write")

    # From here on: in worker threads.

    def _wanted(self) -> list[Wanted]:
        with self._database.reading() as session:
            return attachments.wanted(session, self._clock())

    def _keep(self, picture: Wanted, content: bytes) -> None:
        kind = next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), "bin")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{picture.message_id}.{kind}"
        path.write_bytes(content)
        with self._database.transaction() as session:
            attachments.kept(session, picture.message_id, path.name, len(content))

    def _failed(self, picture: Wanted, reason: str) -> None:
        final = picture.attempts + 1 >= _ATTEMPTS
        retry_at = None if final else self._clock() + attachments.backoff(picture.attempts)
        log.warning("picture_not_fetched", message=picture.message_id, reason=reason, final=final)
        with self._database.transaction() as session:
            attachments.failed(session, picture.message_id, reason, retry_at)
