"""/groups: the groups the bot serves, and how the gateway is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.web.pages import render
from bot.web.parts import parts_of, read
from handlers.organisation import Group, Organisation
from storage import board
from storage.tables import Room

_GAPS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A group: named in the organisation file (`bound`), seen by the bot, or both."""

    topic: str
    id: str
    account: str
    kind: str
    area: str
    bound: bool
    present: bool | None  # None: never seen
    last_message_at: datetime | None


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    rooms, gaps = await read(parts, lambda session: (board.rooms(session), board.gaps(session, _GAPS)))
    world = parts.world()
    values: dict[str, Any] = {
        "rows": list(_rows(rooms, world.organisation, parts.local is not None)),
        "gaps": gaps,
        "status": parts.gateway.status,
        "serves_all": world.rules.serve == "all",
    }
    return render(request, "groups.html", values)


def _rows(rooms: Sequence[Room], organisation: Organisation, local: bool) -> Iterator[Row]:
    met: set[int] = set()
    for room in rooms:
        bound = organisation.bound_group(room.id, room.topic)
        if bound is not None:
            met.add(id(bound))
        group = bound or organisation.group(room.id, room.topic)
        yield _row(group, organisation, room=room, bound=bound is not None)
    for group in organisation.groups:
        if id(group) not in met:
            # In the built-in chat the bot sits in every group of the file from the start.
            yield _row(group, organisation, present=True if local else None)


def _row(
    group: Group,
    organisation: Organisation,
    *,
    room: Room | None = None,
    bound: bool = True,
    present: bool | None = None,
) -> Row:
    return Row(
        topic=(room.topic if room else "") or group.topic or group.id,
        id=room.id if room else group.id,
        account=room.account if room else "",
        kind=group.kind,
        area=organisation.area_name(group.area or organisation.root),
        bound=bound,
        present=room.present if room else present,
        last_message_at=room.last_message_at if room else None,
    )
