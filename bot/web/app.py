"""The pages, put together."""

import asyncio

from aiohttp import web

from bot.web import (
    board,
    chat,
    exports,
    groups,
    handover,
    health,
    joining,
    lists,
    organisation,
    organisation_edit,
    pages,
    replies,
    reviews,
    signin,
    stream,
    tickets,
)
from bot.web.guard import add_headers, error_boundary, same_site
from bot.web.parts import PARTS, Parts, parts_of
from bot.web.pictures import MOST_BYTES


def make_app(parts: Parts) -> web.Application:
    app = web.Application(
        middlewares=[error_boundary, same_site, signin.signed_in_only],
        client_max_size=MOST_BYTES + 256 * 1024,
    )
    app[PARTS] = parts
    pages.setup(app)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.add_routes(
        [
            web.get("/", landing),
            web.get("/signin", signin.page),
            web.post("/signout", signin.sign_out),
            web.get("/healthz", health.healthz),
            web.get("/board", board.page),
            web.get("/tickets/{number}", tickets.page),
            web.get("/tickets/{number}/handover", handover.page),
            web.get(r"/tickets/{number}/pictures/{message:\d{1,19}}", tickets.picture),
            web.get("/lists", lists.page),
            web.get("/exports", exports.page),
            web.post("/exports", exports.make),
            web.post(r"/exports/{id:\d{1,19}}/cancel", exports.cancel),
            web.get(r"/exports/{id:\d{1,19}}/file", exports.file),
            web.get("/groups", groups.page),
            web.get("/organisation", organisation.page),
            web.get("/organisation/{table}/entry", organisation_edit.page),
            web.post("/organisation/{table}/entry", organisation_edit.save),
            web.get("/organisation/{table}/remove", organisation_edit.removal),
            web.post("/organisation/{table}/remove", organisation_edit.remove),
            web.get("/replies", replies.page),
            web.post(r"/replies/{id:\d{1,19}}/retry", replies.retry),
            web.post(r"/replies/{id:\d{1,19}}/drop", replies.drop),
            web.get("/reviews", reviews.page),
            web.get("/reviews/count", reviews.count),
            web.post(r"/reviews/{id:\d{1,19}}", reviews.decide),
            web.get("/joining", joining.page),
            web.post("/joining", joining.make),
            web.post(r"/joining/{id:\d{1,19}}/revoke", joining.take_back),
            web.get("/live", stream.live, allow_head=False),
            web.get("/chat", chat.page),
            web.get("/chat/lines", chat.lines),
            web.get("/chat/events", stream.chat, allow_head=False),
            web.post("/chat/say", chat.say),
            web.get("/chat/pictures/{id}", chat.picture),
            web.static("/static", pages.FOLDER / "static"),
        ]
    )
    return app


async def landing(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/chat" if parts_of(request).local is not None else "/board")


async def _end_streams(app: web.Application) -> None:
    """Open pages end now; otherwise stopping would wait for them."""
    app[PARTS].live.close()
    await asyncio.sleep(0)
