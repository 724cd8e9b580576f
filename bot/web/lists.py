"""/lists: the two lists of an area, by place and kind."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from bot.web import reach
from bot.web.pages import render
from bot.web.parts import parts_of, read
from handlers import lists
from handlers.context import Context, World
from handlers.kinds import Sort, kinds
from handlers.lists import Asked, Group, Standing
from handlers.organisation import Organisation
from handlers.tabling import TableName
from handlers.tabling.grouped import standing_of

_MOST: Final = 200  # groups on a page; an export has all
_USUAL_DAYS: Final = 30
_SPANS: Final = ((7, "近7天"), (30, "近30天"), (90, "近90天"), (365, "近一年"))
SORTS: Final = {Sort.FACILITY: "设施问题", Sort.SERVICE: "服务需求"}
STANDINGS: Final = {Standing.OPEN: "未办结", Standing.CLOSED: "已办结", Standing.EXPLAINED: "未解决已解释"}
# Of each list: the list itself and its ledger.
TABLES: Final = {
    Sort.FACILITY: ((TableName.FACILITIES, "清单"), (TableName.FACILITY_LEDGER, "台账")),
    Sort.SERVICE: ((TableName.SERVICES, "清单"), (TableName.SERVICE_LEDGER, "台账")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A group as the page shows it."""

    group: Group
    area: str
    standing: str


def asked_of(request: web.Request, query: MultiMapping[str], today: date) -> Asked:
    """The filters as they stand in the address; anything unknown counts as not asked.

    Without a day the last thirty, this one among them.
    """
    organisation = parts_of(request).world().organisation
    start, end = _day(query.get("start", "")), _day(query.get("end", ""))
    if "start" not in query and "end" not in query:
        start, end = today - timedelta(days=_USUAL_DAYS - 1), today
    if start and end and end < start:
        start, end = end, start
    area, state = query.get("area", ""), query.get("state", "")
    label = query.get("label", "")
    return Asked(
        start=start,
        end=end,
        area=area if area in organisation.areas else "",
        label=label if parts_of(request).world().texts.has(f"names.label.{label}") else "",
        state=state if state in set(Standing) else "",
        kind=query.get("kind", ""),
        within=reach.areas(request),
        plain=reach.own_areas(request),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def page(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    world, now = parts.world(), parts.clock()
    today = now.astimezone(world.zone).date()
    sort = Sort.SERVICE if request.query.get("list") == Sort.SERVICE else Sort.FACILITY
    asked = asked_of(request, request.query, today)
    known = kinds(sort)
    if asked.kind not in {kind.code for kind in known}:
        asked = replace(asked, kind="")
    found = await read(parts, lambda session: lists.groups(Context(session, now, world), sort, asked))
    values: dict[str, Any] = {
        "asked": asked,
        "sort": sort,
        "sorts": [(code, name, url(code, replace(asked, kind=""))) for code, name in SORTS.items()],
        "lines": list(_lines(world, found[:_MOST])),
        "more": max(0, len(found) - _MOST),
        "kinds": known,
        "by_kind": [
            (kind, n, still, url(sort, replace(asked, kind=kind.code)))
            for kind, n, still in lists.by_kind(found)
        ],
        "spans": _spans(sort, asked, today),
        "standings": STANDINGS.items(),
        "areas": list(areas_shown(world.organisation, asked.within)),
        "tables": TABLES[sort],
        "totals": (sum(group.tickets for group in found), sum(group.open for group in found), len(found)),
    }
    return render(request, "lists.html", values)


def url(sort: Sort, asked: Asked) -> str:
    """The address of the page with these filters."""
    values = {"list": str(sort), "area": asked.area, "kind": asked.kind, "state": asked.state}
    days = {"start": f"{asked.start or ''}", "end": f"{asked.end or ''}"}
    return f"/lists?{urlencode({key: value for key, value in values.items() if value} | days)}"


def _lines(world: World, found: list[Group]) -> Iterator[Line]:
    for group in found:
        yield Line(group, world.organisation.area_name(group.area), standing_of(world.texts, group))


def _spans(sort: Sort, asked: Asked, today: date) -> list[tuple[str, str, bool]]:
    """(address, name, whether it is that one) of the usual ranges, and of no limit."""
    ranges = [(today - timedelta(days=days - 1), today, name) for days, name in _SPANS]
    found = [(replace(asked, start=start, end=end), name) for start, end, name in ranges]
    found.append((replace(asked, start=None, end=None), "不限"))
    return [(url(sort, one), name, one == asked) for one, name in found]


def areas_shown(organisation: Organisation, within: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
    """(code, name) of what can be chosen, in the order of the tree, deeper ones moved in."""
    below: dict[str | None, list[str]] = {}
    for area in organisation.areas.values():
        below.setdefault(area.parent, []).append(area.code)

    def walk(parent: str | None, depth: int) -> Iterator[tuple[str, str]]:
        for code in below.get(parent, []):
            if within is None or code in within:
                yield code, "\u3000" * depth + organisation.area_name(code)
            yield from walk(code, depth + 1)

    return walk(None, 0)
