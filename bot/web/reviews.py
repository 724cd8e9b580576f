"""/reviews: messages that the bot was not sure of, each decided with one tap."""

from aiohttp import web
from sqlmodel import Session

from bot.live import REPLIES, TICKETS
from bot.stored import from_row
from bot.web.access import viewer_of, within
from bot.web.names import Names
from bot.web.pages import page_number, render, row_id
from bot.web.parts import parts_of, read, write
from handlers import reviews as domain
from handlers.context import Context
from handlers.reviews import Choice, Decided
from storage import reviews
from storage.tables import Message

_SIZE = 20


async def page(request: web.Request) -> web.StreamResponse:
    """`decided` and `now` in the address: what a tap has just done, or had been done before it."""
    parts = parts_of(request)
    asking = viewer_of(request)
    number, decided = page_number(request), request.query.get("decided", "")
    asked_for = int(decided) if decided.isascii() and decided.isdigit() and len(decided) < 19 else 0

    def query(session: Session) -> dict[str, object]:
        part = within(session, asking)
        rooms = part.rooms if part else None
        notice = reviews.decided(session, asked_for) if asked_for else None
        if notice is not None and rooms is not None and notice[0].room not in rooms:
            notice = None
        found = reviews.waiting(session, number=number, size=_SIZE, rooms=rooms)
        return {"page": found.page, "topics": found.topics, "notice": notice}

    names = Names(parts.world().texts)
    labels = [(code, name) for code, name in names.table("label") if code != "none"]
    values = {
        "labels": labels,
        "by_now": request.query.get("now") == "1",
        "here": request.path_qs,  # the word on what was done stays until the next tap
    }
    return render(request, "reviews.html", values | await read(parts, query))


async def count(request: web.Request) -> web.StreamResponse:
    """How many wait, for the navigation of every page; empty for none."""
    asking = viewer_of(request)

    def query(session: Session) -> int:
        part = within(session, asking)
        return reviews.count_waiting(session, part.rooms if part else None)

    waiting = await read(parts_of(request), query)
    return web.Response(text=str(waiting or ""))


async def decide(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    message_id, actor = row_id(request, "id"), viewer_of(request).actor
    choice = str((await request.post()).get("choice", ""))
    if choice not in list(Choice):
        raise web.HTTPBadRequest

    def change(session: Session) -> Decided | None:
        message = session.get(Message, message_id)
        ctx = Context(session, parts.clock(), parts.world())
        if message is None or not domain.may_decide(ctx, actor, message):
            return None
        return domain.decide(ctx, from_row(message), Choice(choice), actor)

    decided = await write(parts, change)
    if decided is None:
        raise web.HTTPNotFound
    if decided.now:
        parts.live.publish(TICKETS)
        parts.live.publish(REPLIES)  # there may be something to say
    raise web.HTTPSeeOther(f"/reviews?decided={message_id}&now={int(decided.now)}")
