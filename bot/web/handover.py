"""/tickets/{number}/handover: the hand-over sheet, to print on one page or to paste as text."""

import jinja2
from aiohttp import web

from bot.web.access import viewer_of
from bot.web.pages import FOLDER
from bot.web.parts import parts_of, read
from handlers.context import Context
from handlers.handover_sheet import Sheet, sheet, sheet_text
from storage import tickets

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


async def page(request: web.Request) -> web.StreamResponse:
    parts, number = parts_of(request), request.match_info["number"]
    asking = viewer_of(request)

    def made(ctx: Context) -> Sheet | None:
        ticket = tickets.newest(ctx.session, number)
        return sheet(ctx, ticket) if ticket is not None and asking.sees(ticket) else None

    world, now = parts.world(), parts.clock()
    found = await read(parts, lambda session: made(Context(session, now, world)))
    if found is None:
        raise web.HTTPNotFound
    return web.Response(text=as_html(found), content_type="text/html")


def as_html(made: Sheet, *, alone: bool = False) -> str:
    """The page. alone: a file by itself, which carries its style and leads nowhere."""
    style = (FOLDER / "static" / "sheet.css").read_text("utf-8") if alone else ""
    return _TEMPLATES.get_template("handover.html").render(sheet=made, text=sheet_text(made), style=style)
