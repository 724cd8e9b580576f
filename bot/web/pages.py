"""Rendering: the templates with what every page needs, and how times and ticket numbers are shown."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup, escape

from bot.gateways.base import Connection
from bot.web.access import PAGES, VIEWER, Need, Viewer
from bot.web.names import BOT_NAME, Names
from bot.web.parts import PARTS, parts_of
from handlers.signin import veiled

FOLDER = Path(__file__).parent


def setup(app: web.Application) -> None:
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    parts = app[PARTS]
    environment.filters |= {
        "when": partial(when, parts.settings.tz, parts.clock),
        "tint": tint,
        "veiled": veiled,
        "iso": lambda instant: instant.isoformat() if instant else "",
        "ms": lambda instant: int(instant.timestamp() * 1000) if instant else 0,
    }


def render(request: web.Request, template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    return aiohttp_jinja2.render_template(template, request, _site(request) | dict(values), status=status)


def fragment(request: web.Request, template: str, values: Mapping[str, Any]) -> str:
    return aiohttp_jinja2.render_string(template, request, _site(request) | dict(values))


def _site(request: web.Request) -> dict[str, Any]:
    parts = parts_of(request)
    world = parts.world()
    organisation = world.organisation
    street = organisation.areas.get(organisation.root)
    connection = parts.gateway.status.connection
    return {
        "names": Names(world.texts),
        "organisation": organisation,
        "street": street.name if street else "",
        "bot_name": BOT_NAME,
        "viewer": request.get(VIEWER),
        "may_open": partial(may_open, request),
        "path": request.path,
        "gateway": parts.gateway,
        "gateway_mood": mood(connection),
        "linked": partial(linked, organisation.street_code),
        "now": parts.clock(),
    }


def may_open(request: web.Request, path: str) -> bool:
    """Whether to lead there at all."""
    asking: Viewer | None = request.get(VIEWER)
    if asking is None or (path == "/chat" and parts_of(request).local is None):
        return False
    return asking.may(request.app[PAGES].get(path, Need.STAFF))


def mood(connection: Connection) -> str:
    """good, bad or unsettled: the colour of the gateway's dot."""
    if connection is Connection.LOGGED_IN:
        return "good"
    return "bad" if connection in {Connection.LOST, Connection.REFUSED} else "unsettled"


def linked(street_code: str, text: str) -> Markup:
    """The text, escaped, with ticket numbers as links to their pages."""
    number = re.compile(rf"(?<![0-9A-Za-z]){re.escape(street_code)}\d{{4}}-\d{{3,}}(?!\d)")
    parts: list[Markup] = []
    end = 0
    for found in number.finditer(text):
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<a href="/tickets/{0}">{0}</a>').format(found[0]))
        end = found.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def when(zone: Any, clock: Any, instant: datetime | None) -> str:
    """Street's time, as short as it can be: 14:03, 昨天 14:03, 7月12日 14:03, 2025年7月12日."""
    if instant is None:
        return "—"
    local, today = instant.astimezone(zone), clock().astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if local.date() == today - timedelta(days=1):
        return f"昨天 {local:%H:%M}"
    if local.year == today.year:
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    return f"{local.year}年{local.month}月{local.day}日"


def spell(span: timedelta) -> str:
    """5 分钟, 3 小时 20 分, 11 小时, 2 天."""
    minutes = int(abs(span).total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 1)} 分钟"
    if minutes < 6 * 60 and minutes % 60:
        return f"{minutes // 60} 小时 {minutes % 60} 分"
    return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // (24 * 60)} 天"


def tint(name: str) -> int:
    """Which of eight colours a person has, everywhere the same."""
    return crc32(name.encode("utf-8", "replace")) % 8


def page_number(request: web.Request) -> int:
    text = request.query.get("page", "1")
    return max(1, min(int(text), 100_000)) if text.isascii() and text.isdigit() else 1


def row_id(request: web.Request, name: str) -> int:
    """A row's id from the address; one that no database can hold is not found."""
    number = int(request.match_info[name])
    if number >= 2**63:
        raise web.HTTPNotFound
    return number
