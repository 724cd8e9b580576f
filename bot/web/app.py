"""The pages, put together."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web import (
    board,
    chat,
    digest,
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
    sessions,
    signin,
    stream,
    tickets,
)
from bot.web.access import NEEDS, PAGES, Need
from bot.web.guard import add_headers, error_boundary, same_site
from bot.web.parts import PARTS, Parts
from bot.web.pictures import MOST_BYTES


def make_app(parts: Parts) -> web.Application:
    app = web.Application(
        middlewares=[error_boundary, same_site, signin.signed_in_only],
        client_max_size=MOST_BYTES + 256 * 1024,
    )
    app[PARTS] = parts
    app[NEEDS] = {route.handler: route.need for route in ROUTES}
    app[PAGES] = {route.path: route.need for route in ROUTES if route.method == "GET"}
    pages.setup(app)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    for route in ROUTES:
        # A stream has no end: who only asks for its headers would wait for ever.
        if route.method == "GET" and route.handler not in _STREAMS:
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    app.router.add_static("/static", pages.FOLDER / "static")
    return app


async def landing(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/chat" if pages.may_open(request, "/chat") else "/board")


async def _end_streams(app: web.Application) -> None:
    """Open pages end now; otherwise stopping would wait for them."""
    app[PARTS].live.close()
    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the pages, and who may ask for it. What a page shows depends on the areas besides."""

    method: str
    path: str
    handler: Handler
    need: Need


ROUTES: Final = tuple(
    Route(*row)
    for row in (
        ("GET", "/", landing, Need.STAFF),
        ("GET", "/signin", signin.page, Need.NOTHING),
        ("POST", "/signin", signin.sign_in, Need.NOTHING),
        ("POST", "/signout", signin.sign_out, Need.STAFF),
        ("GET", "/sessions", sessions.page, Need.STAFF),
        ("POST", "/sessions/{name}/end", sessions.end, Need.STAFF),
        ("GET", "/healthz", health.healthz, Need.NOTHING),
        ("GET", "/board", board.page, Need.STAFF),
        ("GET", "/tickets/{number}", tickets.page, Need.STAFF),
        ("GET", "/tickets/{number}/handover", handover.page, Need.STAFF),
        ("GET", r"/tickets/{number}/pictures/{message:\d{1,19}}", tickets.picture, Need.STAFF),
        ("GET", "/digest", digest.newest, Need.STAFF),
        ("GET", "/digest/{day}/{kind}", digest.page, Need.STAFF),
        ("GET", "/digest/{day}/{kind}/card.png", digest.card, Need.STAFF),
        ("GET", "/lists", lists.page, Need.STAFF),
        ("GET", "/exports", exports.page, Need.STAFF),
        ("POST", "/exports", exports.make, Need.STAFF),
        ("POST", r"/exports/{id:\d{1,19}}/cancel", exports.cancel, Need.STAFF),
        ("GET", r"/exports/{id:\d{1,19}}/file", exports.file, Need.STAFF),
        ("GET", "/groups", groups.page, Need.STAFF),
        ("GET", "/organisation", organisation.page, Need.STAFF),
        ("GET", "/organisation/{table}/entry", organisation_edit.page, Need.COORDINATOR),
        ("POST", "/organisation/{table}/entry", organisation_edit.save, Need.COORDINATOR),
        ("GET", "/organisation/{table}/remove", organisation_edit.removal, Need.COORDINATOR),
        ("POST", "/organisation/{table}/remove", organisation_edit.remove, Need.COORDINATOR),
        ("GET", "/replies", replies.page, Need.COORDINATOR),
        ("POST", r"/replies/{id:\d{1,19}}/retry", replies.retry, Need.COORDINATOR),
        ("POST", r"/replies/{id:\d{1,19}}/drop", replies.drop, Need.COORDINATOR),
        ("GET", "/reviews", reviews.page, Need.COORDINATOR),
        ("GET", "/reviews/count", reviews.count, Need.COORDINATOR),
        ("POST", r"/reviews/{id:\d{1,19}}", reviews.decide, Need.COORDINATOR),
        ("GET", "/joining", joining.page, Need.COORDINATOR),
        ("POST", "/joining", joining.make, Need.COORDINATOR),
        ("POST", r"/joining/{id:\d{1,19}}/revoke", joining.take_back, Need.COORDINATOR),
        ("GET", "/live", stream.live, Need.STAFF),
        ("GET", "/chat", chat.page, Need.OPERATOR),
        ("GET", "/chat/lines", chat.lines, Need.OPERATOR),
        ("GET", "/chat/events", stream.chat, Need.OPERATOR),
        ("POST", "/chat/say", chat.say, Need.OPERATOR),
        ("GET", "/chat/pictures/{id}", chat.picture, Need.OPERATOR),
    )
)
_STREAMS: Final = frozenset({stream.live, stream.chat})
