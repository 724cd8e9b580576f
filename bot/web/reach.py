"""Whose eyes a page is for: what is listed and exported is narrowed here, and only here."""

from aiohttp import web

from handlers.permissions import Actor
from handlers.reviews import BOARD
from storage.tables import Export


def reader(request: web.Request) -> Actor:
    """Who asks. Whoever is signed in is the board: sessions know no persons yet."""
    return BOARD


def areas(request: web.Request) -> tuple[str, ...] | None:
    """The codes of the areas the reader may see, those below named too; None for the whole street."""
    return None


def own_areas(request: web.Request) -> tuple[str, ...]:
    """The areas of which the reader is staff: there residents are shown by name, elsewhere masked."""
    return ()


def sees(request: web.Request, export: Export) -> bool:
    """Whether the reader may see that file, cancel it, have it."""
    return True
