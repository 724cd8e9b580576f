"""/replies: what the bot wanted to say and has not said."""

from collections.abc import Callable

from aiohttp import web
from sqlmodel import Session

from bot.live import REPLIES
from bot.web.access import viewer_of, within
from bot.web.pages import page_number, render, row_id
from bot.web.parts import parts_of, read, write
from handlers import records
from handlers.context import Context
from storage import board, replies

_SIZE = 50


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    number, asking = page_number(request), viewer_of(request)

    def query(session: Session) -> dict[str, object]:
        found, tickets = board.unsent(session, number=number, size=_SIZE, within=within(session, asking))
        topics = board.topics_of(session, {(row.account, row.room) for row in found.rows})
        return {"page": found, "tickets": tickets, "topics": topics}

    return render(request, "replies.html", await read(parts, query))


async def retry(request: web.Request) -> web.StreamResponse:
    """再试: a given-up reply waits again."""
    now = parts_of(request).clock()
    return await _change(request, "reply_retry", lambda session, reply: replies.retry(session, reply, now))


async def drop(request: web.Request) -> web.StreamResponse:
    """不发了: it is not said. One that is being sent right now is left alone."""
    return await _change(request, "reply_drop", replies.drop)


async def _change(
    request: web.Request, action: str, change: Callable[[Session, int], bool]
) -> web.StreamResponse:
    parts, asking = parts_of(request), viewer_of(request)
    reply = row_id(request, "id")

    def noted(session: Session) -> bool:
        before = replies.state_of(session, reply)
        if not board.unsent_within(session, reply, within(session, asking)) or not change(session, reply):
            return False
        was, now = {"state": before}, {"state": replies.state_of(session, reply)}
        ctx = Context(session, parts.clock(), parts.world())
        records.note(ctx, asking.actor, action, f"reply:{reply}", before=was, after=now)
        return True

    if await write(parts, noted):
        parts.live.publish(REPLIES)
    raise web.HTTPSeeOther("/replies")
