"""/organisation: areas, groups, people, units and risk points to look at; organisation_edit changes them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from bot.web.access import Need, Viewer, viewer_of
from bot.web.pages import page_number, render
from handlers.directory import Entry, key_of
from handlers.organisation import Area, Organisation, Person, Post
from handlers.sheet_columns import BY_TABLE, ROLES, SHEETS, Sheet
from handlers.sheets import cells_of
from handlers.sight import may_write, sees_entry
from storage.board import Page

_SIZE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; anything unknown counts as not asked."""

    table: str = "areas"
    q: str = ""
    area: str = ""

    @classmethod
    def of(cls, query: MultiMapping[str], organisation: Organisation) -> "Asked":
        table, area = query.get("table", ""), query.get("area", "")
        return cls(
            table=table if table in BY_TABLE else "areas",
            q=query.get("q", "").strip()[:60],
            area=area if area in organisation.areas else "",
        )

    def url(self, path: str = "/organisation", **changed: object) -> str:
        values = {"table": self.table, "q": self.q, "area": self.area} | changed
        return f"{path}?{urlencode({key: value for key, value in values.items() if value})}"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in the list: what it is called and (column, value) of the rest.

    url: where it is changed, "" where who looks may not.
    """

    name: str
    url: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """An area in the tree with what lies below it. `people`: with a post in just this area."""

    area: Area
    url: str
    people: int
    below: tuple["Branch", ...]


async def page(request: web.Request) -> web.StreamResponse:
    asking = viewer_of(request)
    organisation = asking.organisation
    asked = Asked.of(request.query, organisation)
    sheet = BY_TABLE[asked.table]
    found = [entry for entry in _seen(asking, asked.table) if _fits(organisation, entry, asked)]
    number = min(page_number(request), max(1, -(-len(found) // _SIZE)))
    shown = found[(number - 1) * _SIZE : number * _SIZE]
    as_tree = asked.table == "areas" and not asked.q and not asked.area
    values: dict[str, Any] = {
        "asked": asked,
        "sheet": sheet,
        "tabs": [
            (
                Asked(s.table, area=asked.area if s.table != "areas" else "").url(),
                s,
                len(_seen(asking, s.table)),
            )
            for s in SHEETS
        ],
        "tree": [_branch(asking, root) for root in _roots(asking)] if as_tree else [],
        "page": Page([_line(asking, sheet, e) for e in shown], number, _SIZE, len(found)),
        "areas": [area for area in _seen(asking, "areas") if isinstance(area, Area)],
        "may_add": asking.may(Need.COORDINATOR),
        "done": request.query.get("done", ""),
    }
    return render(request, "organisation.html", values)


def _seen(asking: Viewer, table: str) -> list[Entry]:
    """The entries of which some part lies where he sees matters."""
    found = entries(asking.organisation, table)
    return [entry for entry in found if sees_entry(asking.organisation, asking.areas, entry)]


def _url(asking: Viewer, table: str, entry: Entry) -> str:
    """Where he may change it, "" where he may not."""
    may = may_write(asking.organisation, asking.actor, entry, entry)
    return entry_url(table, key_of(entry)) if may else ""


def entries(organisation: Organisation, table: str) -> Sequence[Entry]:
    if table == "units":  # without the people who are units by themselves
        return [unit for unit in organisation.units.values() if unit.code not in organisation.people]
    if table == "groups":
        return organisation.groups
    found: dict[str, Entry] = getattr(organisation, table)
    return list(found.values())


def entry_url(table: str, key: str) -> str:
    return f"/organisation/{table}/entry?{urlencode({'key': key})}"


def _fits(organisation: Organisation, entry: Entry, asked: Asked) -> bool:
    if asked.area and not any(organisation.within(code, asked.area) for code in _areas(organisation, entry)):
        return False
    return asked.q.casefold() in "\n".join(_words(organisation, entry)).casefold()


def _areas(organisation: Organisation, entry: Entry) -> Iterable[str]:
    if isinstance(entry, Area):
        return [entry.code]
    posts: Sequence[Any] = entry.posts if isinstance(entry, Person) else [entry]
    return [post.area or organisation.root for post in posts]


def _words(organisation: Organisation, entry: Entry) -> Iterator[str]:
    """What is searched: all cells, and the names of the areas."""
    for cells in cells_of(entry):
        yield from cells.values()
    yield from (organisation.area_name(code) for code in _areas(organisation, entry))


def _line(asking: Viewer, sheet: Sheet, entry: Entry) -> Line:
    organisation, url = asking.organisation, _url(asking, sheet.table, entry)
    if isinstance(entry, Person):
        posts = "；".join(_post(organisation, post) for post in entry.posts)
        return Line(entry.name, url, (("角色", posts), ("编号", entry.id)))
    [cells] = cells_of(entry)
    name = cells.pop("topic", "") or cells.pop("name", "") or cells.get("id", "")
    for key in ("area", "parent"):
        if key in cells:
            cells[key] = organisation.area_name(cells[key]) or cells[key]
    return Line(name, url, tuple((sheet.named(key), value) for key, value in cells.items() if value))


def _post(organisation: Organisation, post: Post) -> str:
    unit = organisation.units.get(post.unit)
    where = [organisation.area_name(post.area or organisation.root), unit.name if unit else ""]
    return " · ".join([ROLES[post.role][0], *(part for part in where if part)])


def _roots(asking: Viewer) -> list[Area]:
    """The topmost areas that he sees."""
    seen = [area for area in _seen(asking, "areas") if isinstance(area, Area)]
    codes = {area.code for area in seen}
    return [area for area in seen if area.parent not in codes]


def _branch(asking: Viewer, area: Area) -> Branch:
    organisation = asking.organisation
    below = (other for other in organisation.areas.values() if other.parent == area.code)
    return Branch(
        area,
        _url(asking, "areas", area),
        len({person.id for _, person in organisation.posted(area.code)}),
        tuple(_branch(asking, other) for other in below),
    )
