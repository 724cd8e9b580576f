"""Puts the parts together, starts and stops them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.exc import DBAPIError

from bot import live as news
from bot.clock import utc_now
from bot.drawing import Drawing
from bot.exports import Exports
from bot.gateways.base import Deaf, Gateway, GatewayEvent, GatewayRefused, Listening, RoomChange
from bot.gateways.local import LocalGateway
from bot.intake import Batch, Intake
from bot.learning import teach_aside
from bot.live import Live
from bot.opinion import Opinions
from bot.outbox import Outbox
from bot.patience import GaveUp, Patience
from bot.pictures import Pictures
from bot.settings import Settings
from bot.timers import Job, Timers, scheduler
from bot.web.app import make_app
from bot.web.parts import Parts
from bot.web.signin import new_url
from bot.world import Worlds
from classifiers.verdict import Classifier
from handlers import groups
from handlers.context import Clock, Context
from handlers.incoming import Incoming
from handlers.vault import Unreadable
from storage import gaps, messages
from storage.database import Database, short
from storage.tables import Reply

log = structlog.get_logger(__name__)

_RELOAD_SECONDS = 5.0
_LOOK_BACK = timedelta(minutes=1)


class StartError(Exception):
    """The bot cannot start; the message says what to mend."""


class App:
    """One running bot. Use `running`."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        gateway: Gateway | None = None,
        classifier: Classifier | None = None,
        config: Path | None = None,
    ) -> None:
        self.settings = settings
        self._config = config
        self.clock = clock
        self.database = Database(settings.storage.url)
        self.database.upgrade()
        self.live = Live()
        self.worlds = Worlds(settings, classifier, self.database)
        self.gateway = gateway or self._make_gateway()
        self.intake = Intake(self.database, self.worlds, clock, settings.intake, self._on_batch, self._renew)
        self.outbox = Outbox(
            self.database,
            self.gateway,
            clock,
            settings.outbox,
            self._on_sent,
            self._unsealed,
            Drawing(self.database, self.worlds, settings.storage.media).path,
        )
        self.pictures = Pictures(self.database, self.gateway, clock, settings.storage.media)
        self.exports = Exports(
            self.database, self.worlds, clock, settings.storage.media, lambda: self.live.publish(news.EXPORTS)
        )
        self.timers = Timers(self.database, self.worlds, clock, settings)
        self.opinions = Opinions(self.database, self.worlds, clock, settings.opinion, self._on_opinion)
        self.port = settings.web.port
        self.working: asyncio.Task[None] | None = None
        self._patience = Patience("gateway events")
        self._heard = False  # anything of the gateway's state since the start

    def _make_gateway(self) -> Gateway:
        if self.settings.gateway.kind == "wechaty":
            from bot.gateways.wechaty import WechatyGateway

            return WechatyGateway(self.settings.gateway, self.clock)
        return LocalGateway(self.database, self.clock, self.live, self.settings.storage.media)

    @property
    def url(self) -> str:
        return f"http://{self.settings.web.host}:{self.port}/"

    def sign_in_url(self) -> str:
        """A one-time link to the pages."""
        return new_url(self.database, self.settings, self.clock, self.port)

    async def sink(self, event: GatewayEvent) -> None:
        """What every gateway event goes through."""
        match event:
            case Incoming():
                await self.intake.put(event)
            case RoomChange():
                await asyncio.to_thread(self._patience.insist, lambda: self._room_changed(event))
                await self._reload()  # a group that was renamed may be bound by its id now
                self.outbox.wake()
                self.live.publish(news.GATEWAY)
            case Listening() | Deaf():
                await asyncio.to_thread(self._patience.insist, lambda: self._listening_changed(event))
                self.live.publish(news.GATEWAY)

    def _room_changed(self, event: RoomChange) -> None:
        with self.database.transaction() as session:
            ctx = Context(session, event.at, self.worlds())
            groups.changed(ctx, event.account, event.room, event.change, event.topic, event.people)

    def _listening_changed(self, event: Listening | Deaf) -> None:
        with self.database.transaction() as session:
            last = None if self._heard else messages.last_received(session)
            if last is not None:
                # A process that was killed could not note when it stopped listening: after the last message.
                gaps.begin(session, self.gateway.name, last, "the bot was not running")
            if isinstance(event, Deaf):
                gaps.begin(session, self.gateway.name, event.at, event.reason)
            else:
                gaps.end(session, self.gateway.name, event.at)
        self._heard = True

    async def _on_batch(self, batch: Batch) -> None:
        if batch.changed:
            await self._reload()  # somebody may have joined, or bound a group
            self.outbox.wake()
            self.pictures.wake()
            self.opinions.wake()
            self.live.publish(news.TICKETS)

    def _on_opinion(self) -> None:
        self.outbox.wake()
        self.live.publish(news.TICKETS)

    async def _on_sent(self, bundle: Sequence[Reply]) -> None:
        self.live.publish(news.REPLIES)

    def health(self) -> dict[str, Any]:
        """Facts for /healthz; nothing personal. A non-empty `trouble` means degraded.

        Of mistakes in the organisation just how many: the log has their lines, `gridbot check` their names.
        """
        found = {
            "intake": {
                "waiting": self.intake.waiting,
                "handled": self.intake.handled,
                "failed": self.intake.failed,
            }
        }
        trouble = {
            "intake": self.intake.trouble,
            "outbox": self.outbox.trouble,
            "gateway events": self._patience.trouble,
            "organisation": self.worlds.trouble and f"mistakes: {len(self.worlds.trouble.splitlines())}",
            "care register": self.worlds.current.care.trouble,
        }
        return found | {"trouble": {part: why for part, why in trouble.items() if why}}

    def _unsealed(self, sealed: bytes) -> str:
        """What a sealed reply says. Raises Unreadable."""
        vault = self.worlds.current.care.vault
        if vault is None:
            raise Unreadable
        return vault.open(sealed)

    async def _digests(self) -> None:
        if await asyncio.to_thread(self.timers.digests, self.gateway.status.account):
            self.outbox.wake()

    async def _sweep(self) -> None:
        if await asyncio.to_thread(self.timers.sweep):
            self.outbox.wake()
            self.live.publish(news.TICKETS)

    async def _care(self) -> None:
        await asyncio.to_thread(self.timers.cover)
        if await asyncio.to_thread(self.timers.visits, self.gateway.status.account):
            self.outbox.wake()

    async def _expire(self) -> None:
        if await asyncio.to_thread(self.timers.expire):
            self.live.publish(news.TICKETS)

    async def _purge(self) -> None:
        await asyncio.to_thread(self.timers.purge)

    async def _tidy_exports(self) -> None:
        if await asyncio.to_thread(self.exports.sweep):
            self.live.publish(news.EXPORTS)

    async def _learn(self) -> None:
        await teach_aside(self._config)  # what came of it is taken over like any changed file

    async def _look_back(self) -> None:
        await self.intake.look_back(_LOOK_BACK)

    def _renew(self) -> bool:
        """Takes over what was changed; where the database does not tell it now, at the next turn."""
        try:
            return self.worlds.reload()
        except DBAPIError as error:
            log.warning("reload_put_off", reason=short(error))
            return False

    async def _reload(self) -> None:
        if await asyncio.to_thread(self._renew):
            self.live.publish(news.TICKETS)

    async def _wake_on_news(self) -> None:
        """A person on the pages asked to try a reply again, or for a file."""
        async with self.live.subscribe(news.REPLIES, news.ORDERED) as subscription:
            async for told in subscription:
                (self.exports if told.topic == news.ORDERED else self.outbox).wake()

    async def work(self) -> None:
        """Runs everything until cancelled. Raises GatewayRefused."""
        refused: GatewayRefused | None = None
        jobs = scheduler(self.settings, self._jobs())
        try:
            async with asyncio.TaskGroup() as tasks:
                for part in (self.intake, self.outbox, self.pictures, self.opinions, self.exports):
                    tasks.create_task(part.run())
                tasks.create_task(self._wake_on_news())
                jobs.start()
                # In the group's body, so that at the end it stops first and the intake takes all it heard.
                try:
                    await self.gateway.run(self.sink)
                finally:
                    jobs.shutdown(wait=False)
                    self.timers.stop()
        except* GatewayRefused as refusals:
            refused = next(error for error in refusals.exceptions if isinstance(error, GatewayRefused))
        if refused is not None:
            raise refused

    def _jobs(self) -> dict[str, tuple[float | str, Job]]:
        timers, nightly_at = self.settings.timers, self.settings.learning.nightly_at
        nightly: dict[str, tuple[float | str, Job]] = (
            {"learn": (nightly_at, self._learn)} if nightly_at else {}
        )
        return nightly | {
            "sweep": (timers.sweep_seconds, self._sweep),
            "purge": (self.settings.rules.retention.at, self._purge),
            "purge-late": (600.0, self._purge),
            # Looked at often rather than at the minute: a time may pass while the bot is not logged in.
            "digests": (15.0, self._digests),
            "reviews": (60.0, self._expire),
            "care": (20.0, self._care),
            "exports": (60.0, self._tidy_exports),
            "look-back": (_LOOK_BACK.total_seconds(), self._look_back),
            "reload": (_RELOAD_SECONDS, self._reload),
        }

    def stopped(self) -> None:
        """Notes that from now on nobody listens."""
        self._patience.stop()
        try:
            if self._heard:
                self._patience.insist(self._note_stop)
        except GaveUp as error:
            log.error("stop_not_noted", reason=str(error))
        self.database.close()

    def _note_stop(self) -> None:
        with self.database.transaction() as session:
            gaps.begin(session, self.gateway.name, self.clock(), "stopped")

    @asynccontextmanager
    async def pages(self) -> AsyncIterator[None]:
        """Serves the web pages. Raises StartError where the port is taken."""
        parts = Parts(
            settings=self.settings,
            database=self.database,
            clock=self.clock,
            world=self.worlds,
            gateway=self.gateway,
            live=self.live,
            local=self.gateway if isinstance(self.gateway, LocalGateway) else None,
            health=self.health,
            reload=self.worlds.reload,
        )
        runner = web.AppRunner(make_app(parts), access_log=None, shutdown_timeout=2)
        await runner.setup()
        host, port = self.settings.web.host, self.settings.web.port
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise StartError(
                f"web.host, web.port: cannot listen at {host}:{port}: {error.strerror}"
            ) from None
        self.port = _port_of(runner) or port
        self.worlds.served_at(self.port)
        try:
            yield
        finally:
            await runner.cleanup()


def _port_of(runner: web.AppRunner) -> int | None:
    for address in runner.addresses:
        if isinstance(address, tuple):
            return int(address[1])
    return None


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    gateway: Gateway | None = None,
    classifier: Classifier | None = None,
    config: Path | None = None,
) -> AsyncIterator[App]:
    """A whole bot for as long as the block lasts, or until `app.working` ends with what went wrong.

    config: the file the settings came from, for the processes that it starts.

    Raises ConfigError, DatabaseError, StartError before the block; GatewayRefused comes out of `app.working`.
    """
    app = App(settings, clock=clock, gateway=gateway, classifier=classifier, config=config)
    try:
        async with app.pages():
            app.working = asyncio.create_task(app.work())
            await asyncio.sleep(0)
            try:
                yield app
            finally:
                app.working.cancel()
                await asyncio.wait({app.working})
    finally:
        app.stopped()
