"""The networks that the contract tests run over."""

import asyncio
import functools
from collections.abc import Callable

from pydantic import SecretStr

from bot.gateways.wechaty import WechatyGateway
from bot.settings import GatewaySettings
from tests.gateways.contract import NetworkSide, Told, clock
from tests.gateways.node_gateway import BOT, NodeGateway


def settings_for(node: NodeGateway, **changes: object) -> GatewaySettings:
    """How a bot reaches that gateway; `changes` are other settings."""
    values = {"kind": "wechaty", "endpoint": node.endpoint, "token": SecretStr(node.token), "rpc_seconds": 5}
    return GatewaySettings.model_validate(values | changes)


@functools.cache
def _shared() -> NodeGateway:
    """One for all contract tests: it takes a second to start, and it ends with this process."""
    return NodeGateway().start()


class WechatyNetwork(NetworkSide):
    account = BOT
    room = "contract-1@chatroom"
    other_room = "contract-2@chatroom"
    people = ("zhang", "li")

    async def __aenter__(self) -> "WechatyNetwork":
        self.node = await asyncio.to_thread(_shared)
        self.node.reset()
        for room in (self.room, self.other_room):
            self.node.room(room, members=self.people)
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def gateway(self) -> WechatyGateway:
        return WechatyGateway(settings_for(self.node), clock)

    async def say(self, room: str, sender: str, text: str, mentions: tuple[str, ...] = ()) -> str:
        return self.node.say(room, sender, text, mentions)

    async def show(self, room: str, sender: str, picture: bytes) -> str:
        return self.node.picture(room, sender, picture)

    async def said(self) -> list[Told]:
        return [Told(one.room, one.person, one.text, one.mentions, one.picture) for one in self.node.said()]

    async def again(self, message_id: str) -> bool:
        self.node.again(message_id)
        return True


NETWORKS: dict[str, Callable[[], NetworkSide]] = {"wechaty": WechatyNetwork}
