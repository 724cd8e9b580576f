"""/joining: one-time codes by which people and groups join. A code is shown once, where it is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web
from sqlmodel import Session, col, select

from bot.web.access import Viewer, viewer_of
from bot.web.names import Names
from bot.web.pages import render, row_id
from bot.web.parts import parts_of, read, write
from handlers.context import Context, World
from handlers.joining import BadInvitation, Invitation, Wrong, invite, may_revoke, post_name, revoke
from handlers.organisation import Organisation, Post, Role
from handlers.permissions import OPERATOR
from handlers.sight import holds
from storage import joining as store
from storage.tables import Joining, OrgPerson

_LONGEST = 60
_ROLES = (
    Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR, Role.UNIT, Role.VOLUNTEER, Role.COURIER,
    Role.RESIDENT,
)  # fmt: skip
_WHY = {
    Wrong.ROLE: "请选一个身份。",
    Wrong.KIND: "请选群的类型。",
    Wrong.AREA: "没有这个片区。",
    Wrong.UNIT: "没有这个单位；选单位时身份要选“联动单位”。",
    Wrong.PERSON: "名册里没有这个人，或者不止一个叫这个名字，请写编号。",
    Wrong.NAME: "名字太长了。",
    Wrong.NOT_YOURS: "这里有您管不到的片区，请街道指挥中心来做。",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A code that may still be typed: what it gives, and for whom it is."""

    joining: Joining
    gives: str
    whom: str


async def page(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def make(request: web.Request) -> web.StreamResponse:
    """Makes a code and shows it, this once."""
    parts = parts_of(request)
    form, actor = await request.post(), viewer_of(request).actor

    def said(name: str) -> str:
        return str(form.get(name, "")).replace("\0", "").strip()[: _LONGEST + 1]

    if said("what") == "group":
        wanted = Invitation(kind=said("kind") or "?", area=said("area"))
    elif said("what") == "imported":
        wanted = Invitation(person=said("person") or "?")
    else:
        wanted = Invitation(role=said("role"), area=said("area"), unit=said("unit"), name=said("name"))
    try:
        code = await write(
            parts, lambda session: invite(Context(session, parts.clock(), parts.world()), actor, wanted)
        )
    except BadInvitation as error:
        return await _page(request, status=422, refused=_WHY[error.why], given=dict(form))
    return await _page(request, code=code, group=bool(wanted.kind))


async def take_back(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    joining, actor = row_id(request, "id"), viewer_of(request).actor
    await write(parts, lambda session: revoke(Context(session, parts.clock(), parts.world()), actor, joining))
    raise web.HTTPSeeOther("/joining")


async def _page(request: web.Request, *, status: int = 200, **more: Any) -> web.StreamResponse:
    parts = parts_of(request)
    world, now, asking = parts.world(), parts.clock(), viewer_of(request)

    def query(session: Session) -> list[Row]:
        ctx = Context(session, now, world)
        own = [row for row in store.open_ones(session, now) if may_revoke(ctx, asking.actor, row)]
        return list(_rows(session, ctx, own))

    names = Names(world.texts)
    organisation = world.organisation
    values: dict[str, Any] = {
        "rows": await read(parts, query),
        "roles": [(str(role), names("role", role)) for role in _ROLES],
        "kinds": names.table("kind"),
        "areas": list(_areas(asking)),
        "made_by": partial(_made_by, organisation),
        "units": _units(world),
        "hours": world.rules.joining.code_hours,
        "code": "",
        "refused": "",
        "given": {},
    }
    return render(request, "joining.html", values | more, status)


def _rows(session: Session, ctx: Context, found: list[Joining]) -> Iterator[Row]:
    wanted = select(OrgPerson).where(col(OrgPerson.id).in_([row.person_id for row in found]))
    imported = {person.id: person.name for person in session.exec(wanted)}
    for row in found:
        if row.kind == "group":
            area = ctx.organisation.area_name(row.area)
            yield Row(row, f"{area} · {ctx.texts(f'names.kind.{row.group_kind}')}", "")
        elif row.person_id:
            yield Row(row, "名册里的身份", imported.get(row.person_id, row.person_id))
        else:
            yield Row(row, post_name(ctx, Post(role=Role(row.role), area=row.area, unit=row.unit)), row.name)


def _made_by(organisation: Organisation, maker: str) -> str:
    person = organisation.person(maker)
    return person.name if person else OPERATOR.name


def _areas(asking: Viewer) -> Iterator[tuple[str, str]]:
    """(code, name) of the areas he leads in the order of the tree, deeper ones moved in."""
    organisation = asking.organisation
    below: dict[str | None, list[str]] = {}
    for area in organisation.areas.values():
        below.setdefault(area.parent, []).append(area.code)

    def walk(parent: str | None, depth: int) -> Iterator[tuple[str, str]]:
        for code in below.get(parent, []):
            own = holds(asking.led, code)
            if own:
                yield code, "\u3000" * depth + organisation.area_name(code)
            yield from walk(code, depth + own)

    return walk(None, 0)


def _units(world: World) -> list[tuple[str, str]]:
    units = world.organisation.units.values()
    return [(unit.code, unit.name) for unit in sorted(units, key=lambda unit: unit.name)]
