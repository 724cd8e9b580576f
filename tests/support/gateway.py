"""A chat network in memory that does as it is told: says, fails, leaves in doubt."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.gateways.base import (
    Capabilities,
    Connection,
    GatewayRefused,
    GatewayStatus,
    Listening,
    Outgoing,
    SendFailed,
    SendUncertain,
    Sink,
)

Answer = str | SendFailed | SendUncertain | None


@dataclass
class MemoryGateway:
    """`answers`: what the next sends come to, an id or an exception; without any left all goes well."""

    account: str = "local"
    name: str = "memory"
    capabilities: Capabilities = field(default_factory=Capabilities)
    said: list[Outgoing] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    pictures: dict[str, bytes | SendFailed | SendUncertain | None] = field(default_factory=dict)
    refusal: GatewayRefused | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    gate: asyncio.Event | None = None  # sends wait for it

    def __post_init__(self) -> None:
        self.status = GatewayStatus(Connection.LOGGED_IN, self.account)
        self.sink: Sink | None = None

    @property
    def texts(self) -> list[str]:
        return [outgoing.text for outgoing in self.said]

    async def run(self, sink: Sink) -> None:
        if self.refusal is not None:
            self.status.connection = Connection.REFUSED
            raise self.refusal
        await sink(Listening(self.clock()))
        self.sink = sink
        await asyncio.Event().wait()

    async def send(self, outgoing: Outgoing) -> str | None:
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else f"sent-{len(self.said) + 1}"
        if isinstance(answer, SendFailed):
            raise answer
        self.said.append(outgoing)
        if isinstance(answer, SendUncertain):
            raise answer
        return answer

    async def fetch_picture(self, account: str, message_id: str) -> bytes | None:
        found = self.pictures.get(message_id)
        if isinstance(found, Exception):
            raise found
        return found
