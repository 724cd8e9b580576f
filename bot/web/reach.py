"""Whose eyes a list or a file is for: what is listed and exported is narrowed here, and only here."""

from aiohttp import web

from bot.web.access import viewer_of
from handlers.lists import Asked
from handlers.organisation import Role
from handlers.permissions import Actor
from storage.tables import Export


def reader(request: web.Request) -> Actor:
    """Who asks."""
    return viewer_of(request).actor


def areas(request: web.Request) -> tuple[str, ...] | None:
    """The codes of the areas the reader may see, those below named too; None for the whole street."""
    asking = viewer_of(request)
    return None if asking.areas is None else tuple(sorted(asking.areas))


def own_areas(request: web.Request) -> tuple[str, ...]:
    """The areas whose grid workers and owners he is one of: there residents are shown as they are.

    Elsewhere they are masked, for coordinators everywhere: a file with half the street's telephone numbers is
    nobody's need.
    """
    asking = viewer_of(request)
    organisation = asking.organisation
    grids = {post.area for post in asking.actor.posts if post.role in (Role.GRID_WORKER, Role.GRID_OWNER)}
    below = (organisation.all_within(code) for code in grids - {"", organisation.root})
    return tuple(sorted(frozenset().union(*below)))


def sees(request: web.Request, export: Export) -> bool:
    """Whether the reader may see that file, cancel it, have it: his own, as far as his areas still go."""
    asking = viewer_of(request)
    return export.made_by == asking.actor.id and _within(request, Asked.of_json(export.asked))


def _within(request: web.Request, asked: Asked) -> bool:
    """Whether all that was asked for then is his to see now."""
    if not set(asked.plain) <= set(own_areas(request)):
        return False
    seen = viewer_of(request).areas
    return seen is None or (asked.within is not None and set(asked.within) <= seen)
