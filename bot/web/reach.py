"""Whose eyes a list or a file is for: what is listed and exported is narrowed here, and only here."""

from aiohttp import web

from bot.web.access import Viewer, viewer_of
from handlers.lists import Asked
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
    """The areas of which the reader is staff: there residents are shown by name, elsewhere masked."""
    asking = viewer_of(request)
    if asking.is_operator:  # keeps the machine going, is no staff of any area
        return ()
    codes = asking.organisation.areas if asking.areas is None else asking.areas
    return tuple(sorted(codes))


def sees(request: web.Request, export: Export) -> bool:
    """Whether the reader may see that file, cancel it, have it: his own, as far as his areas still go."""
    asking = viewer_of(request)
    return export.made_by == asking.actor.id and _within(asking, Asked.of_json(export.asked))


def _within(asking: Viewer, asked: Asked) -> bool:
    """Whether all that was asked for then is his to see now."""
    if asking.areas is None:
        return True
    wanted = asked.within
    return wanted is not None and {*wanted, *asked.plain} <= asking.areas
