"""Tickets and places as the figures list them: without flats, numbers and names of residents."""

from collections.abc import Iterable
from dataclasses import replace

from handlers import discretion
from handlers.context import Context
from handlers.figures.model import Line, PlaceCount
from handlers.lists import place_of
from handlers.wording import shorten
from storage.figures import Stood

_LONGEST = 60  # characters of what is told of a matter


def line_of(ctx: Context, stood: Stood) -> Line:
    owner = ctx.organisation.person(stood.owner or "")
    return Line(
        number=stood.number,
        label=stood.label,
        urgency=stood.urgency,
        state=stood.state,
        area=stood.area,
        place=discretion.told(ctx, stood.place),
        summary=shorten(discretion.told(ctx, stood.summary), _LONGEST),
        owner=owner.name if owner else "",
        opened=stood.opened_at,
        deadline=stood.deadline_at,
    )


def places_of(ctx: Context, opened: Iterable[Stood], most: int) -> tuple[PlaceCount, ...]:
    """Where most was reported; what names no place is nowhere."""
    found: dict[tuple[str, str], PlaceCount] = {}
    for stood in opened:
        place = place_of(ctx, stood.place, stood.summary)
        if not place:
            continue
        key = (stood.area, place)
        seen = found.get(key) or PlaceCount(place, stood.area, 0)
        found[key] = replace(seen, matters=seen.matters + 1, recurring=seen.recurring or stood.recurring)
    ranked = sorted(found.values(), key=lambda one: (-one.matters, not one.recurring, one.place, one.area))
    return tuple(ranked[:most])
