"""反复办: the same place and label again and again, so that mending it once more is not enough.

Looked at when a ticket is opened and whenever its place or label becomes another. What was no matter of its
own (merged, a false alarm, taken back) does not count.
"""

from datetime import timedelta

from handlers import ladder, tickets
from handlers.context import Context
from handlers.gazetteer import Relation, spot
from handlers.organisation import Level, Person
from handlers.permissions import BOT
from handlers.replies import Place, command_places, say
from handlers.wording import at, facts
from storage import tickets as store
from storage.tables import Ticket


def look(ctx: Context, ticket: Ticket, message_id: int = 0) -> None:
    """Flags the ticket where it is one of too many; told once, by the first that is."""
    rule = ctx.rules.recurring
    if not rule.times or ticket.recurring:
        return
    others = earlier(ctx, ticket)
    if len(others) + 1 < rule.times:
        return
    numbers = "、".join(other.number for other in others[-rule.times + 1 :])
    tickets.act(ctx, ticket, "recur", BOT, note=numbers, message_id=message_id, changes={"recurring": True})
    if not any(other.recurring for other in others):
        _tell(ctx, ticket, len(others) + 1, numbers, message_id)


def earlier(ctx: Context, ticket: Ticket) -> list[Ticket]:
    """The tickets of the same place and label before it, within the days of the rule, the oldest first."""
    where = spot(ctx.organisation.places, ticket.summary, ticket.place)
    if not (where.is_named or ticket.risk_point):
        return []
    found = store.alike_since(
        ctx.session, ticket, ticket.opened_at - timedelta(days=ctx.rules.recurring.days)
    )
    return [
        other
        for other in found
        if (ticket.risk_point and other.risk_point == ticket.risk_point)
        or where.relation(spot(ctx.organisation.places, other.summary, other.place)) is Relation.SAME
    ]


def _tell(ctx: Context, ticket: Ticket, times: int, numbers: str, message_id: int) -> None:
    """The grid owner in private and the community's group, or who answers there."""
    owner = tickets.owner_of(ctx, ticket.area)
    above = ladder.answers(ctx, ticket, Level.COMMUNITY)
    area = ctx.organisation.area_at(ticket.area, Level.COMMUNITY)
    groups = command_places(ctx, ticket.account, area.code)[:1] if area else []
    people: list[Person] = [owner] if owner else []
    if above is not None and not groups and above not in people:
        people.append(above)
    values = facts(ctx, ticket) | {
        "times": f"{times}",
        "days": f"{ctx.rules.recurring.days}",
        "numbers": numbers,
        "owner": at(owner, ctx.texts("report.nobody")),
    }
    for place in [*(Place(ticket.account, "", person.id) for person in people), *groups]:
        say(
            ctx,
            place,
            ctx.texts("report.recurring", **values),
            key=f"t{ticket.id}:recurring",
            ticket=ticket,
            message_id=message_id or None,
            mentions=[owner] if owner else [],
            urgency=2,
        )
