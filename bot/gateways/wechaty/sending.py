"""Saying a message over Wechaty, and telling apart "not said" from "perhaps said"."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import structlog
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from bot.gateways.base import Connection, GatewayStatus, Outgoing, SendFailed, SendUncertain
from bot.gateways.wechaty import pictures
from bot.gateways.wechaty.channel import CallLost, Link, NotConnected

log = structlog.get_logger()
# How many messages are remembered whose text was said while their picture was not.
REMEMBERED = 256
# The puppet's own words for having waited in vain for WeChat.
WAITED = re.compile(r"time.?out|timed.out", re.IGNORECASE)


class Sender:
    """`link` gives the present connection, None while there is none."""

    def __init__(self, link: Callable[[], Link | None], status: GatewayStatus) -> None:
        self._link = link
        self._status = status
        self._said: OrderedDict[str, str | None] = OrderedDict()

    async def send(self, outgoing: Outgoing) -> str | None:
        """Text, then picture. A second try at the same key leaves out the text that was said already.

        The id is the text's, or the picture's where there is no text. Raises SendFailed or SendUncertain.
        """
        message_id = self._said.get(outgoing.key)
        if outgoing.text and outgoing.key not in self._said:
            message_id = await self._say(outgoing)
        if outgoing.picture is not None:
            if outgoing.text:
                self._remember(outgoing.key, message_id)
            message_id = await self._show(outgoing, message_id)
            self._said.pop(outgoing.key, None)
        return message_id

    async def _say(self, outgoing: Outgoing) -> str | None:
        conversation = outgoing.room or outgoing.person
        # wechaty-grpc spells it so; on the wire only the field's number counts.
        mentions = [mention.id for mention in outgoing.mentions] if outgoing.room else []
        return await self._call(
            conversation,
            lambda stub: stub.message_send_text(
                conversation_id=conversation, text=outgoing.text, mentonal_ids=mentions
            ),
        )

    async def _show(self, outgoing: Outgoing, text_id: str | None) -> str | None:
        assert outgoing.picture is not None
        conversation = outgoing.room or outgoing.person
        try:
            box = await asyncio.to_thread(pictures.box, outgoing.picture)
            picture_id = await self._call(
                conversation,
                lambda stub: stub.message_send_file(conversation_id=conversation, filebox=box),
            )
        except (OSError, ValueError) as error:
            failure = SendFailed(f"the picture cannot be sent: {error}", final=True)
        except SendFailed as error:
            failure = error
        else:
            return text_id if outgoing.text else picture_id
        if outgoing.text and failure.final:
            # What matters was said; failing now would only have it said again.
            log.warning("wechaty.picture_not_sent", reason=str(failure))
            return text_id
        raise failure

    async def _call(self, conversation: str, ask: Callable[[Any], Any]) -> str | None:
        link = self._link()
        if link is None or self._status.connection is not Connection.LOGGED_IN:
            raise SendFailed(f"not connected: {self._status.detail or self._status.connection}")
        try:
            response = await link.call(ask)
        except NotConnected as error:
            raise SendFailed(str(error)) from None
        except CallLost as error:
            raise SendUncertain(str(error)) from None
        except GRPCError as error:
            raise await self._failure(link, conversation, error) from None
        return response.id or None

    async def _failure(self, link: Link, conversation: str, error: GRPCError) -> SendFailed | SendUncertain:
        """A puppet answers UNKNOWN to everything: a wrong room, a logged-out account, a slow network."""
        if error.status in {Status.DEADLINE_EXCEEDED, Status.CANCELLED} or WAITED.search(error.message or ""):
            return SendUncertain(f"the gateway answered {error.status.name}")
        if error.status is Status.RESOURCE_EXHAUSTED:
            return SendFailed("too large for the gateway", final=True)
        if error.status is Status.UNKNOWN and await self._is_missing(link, conversation):
            return SendFailed("there is no such group or person, or the bot is not in it", final=True)
        return SendFailed(f"the gateway answered {error.status.name}")

    async def _is_missing(self, link: Link, conversation: str) -> bool:
        """Whether the gateway knows neither a room of the bot nor a person of that id. In doubt, no."""
        try:
            room = await link.call(lambda stub: stub.room_payload(id=conversation))
            members = room.member_ids
            return bool(members) and self._status.account not in members
        except (NotConnected, CallLost):
            return False
        except GRPCError as error:
            if error.status is not Status.UNKNOWN:
                return False
        try:
            await link.call(lambda stub: stub.contact_payload(id=conversation))
        except (NotConnected, CallLost):
            return False
        except GRPCError as error:
            return error.status is Status.UNKNOWN
        return False

    def _remember(self, key: str, message_id: str | None) -> None:
        self._said[key] = message_id
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
