"""Signing in by a one-time link, staying signed in by a cookie."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlmodel import Session
from yarl import URL

from bot.settings import Settings
from bot.web.pages import render
from bot.web.parts import Parts, parts_of, read, write
from handlers.permissions import OPERATOR
from handlers.records import noted
from handlers.reviews import BOARD
from storage import signin
from storage.database import Database

_OPEN: Final = ("/healthz", "/static/", "/signin")


def new_url(
    database: Database, settings: Settings, clock: Callable[[], datetime], port: int | None = None
) -> str:
    """A link that signs one browser in, once. `port`: where the pages really are, if not at the settings'."""
    lifetime = timedelta(minutes=settings.web.link_minutes)
    with database.transaction() as session:
        token = signin.make_link_token(session, clock(), lifetime)
        noted(session, clock(), OPERATOR, "link", "board")
    # A server that listens everywhere is reached at this machine; from elsewhere by a name we cannot know.
    host = "127.0.0.1" if settings.web.host in {"", "0.0.0.0", "::"} else settings.web.host
    url = URL.build(scheme="http", host=host, port=port or settings.web.port, path="/")
    return str(url.with_query(token=token))


def cookie_name(settings: Settings) -> str:
    """By port: cookies are shared by all ports of a host, and two bots on one machine are two sign-ins."""
    return f"gridbot_{settings.web.port}"


@web.middleware
async def signed_in_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A token in any page's address is spent there; everything but the open paths needs a session."""
    if request.path.startswith(_OPEN) and request.path != "/signin":
        return await handler(request)
    parts = parts_of(request)
    signed_in = await _is_signed_in(request, parts)
    token = request.query.get("token")
    if token is not None and request.method in {"GET", "HEAD"}:
        return await _spend(request, parts, token, signed_in=signed_in)
    if not signed_in:
        if request.path == "/signin":
            return await handler(request)
        if "HX-Request" in request.headers:
            return web.Response(status=401, headers={"HX-Redirect": "/signin"})
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return _ask_for_link(request, "")
        raise web.HTTPUnauthorized
    return await handler(request)


async def _is_signed_in(request: web.Request, parts: Parts) -> bool:
    cookie = request.cookies.get(cookie_name(parts.settings))
    if not cookie:
        return False
    return await read(parts, lambda session: signin.session_valid(session, cookie, parts.clock()))


async def _spend(request: web.Request, parts: Parts, token: str, *, signed_in: bool) -> web.StreamResponse:
    """Only a browser that opens the page spends the token: not HEAD, not one that merely looks ahead."""
    looking = request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", "")
    if looking:
        return web.Response()
    rest = [(key, value) for key, value in request.query.items() if key != "token"]
    path = "/" if request.path == "/signin" else "/" + request.path.lstrip("/")  # never //another.host
    target = web.HTTPSeeOther(URL.build(path=path, query=rest))
    if signed_in:
        raise target
    lifetime = timedelta(days=parts.settings.web.session_days)

    def sign_in(session: Session) -> str | None:
        if not signin.use_token(session, token, parts.clock()):
            return None
        noted(session, parts.clock(), BOARD, "sign_in", "board")
        return signin.make_session(session, parts.clock(), lifetime)

    cookie = await write(parts, sign_in)
    if cookie is None:
        return _ask_for_link(request, "这个链接已经用过、过期了，或者不完整。")
    target.set_cookie(
        cookie_name(parts.settings),
        cookie,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=request.secure,
    )
    raise target


def _ask_for_link(request: web.Request, why: str) -> web.Response:
    return render(request, "signin.html", {"why": why}, 401)


async def page(request: web.Request) -> web.StreamResponse:
    """/signin without a token: says how to get a link. Who is signed in goes on to the pages."""
    if await _is_signed_in(request, parts_of(request)):
        raise web.HTTPSeeOther("/")
    return _ask_for_link(request, "")


async def sign_out(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    name = cookie_name(parts.settings)
    cookie = request.cookies.get(name, "")

    def end(session: Session) -> None:
        if signin.session_valid(session, cookie, parts.clock()):
            noted(session, parts.clock(), BOARD, "sign_out", "board")
        signin.end_session(session, cookie)

    await write(parts, end)
    answer = web.HTTPSeeOther("/signin")
    answer.del_cookie(name)
    raise answer
