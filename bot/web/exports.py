"""/exports: files that are written in the background: asked for, watched, cancelled, fetched."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from multidict import MultiDict
from sqlmodel import Session

from bot.exports import KEPT, path_of
from bot.live import EXPORTS, ORDERED
from bot.web import reach
from bot.web.lists import STANDINGS, areas_shown, asked_of
from bot.web.names import Names
from bot.web.pages import render, row_id
from bot.web.parts import parts_of, read, write
from handlers import exports
from handlers.context import Context, World
from handlers.exports import Format, TooMany
from handlers.kinds import kinds
from handlers.lists import Asked
from handlers.tabling import TABLES, TableName
from storage import exports as store
from storage.tables import Export, ExportState

_SHOWN: Final = 50
_STATES: Final = {
    ExportState.WAITING: "排队",
    ExportState.RUNNING: "正在写",
    ExportState.DONE: "写好了",
    ExportState.CANCELLED: "已取消",
    ExportState.FAILED: "没写成，请再试",
    ExportState.INTERRUPTED: "程序重启，中断了，请再导一次",
}
_TYPES: Final = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Row:
    """An export as the page shows it. share: how much of it is done, in percent."""

    export: Export
    title: str
    asked: str
    state: str
    share: int

    @property
    def unfinished(self) -> bool:
        return self.export.state in {ExportState.WAITING, ExportState.RUNNING}

    @property
    def ready(self) -> bool:
        return self.export.state == ExportState.DONE


async def page(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def _page(request: web.Request, status: int = 200, refused: str = "") -> web.StreamResponse:
    parts = parts_of(request)
    world = parts.world()
    today, own = parts.clock().astimezone(world.zone).date(), reach.reader(request).id
    found = await read(parts, lambda session: store.recent(session, own, _SHOWN))
    rows = [_row(export, world) for export in found if reach.sees(request, export)]
    values: dict[str, Any] = {
        "rows": rows,
        "busy": any(row.unfinished for row in rows),
        "refused": refused,
        "tables": [(str(table.name), table.title) for table in TABLES.values()],
        "asked": asked_of(request, request.query, today),
        "today": today,
        "labels": [(code, name) for code, name in Names(world.texts).table("label") if code != "none"],
        "standings": STANDINGS.items(),
        "areas": list(areas_shown(world.organisation, reach.areas(request))),
        "kept_hours": int(KEPT / timedelta(hours=1)),
    }
    return render(request, "exports.html", values, status)


def _row(export: Export, world: World) -> Row:
    share = 100 * export.seen // export.total if export.total else 0
    title = TABLES[TableName(export.name)].title
    return Row(
        export,
        title,
        _words(Asked.of_json(export.asked), export, world),
        _STATES[ExportState(export.state)],
        share,
    )


def _words(asked: Asked, export: Export, world: World) -> str:
    """朝天街道，2026-07-01 至 2026-07-31，未办结"""
    names = Names(world.texts)
    organisation = world.organisation
    sort = TABLES[TableName(export.name)].sort
    days = f"{asked.start or '最早'} 至 {asked.end or '现在'}" if asked.start or asked.end else "不限时间"
    kind = next((kind.name for kind in kinds(sort) if kind.code == asked.kind), "") if sort else ""
    words = [
        organisation.area_name(asked.area or organisation.root),
        days,
        names("label", asked.label or None),
    ]
    words += [kind, dict(STANDINGS).get(asked.state, "")]  # type: ignore[call-overload]
    return "，".join(word for word in words if word)


async def make(request: web.Request) -> web.StreamResponse:
    """Asks for a file; it is written in the background."""
    parts = parts_of(request)
    form = await request.post()
    query = {key: value for key, value in form.items() if isinstance(value, str)}
    name, format = query.get("table", ""), query.get("format", "")
    if name not in set(TableName) or format not in set(Format):
        raise web.HTTPBadRequest
    world, now = parts.world(), parts.clock()
    asked = asked_of(request, MultiDict(query), now.astimezone(world.zone).date())
    actor = reach.reader(request)

    def order(session: Session) -> None:
        exports.order(Context(session, now, world), actor, TableName(name), Format(format), asked)

    try:
        await write(parts, order)
    except TooMany as error:
        return await _page(request, 429, str(error.__doc__))
    parts.live.publish(ORDERED)
    raise web.HTTPSeeOther("/exports")


async def cancel(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    export = await _mine(request)
    actor, world, now = reach.reader(request), parts.world(), parts.clock()
    await write(parts, lambda session: exports.cancel(Context(session, now, world), actor, export))
    parts.live.publish(EXPORTS)
    raise web.HTTPSeeOther("/exports")


async def file(request: web.Request) -> web.StreamResponse:
    """The file under a name that says what it is."""
    export = await _mine(request)
    path = path_of(parts_of(request).settings.storage.media, export)
    if export.state != ExportState.DONE or not await asyncio.to_thread(path.is_file):
        raise web.HTTPNotFound
    name = quote(exports.file_name(export))
    headers = {
        "Content-Type": _TYPES[Format(export.format)],
        "Content-Disposition": f"attachment; filename=\"export.{export.format}\"; filename*=UTF-8''{name}",
    }
    return web.FileResponse(path, headers=headers)


async def _mine(request: web.Request) -> Export:
    """Raises HTTPNotFound for one that is not there, or is somebody else's."""
    id = row_id(request, "id")
    export = await read(parts_of(request), lambda session: session.get(Export, id))
    if export is None or not reach.sees(request, export):
        raise web.HTTPNotFound
    return export
