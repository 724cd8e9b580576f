"""A chat message as the database takes it, and back."""

import hashlib
import secrets
from dataclasses import replace
from datetime import UTC, datetime

from handlers.incoming import Incoming, MessageKind, Quote
from storage.tables import Message

_LONGEST_NAME = 200  # characters; PostgreSQL's indexes refuse what is much longer


def clean(incoming: Incoming, longest: int) -> Incoming:
    """The message as it can be stored: no lone surrogates, no NUL, bounded, with an id and a sender."""
    quote = incoming.quote
    if quote is not None:
        quote = Quote(_cut(_printable(quote.text), longest), _name(quote.id))
    return replace(
        incoming,
        account=_name(incoming.account),
        id=_name(incoming.id) or f"none-{secrets.token_hex(8)}",
        room=_name(incoming.room),
        sender=_name(incoming.sender) or "unknown",
        sent_at=_instant(incoming.sent_at),
        kind=incoming.kind if incoming.sender else MessageKind.OTHER,
        text=_cut(_printable(incoming.text), longest),
        sender_name=_printable(incoming.sender_name)[:200],
        room_topic=_printable(incoming.room_topic)[:200],
        mentions=tuple(_name(mention) for mention in incoming.mentions),
        quote=quote,
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    # SQLite refuses lone surrogates, PostgreSQL refuses NUL; the other control characters say nothing.
    sound = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in sound if c >= " " or c in "\n\t")


def _instant(at: datetime) -> datetime:
    """In UTC; one without a zone, or at the very ends of the calendar, is taken for UTC."""
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def _name(name: str) -> str:
    """An id as a key of the database takes it; two that differ stay different."""
    if len(name) <= _LONGEST_NAME and name.isprintable():
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{_printable(name)[: _LONGEST_NAME - 33]}-{digest}"


def as_row(incoming: Incoming, now: datetime) -> dict[str, object]:
    """The message as a row of the table, not yet handled."""
    quote = incoming.quote
    return {
        "id": incoming.row_id,
        "account": incoming.account,
        "external_id": incoming.id,
        "room": incoming.room,
        "room_topic": incoming.room_topic,
        "sender": incoming.account if incoming.from_self else incoming.sender,
        "sender_name": incoming.sender_name,
        "kind": str(incoming.kind),
        "text": incoming.text,
        "mentions": list(incoming.mentions),
        "quoted_id": quote.id if quote else None,
        "quoted_text": quote.text if quote else None,
        "sent_at": incoming.sent_at,
        "received_at": now,
    }


def from_row(row: Message) -> Incoming:
    """The message as it came, from its row."""
    quote = Quote(row.quoted_text or "", row.quoted_id or "") if row.quoted_text is not None else None
    return Incoming(
        account=row.account,
        id=row.external_id,
        room=row.room,
        sender=row.sender,
        sent_at=row.sent_at,
        text=row.text,
        kind=MessageKind(row.kind),
        sender_name=row.sender_name,
        room_topic=row.room_topic,
        mentions=tuple(row.mentions),
        quote=quote,
        from_self=row.sender == row.account,
        row_id=row.id,
    )
