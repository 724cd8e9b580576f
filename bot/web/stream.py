"""Server-sent events: what changed while a page is open."""

import asyncio
import json
from contextlib import suppress
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.gateways.local import ACCOUNT
from bot.live import CHAT, EXPORTS, GATEWAY, MISSED, REPLIES, TICKETS, News, Subscription
from bot.web.chat import PRIVATE, Seat, local_of, seat_of
from bot.web.pages import fragment
from bot.web.parts import Parts, parts_of, read
from storage.chat import Line, last_said

_CHANGES: Final = (TICKETS, GATEWAY, REPLIES, EXPORTS)
# After this a page connects anew, which looks at its session again.
_LONGEST: Final = 15 * 60.0
_GLANCE: Final = 5.0  # how soon a reader that went away is noticed
_GATHER: Final = 0.4  # changes of a batch come together: the list is read again once


async def live(request: web.Request) -> web.StreamResponse:
    """For board, ticket, groups and replies: only that something changed; the page reads it again."""
    _still_there(request)
    async with sse_response(request) as response, parts_of(request).live.subscribe(*_CHANGES) as news:
        with suppress(ConnectionResetError):  # the page was closed
            await _tell_changes(response, news)
    return response


def _still_there(request: web.Request) -> None:
    """aiohttp-sse takes an open connection for granted; a tab may be closed before its turn came."""
    if request.transport is None:
        raise ConnectionResetError


async def _tell_changes(response: EventSourceResponse, news: Subscription) -> None:
    end = asyncio.get_running_loop().time() + _LONGEST
    await response.send("", event="hello", retry=1000)
    while _goes_on(response, news, end):
        first = await news.next(_GLANCE)
        if first is None:
            continue
        await asyncio.sleep(_GATHER)
        changed = {first.topic}
        while (more := await news.next(0)) is not None:
            changed.add(more.topic)
        for topic in _CHANGES if MISSED in changed else sorted(changed):
            await response.send("", event=topic)


async def chat(request: web.Request) -> web.StreamResponse:
    """For one tab of the chat: the lines of the open conversation, and where else something was said."""
    parts = parts_of(request)
    local_of(parts)
    seat = seat_of(request, request.query)
    _still_there(request)
    async with sse_response(request) as response, parts.live.subscribe(CHAT) as news:
        end = asyncio.get_running_loop().time() + _LONGEST
        with suppress(ConnectionResetError):  # the tab was closed
            await response.send(json.dumps(await _last_said(parts)), event="hello", retry=1000)
            while _goes_on(response, news, end):
                told = await news.next(_GLANCE)
                if told is not None:
                    await _tell(request, response, seat, told)
    return response


async def _last_said(parts: Parts) -> dict[str, int]:
    """When each group last heard something, in milliseconds: which of them are new to this tab."""
    last = await read(parts, lambda session: last_said(session, ACCOUNT))
    return {room: int(at.timestamp() * 1000) for room, at in last.items()}


def _goes_on(response: EventSourceResponse, news: Subscription, end: float) -> bool:
    return response.is_connected() and not news.closed and asyncio.get_running_loop().time() < end


async def _tell(request: web.Request, response: EventSourceResponse, seat: Seat, told: News) -> None:
    if told.topic == MISSED or told.data is None:
        await response.send("", event="again")
        return
    line: Line = told.data["line"]
    if seat.hears(line):
        html = fragment(request, "_lines.html", {"lines": [line], "me": seat.me.id})
        await response.send(html, event="line")
    elif line.room:
        await response.send(line.room, event="elsewhere")
    elif line.person == seat.me.id:
        await response.send(PRIVATE, event="elsewhere")
