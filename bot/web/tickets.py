"""/tickets/{number}: one ticket's whole story."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlmodel import Session

from bot.web.access import viewer_of
from bot.web.board import card
from bot.web.pages import render, row_id
from bot.web.parts import parts_of, read
from bot.web.pictures import picture_response
from handlers.lifecycle import State
from handlers.organisation import Organisation
from handlers.track_rules import Track
from handlers.undo import undone
from storage import board
from storage.board import Story
from storage.tables import Attachment, AttachmentState, TicketEvent
from storage.tickets import newest


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    number = request.match_info["number"]
    story = await read(parts, lambda session: board.story(session, number))
    if story is None or not viewer_of(request).sees(story.ticket):
        raise web.HTTPNotFound
    world = parts.world()
    organisation = world.organisation
    values: dict[str, Any] = {
        "story": story,
        "card": card(story.ticket, story.topics, world, parts.clock()),
        "topic": _topic(organisation, story.topics),
        "person": _person(organisation),
        "most": board.MOST,
        "point": organisation.risk_points.get(story.ticket.risk_point or ""),
        "steps": _still(story.events, "climb", "escalate", "hand_back"),
        "notes": _still(story.events, "remark"),
        "checked": _checked(story),
        "pictures": {picture.message_id: picture for picture in story.pictures},
    }
    return render(request, "ticket.html", values)


def _still(events: Sequence[TicketEvent], *actions: str) -> list[TicketEvent]:
    """The events of these actions that nobody took back."""
    gone = undone(list(events))
    return [event for event in events if event.action in actions and event.id not in gone]


def _checked(story: Story) -> str:
    """How it stands with the check by somebody other than who did the work."""
    ticket = story.ticket
    if ticket.state == State.PENDING_CHECK:
        return "等人核查"
    ends = _still(story.events, "check", "close") if ticket.state == State.CLOSED else []
    if not ends:
        return "办完要另一人核查" if ticket.track == Track.LARGE and ticket.state != State.CLOSED else ""
    if ends[-1].data.get("unchecked"):
        return "没有别人可以核查"
    return f"{ends[-1].actor_name}核查通过" if ends[-1].action == "check" else ""


async def picture(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    number, message_id = request.match_info["number"], row_id(request, "message")
    asking = viewer_of(request)

    def query(session: Session) -> Attachment | None:
        ticket = newest(session, number)
        seen = ticket is not None and asking.sees(ticket)
        return board.picture(session, number, message_id) if seen else None

    found = await read(parts, query)
    if found is None:
        raise web.HTTPNotFound
    content = await asyncio.to_thread(_content, found, parts.settings.storage.media)
    return picture_response(content)


def _content(attachment: Attachment, media: Path) -> bytes | None:
    """Only what lies below the media folder, whatever the row says."""
    if attachment.state != AttachmentState.KEPT or not attachment.path:
        return None
    file = (media / attachment.path).resolve()
    if not file.is_relative_to(media.resolve()) or not file.is_file():
        return None
    return file.read_bytes()


def _topic(organisation: Organisation, topics: Mapping[tuple[str, str], str]) -> Any:
    def name(account: str, room: str) -> str:
        if not room:
            return "私聊"
        return topics.get((account, room)) or organisation.group(room).topic or room

    return name


def _person(organisation: Organisation) -> Any:
    def name(person_id: str | None) -> str:
        person = organisation.person(person_id) if person_id else None
        return person.name if person else (person_id or "")

    return name
