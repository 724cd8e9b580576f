"""Signing in by a one-time link, staying signed in by a cookie.

To open the link does not use it up: chat apps fetch what is sent through them, to show a preview. It shows a
page with a button, and the button does. Who somebody is, and what he may, is looked up at every request.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlmodel import Session
from yarl import URL

from bot.settings import Settings
from bot.web.access import NEEDS, VIEWER, Need, NotForYou, Viewer, viewer
from bot.web.pages import render
from bot.web.parts import Parts, parts_of, read, write
from bot.web.user_agents import browser_name
from handlers.permissions import OPERATOR
from handlers.records import noted
from storage import signin
from storage.database import Database
from storage.tables import WebSession

_OPEN: Final = ("/healthz", "/static/")
_RENEW_EVERY: Final = timedelta(minutes=10)  # a write at every request would be too many
_USED: Final = "这个链接已经用过、过期了，或者不完整。"
_NO_POST: Final = "您现在没有能打开网页的身份，请找街道指挥中心。"

_RENEWED: Final = web.RequestKey("renewed", tuple[str, datetime, bool])


def new_url(
    database: Database, settings: Settings, clock: Callable[[], datetime], port: int | None = None
) -> str:
    """A link that signs one browser in as the operator, once. `port`: where the pages really are."""
    lifetime = timedelta(minutes=settings.web.link_minutes)
    with database.transaction() as session:
        token = signin.make_link_token(session, clock(), lifetime)
        noted(session, clock(), OPERATOR, "link", "board")
    return f"{settings.web.base(port or 0)}/?token={token}"


def cookie_name(settings: Settings) -> str:
    """By port: cookies are shared by all ports of a host, and two bots on one machine are two sign-ins."""
    return f"gridbot_{settings.web.port}"


@web.middleware
async def signed_in_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A token in any page's address is offered there; most pages need a session, and the right posts."""
    if request.path.startswith(_OPEN):
        return await handler(request)
    parts = parts_of(request)
    found = await _viewer(request, parts)
    if found is not None:
        request[VIEWER] = found
    token = request.query.get("token")
    if token is not None and request.method in {"GET", "HEAD"}:
        return await _offer(request, parts, token, found)
    need = request.app[NEEDS].get(request.match_info.handler, Need.STAFF)
    if need is Need.NOTHING:
        return await handler(request)
    if found is None:
        return _turn_away(request)
    if not found.may(need):
        raise NotForYou
    return await _answered(request, handler)


def _turn_away(request: web.Request) -> web.StreamResponse:
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": "/signin"})
    if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
        return _ask_for_link(request, "")
    raise web.HTTPUnauthorized


async def _viewer(request: web.Request, parts: Parts) -> Viewer | None:
    """Whose cookie it is, with the posts of this moment. Who has none any more is signed out."""
    cookie = request.cookies.get(cookie_name(parts.settings))
    if not cookie:
        return None
    row = await read(parts, lambda session: signin.session_of(session, cookie, parts.clock()))
    if row is None:
        return None
    if row.person:
        await asyncio.to_thread(parts.reload)  # a post that was taken away is gone at once
    found = viewer(parts.world().organisation, row.person, signin.name_of(row))
    if found is None:
        await write(parts, lambda session: signin.end_session(session, cookie))
    elif parts.clock() - row.used_at >= _RENEW_EVERY:
        await _renew(request, parts, row, cookie)
    return found


