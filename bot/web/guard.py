"""What stands before every page: the error boundary, who may ask, and headers for the browser."""

import secrets
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import DBAPIError

from bot.web.access import NotForYou
from bot.web.pages import render
from bot.web.parts import parts_of
from storage.database import short

log = structlog.get_logger(__name__)

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send "Origin: null" on forms, and the Origin check would refuse them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WORDS: Final = {
    401: "请先登录：私聊机器人发“登录”，会得到一个链接。",
    403: "这个请求不是从本站页面发出的。",
    404: "没有这个页面，或者它已经不在了。",
    405: "这个页面不能这样用。",
    413: "文件太大了，请压缩后再发（最多 8 MB）。",
}

_NOT_FOR_YOU: Final = "您的身份看不了这一页。需要的话，请找街道指挥中心。"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def error_boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure becomes a page without traces; the log line is found by its reference number."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        words = _NOT_FOR_YOU if isinstance(answer, NotForYou) else _WORDS.get(answer.status)
        return _page(request, answer.status, words or "这个请求办不了。")
    except ConnectionResetError:
        return web.Response()  # the browser went away: nobody reads it
    except Exception as error:  # noqa: BLE001 - the pages' one error boundary
        reference = secrets.token_hex(4)
        # A database error's text holds the statement's parameters: personal data, which no log needs.
        what = {"error": short(error)} if isinstance(error, DBAPIError) else {"exc_info": error}
        log.error("page failed", reference=reference, path=request.path, **what)
        return _page(request, 500, "页面出了点问题，请稍后再试；还不行就把编号告诉维护人员。", reference)


def _page(request: web.Request, status: int, words: str, reference: str = "") -> web.Response:
    values = {"status": status, "words": words, "reference": reference}
    if "HX-Request" in request.headers:
        text = f"{words}（编号 {reference}）" if reference else words
        return web.Response(text=text, status=status)
    return render(request, "error.html", values, status)


@web.middleware
async def same_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what another site makes a browser ask for: DNS rebinding, and forms that are not ours.

    What the settings call public_url is ours as well, whatever the proxy before the pages makes of it.
    """
    settings = parts_of(request).settings.web
    public = urlsplit(settings.public_url)
    ours = _is_loopback(_hostname(request.host)) or _hostname(request.host) == public.hostname
    if _is_loopback(settings.host) and not ours:
        raise web.HTTPForbidden
    if "\0" in request.path or "\0" in request.query_string:
        raise web.HTTPBadRequest  # no database takes it
    if request.method not in _SAFE:
        origin = request.headers.get("Origin", "").lower()
        if urlsplit(origin).netloc != request.host.lower() and origin != _origin(settings.public_url):
            raise web.HTTPForbidden
    return await handler(request)


def _origin(url: str) -> str:
    """As browsers write it; one that no browser sends where there is none."""
    parts = urlsplit(url.lower())
    usual = {"http": 80, "https": 443}.get(parts.scheme) == parts.port
    return f"{parts.scheme}://{parts.hostname if usual else parts.netloc}" if url else "-"


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
