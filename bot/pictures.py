"""Fetches the pictures that belong to tickets and keeps them as files below the media folder."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

from bot.gateways.base import Gateway, SendFailed, SendUncertain
from bot.patience import GaveUp, Patience
from handlers.context import Clock
from storage import attachments
from storage.attachments import Wanted
from storage.database import Database

T = TypeVar("T")
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
        self._patience = Patience("pictures")

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; a picture that was not fetched by then is still wanted at the next start."""
        try:
            while True:
                self._wake.clear()
                await self.step()
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: on Python 3.11 it swallows a cancellation that meets the wake-up.
                    async with asyncio.timeout(30):
                        await self._wake.wait()
        finally:
            self._patience.stop()

    async def step(self) -> int:
        """Fetches what is wanted now; how many were looked at."""
        try:
            found = await self._in_thread(self._wanted)
            for picture in found:
                await self._fetch(picture)
        except GaveUp:
            return 0
        return len(found)

    async def _in_thread(self, step: Callable[[], T]) -> T:
        return await asyncio.to_thread(self._patience.insist, step)

    async def _fetch(self, picture: Wanted) -> None:
        reason = "the gateway does not have it"
        content = None
        try:
            content = await self._gateway.fetch_picture(picture.account, picture.external_id)
        except (SendFailed, SendUncertain) as error:
            reason = str(error)
        if content is not None and len(content) > _LARGEST:
            content, reason = None, f"larger than {_LARGEST} bytes"
        if content is not None:
            reason = await self._in_thread(lambda: self._keep(picture, content))
        if reason:
            await self._in_thread(lambda: self._failed(picture, reason))

    # From here on: in worker threads.

    def _wanted(self) -> list[Wanted]:
        with self._database.reading() as session:
            return attachments.wanted(session, self._clock())

    def _keep(self, picture: Wanted, content: bytes) -> str:
        """Writes the file; what went wrong, empty where nothing did."""
        kind = next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), "bin")
        path = self._folder / f"{picture.message_id}.{kind}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            return error.strerror or "cannot write"
        with self._database.transaction() as session:
            attachments.kept(session, picture.message_id, path.name, len(content))
        return ""

    def _failed(self, picture: Wanted, reason: str) -> None:
        final = picture.attempts + 1 >= _ATTEMPTS
        retry_at = None if final else self._clock() + attachments.backoff(picture.attempts)
        log.warning("picture_not_fetched", message=picture.message_id, reason=reason, final=final)
        with self._database.transaction() as session:
            attachments.failed(session, picture.message_id, reason, retry_at)
