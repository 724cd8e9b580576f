"""/sessions: where one is signed in; who leads the street sees everybody's."""

from dataclasses import dataclass

from aiohttp import web
from sqlmodel import Session

from bot.web.access import Viewer, viewer_of
from bot.web.pages import render
from bot.web.parts import parts_of, read, write
from handlers.organisation import Organisation
from handlers.permissions import OPERATOR
from handlers.records import noted
from storage import signin
from storage.tables import WebSession


@dataclass(frozen=True, slots=True)
class Row:
    """A signed-in browser. here: the one that asks."""

    session: WebSession
    name: str
    who: str
    here: bool


async def page(request: web.Request) -> web.StreamResponse:
    parts, asking = parts_of(request), viewer_of(request)
    organisation = parts.world().organisation
    found = await read(parts, lambda session: signin.sessions(session, parts.clock(), _whose(asking)))
    rows = [
        Row(row, signin.name_of(row), _name(organisation, row.person), signin.name_of(row) == asking.session)
        for row in found
    ]
    own = [row for row in rows if row.session.person == asking.person]
    others = [row for row in rows if row.session.person != asking.person]
    values = {"own": own, "others": others, "ended": request.query.get("ended", "")}
    return render(request, "sessions.html", values)


def _whose(asking: Viewer) -> str | None:
    """Whose sessions are shown and may be ended: one's own, or (None) everybody's."""
    return None if asking.leads_all else asking.person


def _name(organisation: Organisation, person_id: str) -> str:
    if not person_id:
        return OPERATOR.name
    person = organisation.person(person_id)
    return person.name if person else person_id


async def end(request: web.Request) -> web.StreamResponse:
    """Ends one session; somebody else's only for who sees it."""
    parts, asking = parts_of(request), viewer_of(request)
    name = request.match_info["name"]

    def change(session: Session) -> bool:
        whose = signin.end_named(session, name, _whose(asking))
        if whose is None:
            return False
        noted(session, parts.clock(), asking.actor, "session_end", f"person:{whose or OPERATOR.id}")
        return True

    ended = await write(parts, change)
    if name == asking.session:
        raise web.HTTPSeeOther("/signin")
    raise web.HTTPSeeOther("/sessions?ended=1" if ended else "/sessions")
