"""A chat message as every gateway hands it on, whatever the network."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MessageKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    OTHER = "other"  # audio, video, card, location, recalled, unknown: stored, not understood


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that this one answers. `id` is empty where the network tells only the text."""

    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message. (`account`, `id`) is unique: a message that comes twice is handled once.

    account: the bot's own account at the network (the local chat: "local").
    room: the group's id; "" for a private chat with `sender`.
    mentions: ids of the people mentioned; the bot's own id is `account`.
    row_id: the stored row, 0 before it is stored.
    """

    account: str
    id: str
    room: str
    sender: str
    sent_at: datetime
    text: str = ""
    kind: MessageKind = MessageKind.TEXT
    sender_name: str = ""
    room_topic: str = ""
    mentions: tuple[str, ...] = ()
    quote: Quote | None = None
    from_self: bool = False
    row_id: int = 0

    @property
    def is_private(self) -> bool:
        return not self.room
