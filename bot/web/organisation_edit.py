"""Forms for one entry of the organisation: added, changed, removed, with the checks of an import."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiohttp import web
from multidict import MultiMapping
from sqlmodel import Session

from bot.live import TICKETS
from bot.web.access import NotForYou, viewer_of
from bot.web.organisation import Asked, entries
from bot.web.pages import render
from bot.web.parts import Parts, parts_of, read, write
from handlers import editing
from handlers.context import Context
from handlers.directory import Entry, key_of, read_file
from handlers.faults import in_chinese
from handlers.files import ConfigError
from handlers.organisation import Person
from handlers.reorganise import base_of
from handlers.sheet_columns import BY_TABLE, Column, Sheet
from handlers.sheets import Row, Wrong, cells_of, made_id
from handlers.sight import holds, may_write

log = structlog.get_logger(__name__)

_POST: Final = ("role", "area", "unit")
_MOST_POSTS: Final = 20
_BAD_FILE: Final = "组织文件现在读不了，请维护人员先用 gridbot check 检查。"


@dataclass
class Form:
    """The form as it is shown: cells of the entry, of a person one row a post, and what is wrong there."""

    sheet: Sheet
    key: str = ""
    stamp: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)
    wrong: dict[tuple[int, str], list[str]] = field(default_factory=dict)  # by row and column
    other: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[Column]:
        """Those of the entry itself."""
        return [c for c in self.sheet.columns if not (self.sheet.table == "people" and c.key in _POST)]

    @property
    def post_columns(self) -> list[Column]:
        return [c for c in self.sheet.columns if self.sheet.table == "people" and c.key in _POST]

    @property
    def name(self) -> str:
        return self.rows[0].get("name") or self.rows[0].get("topic") or self.key

    def is_fixed(self, column: Column) -> bool:
        """The key of an entry stays; a group's id may be filled in where it is not known."""
        if not self.key or column is not self.sheet.columns[0]:
            return False
        return self.sheet.table != "groups" or bool(self.rows[0].get("id"))


def _sheet(request: web.Request) -> Sheet:
    sheet = BY_TABLE.get(request.match_info["table"])
    if sheet is None:
        raise web.HTTPNotFound
    return sheet


def _entry(request: web.Request, sheet: Sheet, key: str) -> Entry:
    """Raises NotForYou where it lies in areas that are not the asking one's to change."""
    asking = viewer_of(request)
    found = entries(asking.organisation, sheet.table)
    entry = next((entry for entry in found if key_of(entry) == key), None)
    if entry is None:
        raise web.HTTPNotFound
    if not may_write(asking.organisation, asking.actor, entry, entry):
        raise NotForYou
    return entry


async def page(request: web.Request) -> web.StreamResponse:
    """`key` in the address: the entry to be changed; without it a new one."""
    sheet, key = _sheet(request), request.query.get("key", "")
    if not key:
        empty = {column.key: request.query.get(column.key, "")[:200] for column in sheet.columns}
        return _shown(request, Form(sheet, rows=[empty]))
    entry = _entry(request, sheet, key)
    return _shown(request, Form(sheet, key, editing.stamp(entry), cells_of(entry)))


def _shown(request: web.Request, form: Form, status: int = 200) -> web.Response:
    asking = viewer_of(request)
    organisation = asking.organisation
    spare = [dict.fromkeys(_POST, "")] * (1 if form.key or form.wrong else 2)
    values = {
        "form": form,
        "posts": [*form.rows, *spare][:_MOST_POSTS] if form.sheet.table == "people" else [],
        "areas": [area for area in organisation.areas.values() if holds(asking.led, area.code)],
        "units": entries(organisation, "units"),
        "back": Asked(form.sheet.table).url(),
    }
    return render(request, "organisation_entry.html", values, status)


async def save(request: web.Request) -> web.StreamResponse:
    parts, sheet = parts_of(request), _sheet(request)
    posted: MultiMapping[Any] = await request.post()
    actor = viewer_of(request).actor
    key, stamp = _text(posted, "key"), _text(posted, "stamp")
    form = Form(sheet, key, stamp, _rows(sheet, posted))
    rows = [Row(_whole(parts, form, cells), "form", number) for number, cells in enumerate(form.rows)]

    def change(ctx: Context) -> list[Wrong]:
        file = read_file(parts.settings.organisation)
        return editing.save(ctx, actor, file, sheet.table, rows, key=key, seen=stamp)

    wrong = await _tried(parts, form, change)
    if wrong or form.other:
        _tell(form, wrong)
        return _shown(request, form, 422)
    raise web.HTTPSeeOther(Asked(sheet.table, q=form.name).url(done="save"))


