"""/board: the tickets, by state and filters, live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from bot.web.access import Viewer, viewer_of
from bot.web.names import Names
from bot.web.pages import page_number, render, spell
from bot.web.parts import parts_of, read
from handlers.context import World
from handlers.lifecycle import State
from handlers.organisation import Organisation
from handlers.sight import hands, holds, sees_group
from storage import board
from storage.tables import Room, Ticket

_SIZE = 30
_TABS = ("open", *State, board.EXPLAINED, "all")


@dataclass(frozen=True, slots=True)
class Card:
    """A ticket as the list shows it. `due` says how long is left or how long it is late."""

    ticket: Ticket
    topic: str
    area: str
    owner: str
    due: str
    late: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they stand in the address; anything unknown counts as not asked."""

    state: str = "open"
    label: str = ""
    area: str = ""
    urgency: str = ""
    room: str = ""  # account and room id, joined by a slash
    overdue: bool = False
    recurring: bool = False
    start: str = ""  # days on which it was opened, both counted in
    end: str = ""
    q: str = ""  # words that are said of it

    @classmethod
    def of(cls, query: MultiMapping[str]) -> "Asked":
        state, urgency = query.get("state", "open"), query.get("urgency", "")
        return cls(
            state=state if state in _TABS else "open",
            label=query.get("label", ""),
            area=query.get("area", ""),
            urgency=urgency if urgency in {"0", "1", "2", "3"} else "",
            room=query.get("room", ""),
            overdue=query.get("overdue", "") == "1",
            recurring=query.get("recurring", "") == "1",
            start=_day(query.get("start", "")),
            end=_day(query.get("end", "")),
            q=" ".join(query.get("q", "")[:100].split()),
        )

    def filter(self, world: World, asking: Viewer) -> board.Filter:
        organisation = world.organisation
        account, _, room = self.room.partition("/")
        return board.Filter(
            state=self.state,
            label=self.label,
            areas=_below(organisation, self.area),
            seen=asking.areas,
            hands=hands(asking.actor),
            urgency=int(self.urgency) if self.urgency else None,
            account=account,
            room=room,
            overdue=self.overdue,
            recurring=self.recurring,
            start=_midnight(self.start, world),
            end=_midnight(self.end, world, after=True),
            words=tuple((word,) for word in self.q.split()),
            matters=bool(self.start or self.end),
        )

    def url(self, **changed: object) -> str:
        """The address with these filters, some changed."""
        values = {
            "state": self.state,
            "label": self.label,
            "area": self.area,
            "urgency": self.urgency,
            "room": self.room,
            "overdue": "1" if self.overdue else "",
            "recurring": "1" if self.recurring else "",
            "start": self.start,
            "end": self.end,
            "q": self.q,
        } | changed
        said = {key: value for key, value in values.items() if value and (key, value) != ("state", "open")}
        return f"/board?{urlencode(said)}" if said else "/board"

    @property
    def narrowed(self) -> bool:
        return replace(self, state="open") != Asked()


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(day: str, world: World, *, after: bool = False) -> datetime | None:
    """The beginning of the street's day, or its end."""
    if not day or (after and day == date.max.isoformat()):
        return None
    return datetime.combine(date.fromisoformat(day) + timedelta(days=after), time(), world.zone)


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    world = parts.world()
    asked, now = Asked.of(request.query), parts.clock()
    asking = viewer_of(request)
    wanted = asked.filter(world, asking)
    number = page_number(request)
    found, rooms = await read(
        parts,
        lambda session: (
            board.board(session, wanted, now, number=number, size=_SIZE),
            board.rooms(session),
        ),
    )
    names = Names(world.texts)
    values: dict[str, Any] = {
        "asked": asked,
        "tabs": _tabs(asked, {**found.by_state, board.EXPLAINED: found.explained}, names),
        "cards": [card(ticket, found.topics, world, now) for ticket in found.tickets.rows],
        "page": found.tickets,
        "rooms": _own_rooms(rooms, asking)[:300],
        "areas": [area for area in world.organisation.areas.values() if holds(asking.areas, area.code)],
        "labels": [(code, name) for code, name in names.table("label") if code != "none"],
        "urgencies": [(code, names("urgency", code)) for code in ("3", "2", "1")],
    }
    return render(request, "board.html", values)


def _own_rooms(rooms: Sequence[Room], asking: Viewer) -> list[Room]:
    group = asking.organisation.group
    return [
        room for room in rooms if sees_group(asking.organisation, asking.areas, group(room.id, room.topic))
    ]


def _tabs(asked: Asked, counts: Any, names: Names) -> list[tuple[str, str, int, bool]]:
    """(address, name, how many, chosen) of each tab."""
    everything = sum(count for state, count in counts.items() if state != board.EXPLAINED)
    found = {"open": everything - counts.get(State.CLOSED, 0), "all": everything} | dict(counts)
    called = {"open": "未办结", "all": "全部", board.EXPLAINED: names("resolution", board.EXPLAINED)}
    return [
        (
            asked.url(state=str(tab)),
            called.get(tab) or names("state", tab),
            found.get(str(tab), 0),
            asked.state == tab,
        )
        for tab in _TABS
    ]


def card(ticket: Ticket, topics: Any, world: World, now: datetime) -> Card:
    organisation = world.organisation
    owner = organisation.person(ticket.owner) if ticket.owner else None
    due, late = _due(ticket, now, Names(world.texts))
    return Card(
        ticket=ticket,
        topic=topics.get((ticket.account, ticket.room))
        or organisation.group(ticket.room).topic
        or ticket.room,
        area=organisation.area_name(ticket.area),
        owner=owner.name if owner else "",
        due=due,
        late=late,
    )


def _due(ticket: Ticket, now: datetime, names: Names) -> tuple[str, bool]:
    if ticket.state == State.CLOSED or ticket.deadline_at is None:
        return "", False
    late = ticket.deadline_at < now
    what = names("due", ticket.due_kind)
    return f"{what}{'已超时' if late else '还剩'} {spell(ticket.deadline_at - now)}", late


def _below(organisation: Organisation, code: str) -> frozenset[str] | None:
    """The area and all below it; None, everywhere, where it is not named or unknown."""
    if code not in organisation.areas:
        return None
    return frozenset(area for area in organisation.areas if organisation.within(area, code))
