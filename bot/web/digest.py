"""/digest: all figures of a day or a week, of the areas that the reader may see."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import jinja2
from aiohttp import web

from bot.card import draw
from bot.card.words import duration, percent
from bot.web import reach
from bot.web.lists import areas_shown
from bot.web.names import Names
from bot.web.pages import FOLDER, render
from bot.web.parts import parts_of, read
from handlers.context import Context
from handlers.digest_text import shares_of, text_of
from handlers.figures import periods
from handlers.figures.counting import of_window
from handlers.figures.model import Counts, DigestKind, Figures, Share, Usual
from handlers.figures.periods import Window
from handlers.figures.wording import number, period_of
from handlers.organisation import Organisation

_DAY: Final = timedelta(days=1)
_FILES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Row:
    """Of a label or an area, or of all of them."""

    name: str
    counts: Counts
    usual: Usual
    urgent: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A share as the page shows it."""

    name: str
    share: Share
    percent: str


async def newest(request: web.Request) -> web.StreamResponse:
    """Leads to the last one of the evening."""
    parts = parts_of(request)
    world, now = parts.world(), parts.clock()
    window = await read(
        parts, lambda session: periods.last_due(Context(session, now, world), DigestKind.EVENING)
    )
    raise web.HTTPFound(address(window.day, DigestKind.EVENING))


async def page(request: web.Request) -> web.StreamResponse:
    code = _area(request)

    def values(ctx: Context) -> dict[str, Any]:
        window = _window(request, ctx)
        found = of_window(ctx, code, window)
        return shown(ctx, found, window) | _around(ctx, code, window)

    made = await _read(request, values)
    organisation = parts_of(request).world().organisation
    return render(
        request,
        "digest.html",
        made | {"code": code, "choices": list(areas_shown(organisation, reach.areas(request)))},
    )


async def card(request: web.Request) -> web.StreamResponse:
    """The picture that goes into the group, drawn anew."""
    code = _area(request)
    found = await _read(request, lambda ctx: of_window(ctx, code, _window(request, ctx)))
    return web.Response(body=await asyncio.to_thread(draw, found), content_type="image/png")


async def _read(request: web.Request, query: Any) -> Any:
    parts = parts_of(request)
    world, now = parts.world(), parts.clock()
    return await read(parts, lambda session: query(Context(session, now, world)))


def _window(request: web.Request, ctx: Context) -> Window:
    """What the address names. Raises HTTPNotFound for what is no day, or has not begun."""
    try:
        day = date.fromisoformat(request.match_info["day"])
        kind = DigestKind(request.match_info["kind"])
        found = periods.window(ctx, kind, day)
    except (ValueError, OverflowError):
        raise web.HTTPNotFound from None
    if found.period.start >= ctx.now or day.year < 2000:
        raise web.HTTPNotFound
    return found


def _area(request: web.Request) -> str:
    """The area asked for, else the highest of the reader's. Raises HTTPNotFound for another's."""
    organisation, within = parts_of(request).world().organisation, reach.areas(request)
    asked = request.query.get("area", "")
    if not asked:
        return organisation.root if within is None else _highest(organisation, within)
    if asked not in organisation.areas or (within is not None and asked not in within):
        raise web.HTTPNotFound
    return asked


def _highest(organisation: Organisation, within: tuple[str, ...]) -> str:
    found = sorted(within, key=lambda code: (len(organisation.upwards(code)), code))
    if not found:
        raise web.HTTPNotFound
    return found[0]


def address(day: date, kind: str, area: str = "") -> str:
    return f"/digest/{day}/{kind}{f'?area={area}' if area else ''}"


def _around(ctx: Context, code: str, window: Window) -> dict[str, Any]:
    """Where the page leads: a day or a week earlier or later, the other digests, the picture."""
    step = _DAY * (7 if window.kind is DigestKind.WEEKLY else 1)
    before, after = window.day - step, window.day + step
    begun = periods.window(ctx, window.kind, after).period.start < ctx.now
    kinds = [kind for kind in DigestKind if periods.window(ctx, kind, window.day).period.start < ctx.now]
    names = {kind: ctx.texts(f"names.digest.{kind}") for kind in kinds}
    picture, _, query = address(window.day, window.kind, code).partition("?")
    return {
        "earlier": address(before, window.kind, code),
        "later": address(after, window.kind, code) if begun else "",
        "kinds": [(address(window.day, k, code), names[k], k is window.kind) for k in kinds],
        "picture": f"{picture}/card.png?{query}",
        "here": address(window.day, window.kind),
    }


def shown(ctx: Context, found: Figures, window: Window) -> dict[str, Any]:
    """All of the figures, as the templates want them."""
    names, period = Names(ctx.texts), found.period
    labels = [
        Row(names("label", one.label), one.counts, one.usual, one.urgent)
        for one in found.labels
        if one.counts != Counts() or one.usual.weeks
    ]
    return {
        "found": found,
        "kind": window.kind,
        "heading": f"{found.name}{ctx.texts(f'names.digest.{window.kind}')}",
        "period": period_of(type(period)(ctx.local(period.start), ctx.local(period.end))),
        "unfinished": period.end < window.period.end,
        "total": Row("合计", found.total, found.usual, found.urgent),
        "labels": labels,
        "areas": [Row(one.name, one.counts, one.usual) for one in found.areas],
        "shares": [
            Told(ctx.texts(f"names.share.{name}"), share, percent(share)) for name, share in shares_of(found)
        ],
        "most": max((day.total for day in found.days), default=0),
        "days": [(day, dict(_by_label(day.opened, found))) for day in found.days],
        "label_names": [names("label", one.label) for one in found.labels],
        "corrected": [
            (CORRECTIONS.get(kind, kind), count) for kind, count in found.judgement.corrected.items()
        ],
        "area_name": ctx.organisation.area_name,
        "told": names,
        "number": number,
        "percent": percent,
        "duration": duration,
        "local": lambda at: f"{ctx.local(at):%m月%d日 %H:%M}",
        "text": text_of(ctx, found, window),
    }


CORRECTIONS: Final = {
    "false_alarm": "误报",
    "relabel": "改类",
    "merge": "并案",
    "split": "拆分",
    "review": "确认",
}


def _by_label(opened: Any, found: Figures) -> Iterator[tuple[str, int]]:
    for one in found.labels:
        yield one.label, opened.get(one.label, 0)


def as_html(ctx: Context, found: Figures, window: Window) -> str:
    """The page as a file by itself, which carries its style and leads nowhere."""
    style = "\n".join((FOLDER / "static" / name).read_text("utf-8") for name in ("style.css", "digest.css"))
    return _FILES.get_template("digest_file.html").render(style=style, **shown(ctx, found, window))
