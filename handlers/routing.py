"""Where a report belongs, whoever hears it: the area of the place that it names, else its group's."""

from handlers.context import Context
from handlers.incoming import Incoming
from handlers.organisation import GroupKind, Role
from handlers.replies import Place, place_of, room_of
from storage.tables import Ticket

_OVERSIGHT = {GroupKind.COORDINATORS, GroupKind.UNITS}


def area_of(ctx: Context, incoming: Incoming) -> str:
    """The area of the named place; where none is named, or several, that of the group.

    A place of a wider area than the group's (a whole community) says nothing that the group does not.
    """
    organisation, heard_in = ctx.organisation, group_area(ctx, incoming)
    named = {entry.area for entry in organisation.places.find(incoming.text) if entry.area}
    if len(named) != 1:
        return heard_in
    (area,) = named
    return heard_in if organisation.within(heard_in, area) else area


def group_area(ctx: Context, incoming: Incoming) -> str:
    """The area of the group; in private the sender's own, else the street."""
    if incoming.is_private:
        person = ctx.organisation.person(incoming.sender)
        return (person.area if person else "") or ctx.organisation.root
    return ctx.organisation.group(incoming.room, incoming.room_topic).area or ctx.organisation.root


def owner_hears(ctx: Context, ticket: Ticket, incoming: Incoming) -> bool:
    """Whether a grid owner who answers for it reads along where it was reported."""
    owner = ctx.organisation.person(ticket.owner or "")
    if incoming.is_private or owner is None or not owner.has(Role.GRID_OWNER):
        return False
    return ctx.organisation.within(group_area(ctx, incoming), owner.area or ctx.organisation.root)


def home(ctx: Context, ticket: Ticket, incoming: Incoming) -> list[Place]:
    """The groups of the ticket's own area, where it was reported elsewhere: its people should know.

    None for what is routine: they are left in peace.
    """
    if ticket.urgency < 2 or ctx.organisation.within(group_area(ctx, incoming), ticket.area):
        return []
    groups = [g for g in ctx.organisation.groups if g.area == ticket.area and g.kind not in _OVERSIGHT]
    rooms = [room for group in groups if (room := room_of(ctx, ticket.account, group))]
    return [p for room in rooms if (p := Place(ticket.account, room)) != place_of(incoming)]
