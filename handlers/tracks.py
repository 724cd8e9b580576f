"""Two tracks: a small matter is accepted, reported up and solved; a large one is watched, checked, fed back.

Which is which stands in the settings as a table (`track_rules.py`). It is looked at when a ticket is opened
and whenever it gets worse; by itself a matter only grows. A grid owner or coordinator decides otherwise by
大事 and 小事, and then the table is not asked again, unless the matter becomes more urgent than it was then.

Nobody ends alone a large matter that he has in hand: who says that it is done, or was a false alarm, is
checked by another; who reported it may withdraw it, coordinators may call it a false alarm, and merged it
goes on as the other ticket, which is then large too. Of 小事 those who watched it hear; danger is made small
only by somebody who does not have it in hand, or by a coordinator.
"""

from collections.abc import Mapping
from typing import Any

from handlers.context import Context
from handlers.gazetteer import canonical
from handlers.organisation import GroupKind, Level, Person, RiskPoint, Role
from handlers.permissions import Actor, as_actor, is_handler, of_its_level
from handlers.replies import Place, command_places, group_name, reporting_places, say
from handlers.track_rules import Matter, Track, decide
from handlers.wording import at, facts
from storage import tickets as store
from storage.tables import Room, Ticket, TicketEvent

# By these a person has decided on the track.
DECIDED = frozenset({"lift", "lower"})
_WATCHED = frozenset({"urgency", "label", "place"})


def settle(ctx: Context, ticket: Ticket) -> None:
    """Risk point and track of a ticket that is being opened."""
    point = risk_point(ctx, ticket.area, f"{ticket.place}\n{ticket.summary}")
    ticket.risk_point = point.code if point else None
    ticket.track = decide(ctx.rules.tracks, Matter(ticket.label, ticket.urgency, kind_of(ctx, ticket), point))


def grown(ctx: Context, ticket: Ticket, changes: Mapping[str, Any], note: str = "") -> dict[str, Any]:
    """What else changes with these columns: the risk point that is now known, and the track, upwards only."""
    if not note and not _WATCHED & changes.keys():
        return {}
    text = f"{changes.get('place', ticket.place)}\n{ticket.summary}\n{note}"
    known = ctx.organisation.risk_points.get(ticket.risk_point or "")
    point = known or risk_point(ctx, ticket.area, text)
    more: dict[str, Any] = {} if point is known or point is None else {"risk_point": point.code}
    if ticket.track == Track.LARGE or "track" in changes:
        return more
    label, urgency = changes.get("label", ticket.label), changes.get("urgency", ticket.urgency)
    track = decide(ctx.rules.tracks, Matter(label, urgency, kind_of(ctx, ticket), point))
    stays = urgency <= ticket.urgency and _decided(ctx, ticket)
    return more | ({"track": track} if track is Track.LARGE and not stays else {})


def _decided(ctx: Context, ticket: Ticket) -> bool:
    """Whether a person did, and did not take it back."""
    events = store.events(ctx.session, ticket.id)
    gone = {id for event in events for id in event.data.get("undone", ())}
    return any(event.action in DECIDED and event.id not in gone for event in events)


def kind_of(ctx: Context, ticket: Ticket) -> GroupKind | None:
    """The kind of the group where it was first reported; None in private."""
    if not ticket.room:
        return None
    room = ctx.session.get(Room, (ticket.account, ticket.room))
    return ctx.organisation.group(ticket.room, room.topic if room else "").kind


def risk_point(ctx: Context, area: str, text: str) -> RiskPoint | None:
    """The mapped risk point that the text names, in the area or one above or below it; the longest name."""
    organisation, written = ctx.organisation, canonical(text)
    named = [
        (len(name), point)
        for point in organisation.risk_points.values()
        if organisation.within(point.area, area) or organisation.within(area, point.area or organisation.root)
        for name in (point.name, *point.aliases)
        if len(name) > 1 and canonical(name) in written
    ]
    return max(named, key=lambda pair: pair[0])[1] if named else None


def checkers(ctx: Context, ticket: Ticket, doer: Actor) -> list[Person]:
    """Who may check what `doer` did: who answers for it first, then coordinators, then other owners.

    A large matter is looked at where it has come to: not by who answers for a level below.
    """
    staff = ctx.organisation.staff
    able = [*staff(ticket.area, Role.COORDINATOR), *staff(ticket.area, Role.GRID_OWNER)]
    others = {
        person.id: person
        for person in able
        if person.id != doer.id and of_its_level(ctx.organisation, as_actor(person), ticket)
    }
    return sorted(others.values(), key=lambda person: person.id != ticket.owner)


def needs_check(ctx: Context, ticket: Ticket, actor: Actor) -> bool:
    """Whether on the large track another has to look at what `actor` says is done.

    He did it himself: who has it in hand did it; else who accepted it; else whoever says that it is done. Or
    it has gone up to others than him.
    """
    if ticket.track != Track.LARGE:
        return False
    if not of_its_level(ctx.organisation, actor, ticket):
        return True
    if ticket.handler:
        return is_handler(actor, ticket)
    return ticket.accepted_at is None or ticket.owner == actor.id


def became_large(event: TicketEvent) -> bool:
    """Whether by this event the matter grew into a large one."""
    return Track.LARGE in event.data.get("changed", {}).get("track", [])[1:]


def watchers(ctx: Context, ticket: Ticket) -> list[Place]:
    """The coordinators' group that watches a large matter: the level's own, else the nearest above."""
    area = ctx.organisation.area_at(ticket.area, Level(ticket.level))
    return command_places(ctx, ticket.account, area.code if area else ticket.area)[:1]


def tell_watchers(ctx: Context, ticket: Ticket, key: str, *, message_id: int = 0) -> None:
    """关注: the coordinators' group hears of a large matter, where it did not report it itself."""
    told = reporting_places(ctx, ticket)
    owner = ctx.organisation.person(ticket.owner or "")
    point = ctx.organisation.risk_points.get(ticket.risk_point or "")
    values = facts(ctx, ticket) | {
        "owner": at(owner, ctx.texts("report.nobody")),
        "group": group_name(ctx, ticket),
        "point": ctx.texts("names.at_point", point=point.name) if point else "",
    }
    for place in watchers(ctx, ticket):
        if place not in told:
            say(
                ctx,
                place,
                ctx.texts("event.watch", **values),
                key=f"{key}:watch",
                ticket=ticket,
                message_id=message_id,
                mentions=[owner] if owner else [],
                urgency=2,
            )
