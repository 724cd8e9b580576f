"""Which unit is named, and 派单 or 改派 of what units have in hand together: another one leads."""

from handlers import joint, joint_telling
from handlers.commands.change import already
from handlers.commands.registry import Call
from handlers.context import Context
from handlers.joint import names
from handlers.organisation import Role, Unit
from handlers.replies import answer, place_of
from handlers.wording import facts
from storage.tables import Ticket


def unit_of(ctx: Context, word: str, area: str) -> Unit | None:
    """By the unit's name, alias or code, or by the name of somebody who speaks for it."""
    if unit := ctx.organisation.unit_named(word, area):
        return unit
    for person in ctx.organisation.people.values():
        if person.name == word and person.has(Role.UNIT):
            return next(iter(ctx.organisation.units_of(person)), None)
    return None


def only_units(ctx: Context, call: Call, ticket: Ticket) -> Ticket:
    """What several units have in hand together goes to nobody else before they are excused."""
    values = facts(ctx, ticket) | {"names": names(joint.missing(ctx, ticket)), "command": call.command.name}
    text = ctx.texts("joint.only_units", **values)
    answer(ctx, call.incoming, text, ticket=ticket)
    return ticket


def new_lead(ctx: Context, call: Call, ticket: Ticket, word: str, action: str) -> Ticket:
    """派单 and 改派 of a joint dispatch: another unit leads, and who led need not come."""
    unit = unit_of(ctx, word, ticket.area)
    if unit is None:
        return only_units(ctx, call, ticket)
    changed = joint.change_lead(ctx, ticket, unit, action, call.actor, call.incoming.row_id)
    if changed is None:
        return already(ctx, call, ticket)
    joint_telling.tell_lead(ctx, ticket, changed, place_of(call.incoming))
    return ticket
