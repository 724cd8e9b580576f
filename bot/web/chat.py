"""/chat: the built-in chat. Every tab is a person, told by the address, not by a cookie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.web_request import FileField

from bot.gateways.local import ACCOUNT, LocalGateway, NotListening
from bot.web import speakers
from bot.web.pages import fragment, render
from bot.web.parts import Parts, parts_of, read
from bot.web.pictures import picture_response, picture_type
from bot.web.speakers import Speaker
from handlers.organisation import Group, Organisation
from storage import chat
from storage.chat import Line

PRIVATE: Final = "~bot"  # in the address; the room itself is then empty
_LINES: Final = 80


@dataclass(frozen=True, slots=True)
class Seat:
    """One tab: who, and which conversation is open. `group` is None in private."""

    me: Speaker
    room: str
    group: Group | None

    def url(self, path: str = "/chat") -> str:
        return f"{path}?{urlencode({'room': self.room, 'me': self.me.id})}"

    @property
    def real_room(self) -> str:
        return "" if self.room == PRIVATE else self.room

    def hears(self, line: Line) -> bool:
        return line.room == self.real_room and (bool(line.room) or line.person == self.me.id)


def room_id(group: Group) -> str:
    return group.id or group.topic


def local_of(parts: Parts) -> LocalGateway:
    """Without the built-in chat there is no such page."""
    if parts.local is None:
        raise web.HTTPNotFound
    return parts.local


def seat_of(request: web.Request, values: Any) -> Seat:
    """Who and where, by the address or the form. What is missing or unknown becomes the usual."""
    organisation = parts_of(request).world().organisation
    groups = {room_id(group): group for group in organisation.groups}
    room = str(values.get("room", ""))
    if room != PRIVATE and room not in groups:
        room = next(iter(groups), PRIVATE)
    group = groups.get(room)
    me = speakers.speaker(organisation, str(values.get("me", ""))) or speakers.usual(organisation, group)
    if me is None:
        raise web.HTTPNotFound
    return Seat(me, room, group)


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    local_of(parts)
    organisation = parts.world().organisation
    seat = seat_of(request, request.query)
    if request.query.get("me") == "new" and (guest := speakers.guest(request.query.get("name", ""))):
        raise web.HTTPSeeOther(Seat(guest, seat.room, seat.group).url())
    (lines, older), last = await read(
        parts,
        lambda session: (
            chat.history(session, ACCOUNT, seat.real_room, seat.me.id, limit=_LINES),
            chat.last_said(session, ACCOUNT),
        ),
    )
    values = {
        "seat": seat,
        "chosen": "me" in request.query,
        "rooms": _rooms(organisation, seat, last),
        "people": speakers.by_role(organisation),
        "everyone": [person.name for people in speakers.by_role(organisation).values() for person in people],
        "older": older,
        **_lines(seat, lines),
    }
    return render(request, "chat.html", values)


@dataclass(frozen=True, slots=True)
class Door:
    """A conversation in the list at the left."""

    room: str
    name: str
    note: str
    url: str
    here: bool
    last_at: datetime | None


def _rooms(organisation: Organisation, seat: Seat, last: dict[str, datetime]) -> list[Door]:
    doors = [
        Door(
            room=room_id(group),
            name=group.topic or group.id,
            note=organisation.area_name(group.area or organisation.root),
            url=Seat(seat.me, room_id(group), group).url(),
            here=seat.room == room_id(group),
            last_at=last.get(room_id(group)),
        )
        for group in organisation.groups
    ]
    private = Seat(seat.me, PRIVATE, None).url()
    return [*doors, Door(PRIVATE, "", "", private, seat.room == PRIVATE, None)]


async def lines(request: web.Request) -> web.StreamResponse:
    """The conversation's last lines, or those before an instant: what a page asks for that missed some."""
    parts = parts_of(request)
    local_of(parts)
    seat = seat_of(request, request.query)
    before = _instant(request.query.get("before", ""))
    found, older = await read(
        parts,
        lambda session: chat.history(
            session, ACCOUNT, seat.real_room, seat.me.id, limit=_LINES, before=before
        ),
    )
    html = fragment(request, "_lines.html", _lines(seat, found))
    headers = {"X-Older": "1" if older else "0"}
    return web.Response(text=html, content_type="text/html", headers=headers)


def _lines(seat: Seat, found: Sequence[Line]) -> dict[str, Any]:
    return {"lines": found, "me": seat.me.id}


def _instant(text: str) -> datetime | None:
    """Milliseconds since 1970, as the page's lines carry them."""
    if not text.isascii() or not text.isdigit() or len(text) > 14:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(text))


async def say(request: web.Request) -> web.StreamResponse:
    """A line, a picture or both, which are two messages, as chat networks have it."""
    parts = parts_of(request)
    local = local_of(parts)
    form = await request.post()
    seat = seat_of(request, form)
    if seat.me.id != form.get("me") or seat.room != form.get("room"):
        return _refused("这个群或者这个人已经不在了，请刷新页面。")
    text = str(form.get("text", "")).replace("\r\n", "\n").strip()
    upload = form.get("picture")
    picture = upload.file.read() if isinstance(upload, FileField) and upload.filename else None
    if picture and picture_type(picture) is None:
        return _refused("只能发图片：PNG、JPEG、GIF 或 WebP。")
    if not text and not picture:
        return _refused("先写点什么再发。")
    topic = seat.group.topic if seat.group else ""
    mentions = speakers.mentioned(parts.world().organisation, text)
    quote_id = str(form.get("quote", "")).replace("\0", "") or None
    who = (seat.real_room, seat.me.id, seat.me.name)
    try:
        if text:
            await local.say(*who, text, quote_id=quote_id, mentions=mentions, topic=topic)
        if picture:
            await local.say(*who, "", picture=picture, topic=topic)
    except NotListening:
        return _refused("机器人正在启动或停止，请过一会儿再发。", status=503)
    return web.Response(status=204)


def _refused(words: str, status: int = 422) -> web.Response:
    return web.Response(text=words, status=status)


async def picture(request: web.Request) -> web.StreamResponse:
    local = local_of(parts_of(request))
    return picture_response(await local.fetch_picture(ACCOUNT, request.match_info["id"]))