async def _renew(request: web.Request, parts: Parts, row: WebSession, cookie: str) -> None:
    lifetime = timedelta(days=parts.settings.web.session_days)
    until = await write(parts, lambda session: signin.renew(session, row, parts.clock(), lifetime))
    request[_RENEWED] = (cookie, until, row.secure)


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The page, with the cookie renewed where its session was."""
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        _renew_cookie(request, answer)
        raise
    if not response.prepared:  # a stream: its headers are gone already
        _renew_cookie(request, response)
    return response


def _renew_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """The browser is to keep the cookie as long as the session lasts now."""
    name = cookie_name(parts_of(request).settings)
    if _RENEWED in request and name not in response.cookies:  # else it was just signed out
        _set_cookie(request, response, *request[_RENEWED])


def _set_cookie(
    request: web.Request, response: web.StreamResponse, cookie: str, until: datetime, secure: bool
) -> None:
    parts = parts_of(request)
    response.set_cookie(
        cookie_name(parts.settings),
        cookie,
        max_age=max(1, int((until - parts.clock()).total_seconds())),
        httponly=True,
        samesite="Lax",  # Strict would leave out the cookie where a link in a chat leads to a page
        secure=secure,
    )


async def _offer(request: web.Request, parts: Parts, token: str, found: Viewer | None) -> web.StreamResponse:
    """Shows the button; who is signed in as that one already goes on to the page, with the link unused."""
    rest = [(key, value) for key, value in request.query.items() if key != "token"]
    path = "/" if request.path == "/signin" else request.path
    target = _own(str(URL.build(path="/" + path.lstrip("/"), query=rest)))
    person = await read(parts, lambda session: signin.whose_token(session, token, parts.clock()))
    if found is not None and (person is None or person == found.person):
        raise web.HTTPSeeOther(target)
    if person is None:
        return _ask_for_link(request, _USED)
    return render(request, "signin.html", {"why": "", "token": token, "target": target, "now_as": found})


def _own(target: str) -> str:
    """The address as one of this site's: never //another.host."""
    return "/" + target.replace("\\", "/").lstrip("/") if target.startswith("/") else "/"


async def sign_in(request: web.Request) -> web.StreamResponse:
    """The button: uses the link up and gives the browser its cookie."""
    parts = parts_of(request)
    form = await request.post()
    token, target = str(form.get("token", "")), _own(str(form.get("target", "/")))
    secure = request.secure or urlsplit(request.headers.get("Origin", "")).scheme == "https"
    old = request.cookies.get(cookie_name(parts.settings), "")
    await asyncio.to_thread(parts.reload)
    made = await write(parts, lambda session: _spend(request, parts, session, token, old, secure))
    if isinstance(made, str):
        return _ask_for_link(request, made)
    answer = web.HTTPSeeOther(target)
    _set_cookie(request, answer, *made)
    raise answer


def _spend(
    request: web.Request, parts: Parts, session: Session, token: str, old: str, secure: bool
) -> tuple[str, datetime, bool] | str:
    """The cookie's value, until when it lasts, and whether only over https; or why there is none."""
    now, web_settings = parts.clock(), parts.settings.web
    person = signin.use_token(session, token, now)
    if person is None:
        return _USED
    found = viewer(parts.world().organisation, person)
    if found is None:
        return _NO_POST
    signin.end_session(session, old)
    browser = browser_name(request.headers.get("User-Agent", ""))
    lifetime, longest = (
        timedelta(days=web_settings.session_days),
        timedelta(days=web_settings.longest_session_days),
    )
    cookie = signin.make_session(
        session, now, lifetime, longest, person=person, browser=browser, secure=secure
    )
    noted(session, now, found.actor, "sign_in", f"person:{found.actor.id}", after={"browser": browser})
    return cookie, now + min(lifetime, longest), secure


def _ask_for_link(request: web.Request, why: str) -> web.Response:
    values: dict[str, Any] = {"why": why, "token": "", "target": "", "now_as": None}
    return render(request, "signin.html", values, 401)


async def page(request: web.Request) -> web.StreamResponse:
    """/signin without a token: says how to get a link. Who is signed in goes on to the pages."""
    if VIEWER in request:
        raise web.HTTPSeeOther("/")
    return _ask_for_link(request, "")


async def sign_out(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    name = cookie_name(parts.settings)
    cookie, actor = request.cookies.get(name, ""), request[VIEWER].actor

    def change(session: Session) -> None:
        signin.end_session(session, cookie)
        noted(session, parts.clock(), actor, "sign_out", f"person:{actor.id}")

    await write(parts, change)
    answer = web.HTTPSeeOther("/signin")
    answer.del_cookie(name)
    raise answer
