"""A gateway's message payload -> Incoming."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.gateways.wechaty.events import moment
from handlers.incoming import Incoming, MessageKind, Quote

KINDS = {6: MessageKind.IMAGE, 7: MessageKind.TEXT}
# Puppets flatten a quote into the text: 「name：quoted」, a line of dashes, the reply.
QUOTE = re.compile(r"「(?P<quoted>.*)」\n(?:- ){3,}-?\s*\n(?P<reply>.*)", re.DOTALL)


class Payload(Protocol):
    """The fields of wechaty_grpc's MessagePayloadResponse that are read."""

    text: str
    timestamp: int
    type: int
    from_id: str
    room_id: str
    mention_ids: Sequence[str]


def incoming(
    payload: Payload, message_id: str, account: str, now: datetime, name: str = "", topic: str = ""
) -> Incoming:
    kind = KINDS.get(payload.type, MessageKind.OTHER)
    text, quote = split_quote(payload.text) if kind is MessageKind.TEXT else (payload.text, None)
    return Incoming(
        account=account,
        id=message_id,
        room=payload.room_id,
        sender=payload.from_id,
        sent_at=moment(payload.timestamp, now),
        text=text,
        kind=kind,
        sender_name=name,
        room_topic=topic,
        mentions=tuple(payload.mention_ids),
        quote=quote,
        from_self=bool(account) and payload.from_id == account,
    )


def split_quote(text: str) -> tuple[str, Quote | None]:
    """The reply and what it quotes, without the quoted person's name."""
    match = QUOTE.fullmatch(text)
    if match is None:
        return text, None
    name, colon, quoted = match["quoted"].partition("：")
    return match["reply"], Quote(text=quoted if colon else name)
