"""/groups: the groups the bot serves, and how the gateway is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.web.access import viewer_of
from bot.web.pages import render
from bot.web.parts import parts_of, read
from handlers.organisation import Group, Organisation
from handlers.sight import sees_group
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
    group: Group
    room: Room | None = None

    def silent(self, now: datetime) -> bool:
        until = self.room.silent_until if self.room else None
        return until is not None and until > now

    @property
    def troubles(self) -> list[tuple[str, datetime | None, str]]:
        """(what happened, when, what to do) of what somebody has to look at."""
        room, found = self.room, []
        if room is None:
            return []
        if not room.present:
            found.append(("机器人被移出", room.left_at, "请群主再拉进群；不用了可以不管。"))
        if room.renamed_at is not None:
            todo = "绑定按群号还在，不用动；片区变了请重新绑。" if self.bound else "还没绑定，请发绑群码。"
            found.append((f"改了名，原来叫“{room.former_topic}”", room.renamed_at, todo))
        if room.owner_left_at is not None:
            found.append(("负责人退群", room.owner_left_at, "请补一位网格长进群；他说一句话，这条就消。"))
        return found


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    rooms, gaps = await read(parts, lambda session: (board.rooms(session), board.gaps(session, _GAPS)))
    world = parts.world()
    areas = viewer_of(request).areas
    found = _rows(rooms, world.organisation, parts.local is not None)
    values: dict[str, Any] = {
        "rows": [row for row in found if sees_group(world.organisation, areas, row.group)],
        "gaps": gaps,
        "status": parts.gateway.status,
        "serves_all": world.rules.serve != "bound",
    }
    return render(request, "groups.html", values)


def _rows(rooms: Sequence[Room], organisation: Organisation, local: bool) -> Iterator[Row]:
    met: set[int] = set()
    former = {room.former_topic for room in rooms if room.former_topic}
    for room in rooms:
        bound = organisation.bound_group(room.id, room.topic)
        if bound is not None:
            met.add(id(bound))
        group = bound or organisation.group(room.id, room.topic)
        yield _row(group, organisation, room=room, bound=bound is not None)
    for group in organisation.groups:
        # A file may still name what has been renamed, and is bound by its id since.
        if id(group) not in met and (group.id or group.topic not in former):
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
        group=group,
        room=room,
    )
