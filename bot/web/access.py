"""Who looks at a page, and which pages that person may open."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlmodel import Session

from handlers import sight
from handlers.organisation import Organisation, Role
from handlers.permissions import OPERATOR, Actor, as_actor
from handlers.sight import Areas
from storage import rooms
from storage.board import Within
from storage.tables import Ticket


class Need(StrEnum):
    """What a route wants of who asks for it."""

    NOTHING = "nothing"  # not even to be signed in
    STAFF = "staff"  # a post in the grids, or above them
    COORDINATOR = "coordinator"  # of any area; the page shows what belongs to it
    OPERATOR = "operator"  # who can speak as anybody


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody signed in, with the posts that he has at this very request.

    areas, led: where he sees matters, and where he is a coordinator (see handlers/sight.py).
    session: what his session is called.
    """

    actor: Actor
    organisation: Organisation
    areas: Areas
    led: Areas
    session: str = ""

    @property
    def is_operator(self) -> bool:
        return self.actor == OPERATOR

    @property
    def person(self) -> str:
        """As sessions call it."""
        return "" if self.is_operator else self.actor.id

    @property
    def leads_all(self) -> bool:
        return self.led is None

    def may(self, need: Need) -> bool:
        if need is Need.OPERATOR:
            return self.is_operator
        return need is not Need.COORDINATOR or self.actor.has(Role.COORDINATOR)

    def sees(self, ticket: Ticket) -> bool:
        return sight.sees(self.organisation, self.actor, ticket)


def viewer(organisation: Organisation, person_id: str, session: str = "") -> Viewer | None:
    """The person with the posts of now, "" being the operator; None for who has none that lets in."""
    if not person_id:
        actor = OPERATOR
    else:
        person = organisation.person(person_id)
        if person is None:
            return None
        actor = as_actor(person)
    if not sight.may_sign_in(actor):
        return None
    areas, led = sight.seen(organisation, actor), sight.led(organisation, actor)
    return Viewer(actor, organisation, areas, led, session)


# What each handler's route wants, and each page by its path.
NEEDS: Final = web.AppKey("needs", dict[Handler, Need])
PAGES: Final = web.AppKey("pages", dict[str, Need])
VIEWER: Final = web.RequestKey("viewer", Viewer)


def viewer_of(request: web.Request) -> Viewer:
    """Who asks; only where the route needs somebody."""
    return request[VIEWER]


def within(session: Session, asking: Viewer) -> Within | None:
    """The part of the street of which he is a coordinator, with its groups; None for all of it."""
    if asking.led is None:
        return None
    organisation = asking.organisation
    met = [(id, organisation.group(id, topic)) for id, topic in rooms.names(session)]
    named = [(group.id, group) for group in organisation.groups if group.id]
    ids = {id for id, group in [*met, *named] if sight.sees_group(organisation, asking.led, group)}
    return Within(asking.led, frozenset(ids))


class NotForYou(web.HTTPForbidden):
    """您的身份看不了这一页。"""