def _text(posted: MultiMapping[Any], name: str) -> str:
    value = posted.get(name, "")
    return value.strip()[:4000] if isinstance(value, str) else ""


def _rows(sheet: Sheet, posted: MultiMapping[Any]) -> list[dict[str, str]]:
    """The cells as they were typed; of a person's posts those in which anything was."""
    own = {column.key: _text(posted, column.key) for column in sheet.columns}
    if sheet.table != "people":
        return [own]
    posts = [{key: _text(posted, f"{key}-{number}") for key in _POST} for number in range(_MOST_POSTS)]
    return [own | post for post in posts if any(post.values())] or [own]


def _whole(parts: Parts, form: Form, cells: Mapping[str, str]) -> dict[str, str]:
    """A new person without an id gets a made one, unless somebody has that name already."""
    name, people = cells.get("name", ""), parts.world().organisation.people.values()
    if form.sheet.table != "people" or cells["id"] or not name:
        return dict(cells)
    same = next((person.id for person in people if person.name == name), "")
    return dict(cells) | {"id": same or made_id(name)}


async def _tried(parts: Parts, form: Form, change: Callable[[Context], list[Wrong]]) -> list[Wrong]:
    """Does the change; takes it over at once where it was done."""

    def run(session: Session) -> list[Wrong]:
        return change(Context(session, parts.clock(), parts.world()))

    try:
        wrong = await write(parts, run)
    except KeyError:
        raise web.HTTPNotFound from None
    except ConfigError as error:
        log.error("organisation_not_read", reason=str(error))
        form.other.append(_BAD_FILE)
        return []
    if not wrong:
        await _reload(parts)
    return wrong


async def _reload(parts: Parts) -> None:
    await read(parts, lambda _: parts.reload())
    parts.live.publish(TICKETS)


def _tell(form: Form, wrong: Sequence[Wrong]) -> None:
    """Puts each word beside its field; what is wrong elsewhere comes above the form."""
    for fault, row in ((found.fault, found.row) for found in wrong):
        name = "area" if fault.field == "also" else fault.field
        if row.source and any(column.key == name for column in form.sheet.columns):
            number = row.number if name in _POST and form.post_columns else 0
            form.wrong.setdefault((number, name), []).append(in_chinese(fault))
        else:
            form.other.append(_elsewhere(fault.table, row, name) + in_chinese(fault))


def _elsewhere(table: str, row: Row, name: str) -> str:
    if table not in BY_TABLE or not row.cells.get("key"):
        return ""
    return f"{BY_TABLE[table].title} {row.cells['key']} 的{BY_TABLE[table].named(name)}："


async def removal(request: web.Request) -> web.StreamResponse:
    """Asks before an entry is removed, or says what needs it."""
    parts, sheet, key = parts_of(request), _sheet(request), request.query.get("key", "")
    entry = _entry(request, sheet, key)
    form = Form(sheet, key, rows=cells_of(entry))

    def look(session: Session) -> list[Wrong]:
        base = base_of(read_file(parts.settings.organisation), session, to_write=False)
        return editing.needed_by(base, sheet.table, key)

    try:
        _tell(form, await read(parts, look))
    except KeyError:
        raise web.HTTPNotFound from None
    except ConfigError:
        form.other.append(_BAD_FILE)
    return _asked(request, form, entry)


def _asked(request: web.Request, form: Form, entry: Entry, status: int = 200) -> web.Response:
    posts = len(entry.posts) if isinstance(entry, Person) else 0
    values = {"form": form, "posts": posts, "back": Asked(form.sheet.table).url()}
    return render(request, "organisation_remove.html", values, status)


async def remove(request: web.Request) -> web.StreamResponse:
    parts, sheet = parts_of(request), _sheet(request)
    key = _text(await request.post(), "key")
    entry = _entry(request, sheet, key)
    form = Form(sheet, key, rows=cells_of(entry))
    actor = viewer_of(request).actor

    def change(ctx: Context) -> list[Wrong]:
        return editing.remove(ctx, actor, read_file(parts.settings.organisation), sheet.table, key)

    _tell(form, await _tried(parts, form, change))
    if form.other:
        return _asked(request, form, entry, 409)
    raise web.HTTPSeeOther(Asked(sheet.table).url(done="remove"))
