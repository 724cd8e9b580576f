"""The connection to a Wechaty gateway: two HTTP/2 channels, how they are secured and how they prove alive.

Two, because the calls have deadlines and the event stream must not: it stays open for weeks. The gateway's
default certificate comes with a private key that everybody can read; only an own certificate
(`gateway.ca_file`) proves that the other side is the gateway.
"""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.exceptions import ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol
from h2.exceptions import H2Error
from wechaty_grpc.wechaty import PuppetStub

from bot.gateways.base import GatewayRefused
from bot.settings import GatewaySettings

WECHATY_CA = Path(__file__).with_name("wechaty-root-ca.pem")
# Seconds. A frozen gateway is found after SILENCE at the latest.
PING_EVERY = 5.0
PING_PATIENCE = 8.0
SILENCE = PING_EVERY + PING_PATIENCE
CONNECT_PATIENCE = 5.0
# asyncio would wait 30 s for a frozen gateway to say good-bye in TLS.
TLS_GOODBYE = 0.5
# What grpclib raises for a connection that is gone; AttributeError because its Connection.close() deletes the
# transport under calls that are still writing. OSError includes TimeoutError and ssl.SSLError.
GONE = (StreamTerminatedError, ProtocolError, H2Error, OSError, AttributeError)

T = TypeVar("T")


class NotConnected(Exception):
    """The call was certainly not made."""


class CallLost(Exception):
    """The deadline passed or the connection went: the call may have been carried out."""


class StreamLost(Exception):
    """The event stream broke. `silent`: the gateway stopped answering, up to SILENCE seconds ago."""

    def __init__(self, reason: str, *, silent: bool = False) -> None:
        super().__init__(reason)
        self.silent = silent


class _Channel(Channel):
    """grpclib's, but it gives up connecting and parting after a while."""

    async def _create_connection(self) -> H2Protocol:
        tls: dict[str, Any] = {}
        if self._ssl is not None:
            name = self._config.ssl_target_name_override
            tls = {"ssl": self._ssl, "server_hostname": name, "ssl_shutdown_timeout": TLS_GOODBYE}
        async with asyncio.timeout(CONNECT_PATIENCE):
            _, protocol = await self._loop.create_connection(
                self._protocol_factory, self._host, self._port, **tls
            )
        return protocol

    async def connect(self) -> None:
        """Raises OSError (TimeoutError and ssl.SSLError are such)."""
        protocol = await self.__connect__()
        if protocol.connection.is_closing():
            raise ConnectionResetError("the connection is closing")

    @property
    def ping_unanswered(self) -> bool:
        """Whether it ended because the gateway no longer answered, rather than by closing."""
        connection = getattr(self._protocol, "connection", None)
        return getattr(connection, "_close_by_ping_handler", None) is not None


class Link:
    """One connection to the gateway; a lost one is thrown away and a new one made.

    Every call has a deadline of `rpc_seconds`, connecting first CONNECT_PATIENCE.
    """

    def __init__(self, settings: GatewaySettings, tls: ssl.SSLContext | None) -> None:
        host, _, port = settings.endpoint.rpartition(":")
        token = settings.token.get_secret_value()
        config = Configuration(
            _keepalive_time=PING_EVERY,
            _keepalive_timeout=PING_PATIENCE,
            _keepalive_permit_without_calls=True,
            _http2_max_pings_without_data=0,
            _http2_min_sent_ping_interval_without_data=1,
            ssl_target_name_override=_server_name(settings) if tls else None,
        )
        metadata = {"authorization": f"Wechaty {token}"} if tls else {}
        self._events = _Channel(host.strip("[]"), int(port), ssl=tls, config=config)
        self._calls = _Channel(host.strip("[]"), int(port), ssl=tls, config=config)
        if tls is None:
            # Without TLS the gateway takes the authority for the token.
            self._events._authority = self._calls._authority = token
        self._endpoint = settings.endpoint
        self._stub = PuppetStub(self._calls, timeout=settings.rpc_seconds, metadata=metadata)
        self._listener = PuppetStub(self._events, metadata=metadata)
        self._tls = tls is not None
        self._calling = 0
        self.closed = False

    async def call(self, ask: Callable[[Any], Awaitable[T]]) -> T:
        """`ask` gets the stub, connected. Raises NotConnected, CallLost, and GRPCError for a no."""
        if self.closed:
            raise NotConnected("the connection is closed")
        self._calling += 1
        try:
            try:
                await self._calls.connect()
            except OSError as error:
                raise NotConnected(self._explain(error)) from None
            try:
                return await ask(self._stub)
            except GONE as error:
                raise CallLost(self._explain(error)) from None
        finally:
            self._calling -= 1
            self._close_calls()

    async def listen(self) -> AsyncIterator[tuple[int, str]]:
        """The events' types and payloads, until the gateway ends the stream.

        Raises StreamLost, or GRPCError for the gateway's no.
        """
        heard = False
        try:
            async with aclosing(self._listener.event()) as stream:
                async for response in stream:
                    heard = True
                    yield response.type, response.payload
        except GONE as error:
            if self._events.ping_unanswered:
                raise StreamLost(f"the gateway at {self._endpoint} stopped answering", silent=True) from None
            raise StreamLost(self._explain(error, first=not heard)) from None

    def close(self) -> None:
        """Ends the event stream at once, and the calls' channel when the last call has its answer."""
        self.closed = True
        self._events.close()
        self._close_calls()

    def _close_calls(self) -> None:
        if self.closed and not self._calling:
            self._calls.close()

    def _explain(self, error: Exception, *, first: bool = False) -> str:
        """A sentence for the status page: what is wrong and how to mend it."""
        where = f"the gateway at {self._endpoint}"
        match error:
            case ssl.SSLCertVerificationError():
                mend = "see gateway.ca_file and gateway.server_name"
                return f"{where} shows a certificate that is not trusted ({error.verify_message}); {mend}"
            case ssl.SSLError():
                return f"{where} does not speak TLS; if it is meant not to, set gateway.tls to false"
            case ConnectionRefusedError():
                return f"nobody listens at {self._endpoint}; is the gateway running?"
            case socket.gaierror():
                return f"there is no host of the name in gateway.endpoint {self._endpoint}"
            case TimeoutError():
                return f"{where} does not answer"
        if first and not self._tls:
            return f"{where} closed the connection at once; it may want TLS (gateway.tls)"
        return f"the connection to {where} was lost"


def tls_context(settings: GatewaySettings) -> ssl.SSLContext | None:
    """Raises GatewayRefused for a CA file that cannot be used."""
    if not settings.tls:
        return None
    file = settings.ca_file or WECHATY_CA
    try:
        context = ssl.create_default_context(cafile=file)
    except OSError as error:  # SSLError is one
        reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise GatewayRefused(f"gateway.ca_file {file}: {reason}. Name a PEM file of the authority.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if settings.ca_file is None and sys.version_info >= (3, 13):
        # Wechaty's default certificate has neither subject alternative name nor key identifiers.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _server_name(settings: GatewaySettings) -> str:
    """Wechaty's rule: a token "NAME_SECRET" says what name its gateway's certificate bears."""
    name, separator, _ = settings.token.get_secret_value().partition("_")
    return settings.server_name or (name if separator and name else "insecure")
