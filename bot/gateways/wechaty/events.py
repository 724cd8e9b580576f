"""What a gateway's event stream says, read tolerantly: forks add types and fields, and leave some out."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from bot.gateways.base import RoomChange


class EventType(IntEnum):
    """The types that mean something to the bot; all others are passed over."""

    MESSAGE = 2
    ERROR = 16
    ROOM_INVITE = 18
    ROOM_JOIN = 19
    ROOM_LEAVE = 20
    ROOM_TOPIC = 21
    SCAN = 22
    LOGIN = 25
    LOGOUT = 26
    DIRTY = 27


ROOM_EVENTS = {EventType.ROOM_JOIN, EventType.ROOM_LEAVE, EventType.ROOM_TOPIC}


@dataclass(frozen=True, slots=True)
class Event:
    """`type` is None for one that the bot does not know; `body` is empty for one that cannot be read."""

    type: EventType | None
    body: dict[str, Any]

    def text(self, *names: str) -> str:
        """The first of the fields that holds a text, else ""."""
        values = (self.body.get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value), "")

    def texts(self, *names: str) -> tuple[str, ...]:
        values = next((value for value in map(self.body.get, names) if isinstance(value, list)), [])
        return tuple(value for value in values if isinstance(value, str) and value)


def parse(number: int, payload: str) -> Event:
    try:
        body = json.loads(payload)
    except ValueError:
        body = None
    known = EventType(number) if number in EventType.__members__.values() else None
    return Event(known, body if isinstance(body, dict) else {})


def moment(stamp: object, now: datetime) -> datetime:
    """A gateway's time stamp (seconds or milliseconds since 1970, 0 or nonsense: `now`), aware UTC."""
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or stamp <= 0:
        return now
    seconds = stamp / 1000 if stamp > 1e11 else stamp  # 1e11 s is the year 5138, 1e11 ms is 1973
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return now


def room_change(event: Event, account: str, now: datetime) -> RoomChange | None:
    """What a room event means; None where it names no room."""
    room = event.text("roomId")
    if not room:
        return None
    at = moment(event.body.get("timestamp"), now)
    if event.type is EventType.ROOM_TOPIC:
        return RoomChange(account, room, "renamed", at, topic=event.text("newTopic"))
    joined = event.type is EventType.ROOM_JOIN
    people = event.texts("inviteeIdList") if joined else event.texts("removeeIdList")
    own = account in people
    change = ("joined" if own else "member_joined") if joined else ("left" if own else "member_left")
    return RoomChange(account, room, change, at, people=people)
