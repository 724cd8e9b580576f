"""The loop over the event stream, and what the rest of the bot sees of it.

The gateway keeps nothing for a bot that is not attached: what is said meanwhile is lost. So the loop attaches
as early as it can (the stream first, then start(), never stop(): that would end other clients' streams),
comes back within a second after a loss, and says Deaf and Listening so that the gap is on record. Whatever is
wrong with the connection is retried for ever, with the reason in `status.detail`, save a refused token.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from bot.gateways.base import (
    Capabilities,
    Connection,
    Deaf,
    GatewayRefused,
    GatewayStatus,
    Listening,
    Outgoing,
    Sink,
)
from bot.gateways.wechaty.channel import SILENCE, CallLost, Link, NotConnected, StreamLost, tls_context
from bot.gateways.wechaty.events import ROOM_EVENTS, Event, EventType, parse, room_change
from bot.gateways.wechaty.inbox import Inbox
from bot.gateways.wechaty.payloads import Payloads
from bot.gateways.wechaty.sending import Sender
from bot.settings import GatewaySettings

log = structlog.get_logger()

# Seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
TAKEN_PAUSE = 2.0  # another client holds the stream: it may be our own, not yet given up by the gateway
QUIET_START = 2.0  # gateways other than Node's may greet with no event: then a successful start() counts
START_AGAIN = 5.0
DRAIN = 2.0
CANCEL_AGAIN = 0.1
# Messages on their way, for each call at once.
BACKLOG = 8


class WechatyGateway:
    """Implements bot.gateways.base.Gateway. `clock` gives the time, aware UTC."""

    name = "wechaty"
    capabilities = Capabilities()

    def __init__(self, settings: GatewaySettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._link: Link | None = None
        self._listening = False
        self._is_taken = False
        self.status = GatewayStatus()
        self._payloads = Payloads(settings.rpcs_at_once, self._lost_message)
        self._sender = Sender(lambda: self._link, self.status)

    async def run(self, sink: Sink) -> None:
        """See Gateway.run. Cancelled, it hands on what it has heard already, for DRAIN seconds at most."""
        inbox = Inbox(sink, most=self._settings.rpcs_at_once * BACKLOG)
        delivering = asyncio.create_task(inbox.run())
        attending = asyncio.create_task(self._attend_for_ever(inbox))
        try:
            done, _ = await asyncio.wait({delivering, attending}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # Again and again: grpclib turns a cancellation that meets a lost connection into that loss.
            while not attending.done():
                attending.cancel()
                await asyncio.wait({attending}, timeout=CANCEL_AGAIN)
            if not delivering.done():
                await inbox.drain(DRAIN)
            delivering.cancel()

    async def send(self, outgoing: Outgoing) -> str | None:
        """See Gateway.send."""
        return await self._sender.send(outgoing)

    async def fetch_picture(self, account: str, message_id: str) -> bytes | None:
        """See Gateway.fetch_picture. Tries for some seconds; waits a minute for a gateway that is away."""
        content = await self._payloads.picture(message_id)
        if content is None:
            log.warning("wechaty.picture_lost", message_id=message_id)
        return content

    async def _attend_for_ever(self, inbox: Inbox) -> None:
        """Raises GatewayRefused."""
        try:
            tls = tls_context(self._settings)
            pause = FIRST_PAUSE
            while True:
                link = Link(self._settings, tls)
                attended = await self._attend(link, inbox)
                pause = FIRST_PAUSE if attended else min(pause * 2, LONGEST_PAUSE)
                await asyncio.sleep(TAKEN_PAUSE if self._is_taken else pause)
        except GatewayRefused as refusal:
            self._become(Connection.REFUSED, str(refusal))
            raise

    async def _attend(self, link: Link, inbox: Inbox) -> bool:
        """Listens until the connection is lost; whether there was one. Raises GatewayRefused."""
        self._is_taken = False
        connected = asyncio.Event()
        starter = asyncio.create_task(self._start(link, connected))
        reason, silent = "the gateway ended the event stream", False
        try:
            async for number, payload in link.listen():
                if not connected.is_set():
                    self._connected(link, connected)
                await self._hear(parse(number, payload), inbox)
        except StreamLost as error:
            reason, silent = str(error), error.silent
        except GRPCError as error:
            reason = self._refusal(error)
        finally:
            starter.cancel()
            self._link = None
            self._payloads.disconnected()
            link.close()
        await self._lost(inbox, reason, silent=silent)
        return connected.is_set()

    async def _start(self, link: Link, connected: asyncio.Event) -> None:
        """Starts the puppet, which does nothing where it runs already."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_START):
                await connected.wait()
        while not link.closed:
            try:
                await link.call(lambda stub: stub.start())
            except GRPCError as error:
                # The status only: the gateway's message may quote the token.
                log.warning("wechaty.start_failed", status=error.status.name)
                await asyncio.sleep(START_AGAIN)
            except (NotConnected, CallLost) as error:
                log.debug("wechaty.start_failed", status=str(error))
                await asyncio.sleep(START_AGAIN)
            else:
                if not connected.is_set():
                    self._connected(link, connected)
                return

    def _connected(self, link: Link, connected: asyncio.Event) -> None:
        connected.set()
        self._link = link
        self._payloads.connected(link)
        self._become(Connection.CONNECTED, "connected; waiting for the account to be logged in")

    async def _lost(self, inbox: Inbox, reason: str, *, silent: bool) -> None:
        self._become(Connection.LOST, reason)
        await self._deaf(inbox, reason, timedelta(seconds=SILENCE if silent else 0))

    def _refusal(self, error: GRPCError) -> str:
        """Why the gateway ended the stream. Raises GatewayRefused where that is final."""
        endpoint = self._settings.endpoint
        if error.status is Status.UNAUTHENTICATED:
            raise GatewayRefused(
                f"the gateway at {endpoint} refused the token: set gateway.token (GRIDBOT_GATEWAY__TOKEN) to"
                " the one that the gateway was started with"
            ) from None
        if error.status is Status.ALREADY_EXISTS:
            self._is_taken = True
            return f"another client listens at the gateway {endpoint}; it allows one at a time"
        return f"the gateway at {endpoint} answered {error.status.name}"

    async def _hear(self, event: Event, inbox: Inbox) -> None:
        """Puts what the event means into the inbox; waits while the inbox is full."""
        account = self.status.account
        if event.type is EventType.MESSAGE:
            await self._hear_message(event, inbox)
        elif event.type in ROOM_EVENTS:
            change = room_change(event, account, self._clock())
            if change is not None:
                self._payloads.forget(change.room)
                await inbox.put(lambda begin: self._payloads.with_topic(change, begin))
        elif event.type is EventType.ROOM_INVITE:
            invitation, now = event.text("roomInvitationId"), self._clock()
            await inbox.put(lambda begin: self._payloads.invitation(invitation, account, now, begin))
        elif event.type is EventType.DIRTY:
            self._payloads.forget(event.text("payloadId"))
        elif event.type is EventType.LOGIN:
            await self._logged_in(event, inbox)
        elif event.type is EventType.LOGOUT:
            self._become(Connection.CONNECTED, "logged out at WeChat: log the account in again")
            await self._deaf(inbox, "logged out")
        elif event.type is EventType.SCAN:
            self.status.extra["scan"] = event.text("qrcode", "url")
            self._become(Connection.CONNECTED, "waiting for the QR code to be scanned")
        elif event.type is EventType.ERROR:
            log.warning("wechaty.puppet_error")  # its text may hold what was said

    async def _hear_message(self, event: Event, inbox: Inbox) -> None:
        message_id = event.text("messageId")
        if not message_id:
            log.warning("wechaty.message_without_id")
            return
        if not self._listening:  # a gateway that greets without saying who is logged in
            await self._hear_from_now_on(inbox)
        account, now = self.status.account, self._clock()
        self.status.last_message_at = now
        await inbox.put(lambda begin: self._payloads.message(message_id, account, now, begin))

    async def _logged_in(self, event: Event, inbox: Inbox) -> None:
        self.status.account = event.text("contactId") or self.status.account
        self.status.extra.pop("scan", None)
        await self._hear_from_now_on(inbox)

    async def _hear_from_now_on(self, inbox: Inbox) -> None:
        self._become(Connection.LOGGED_IN, "")
        if not self._listening:
            self._listening = True
            await inbox.say(Listening(self._clock()))

    async def _deaf(self, inbox: Inbox, reason: str, ago: timedelta = timedelta(0)) -> None:
        if self._listening:
            self._listening = False
            await inbox.say(Deaf(self._clock() - ago, reason))

    def _become(self, connection: Connection, detail: str) -> None:
        status = self.status
        if (status.connection, status.detail) != (connection, detail):
            level = log.error if connection is Connection.REFUSED else log.info
            level("wechaty.connection", state=connection.value, detail=detail)
        if status.connection is not connection:
            status.connection, status.since = connection, self._clock()
        status.detail = detail

    def _lost_message(self) -> None:
        self.status.extra["lost"] = str(int(self.status.extra.get("lost", "0")) + 1)
