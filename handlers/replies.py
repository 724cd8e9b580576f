"""Writing into the outbox. A handler never sends: what is written here is sent after the commit.

What is said in a group keeps telephone numbers, ID numbers and full addresses only where the people of that
very group told them: of one reporter's words another group hears the matter and the building, not the flat
(masking.mask_for_others). The same holds for a person in private, but for those who have to act: the staff,
and who has the ticket in hand. Digests, lists and other texts of no ticket are masked in every group.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from handlers.context import Context
from handlers.incoming import Incoming
from handlers.masking import mask_for_others
from handlers.organisation import Group, GroupKind, Person, Role
from storage import messages, rooms, tickets
from storage.erasing import GONE
from storage.tables import Reply, Room, Ticket


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said: a room, or a person in private."""

    account: str
    room: str
    person: str = ""

    @property
    def key(self) -> str:
        """How the place stands in a reply's key."""
        return self.room or f"@{self.person}"

    @property
    def where(self) -> tuple[str, str]:
        return self.room, self.person


def place_of(incoming: Incoming) -> Place:
    """Where an answer to the message belongs."""
    person = incoming.sender if incoming.is_private else ""
    return Place(incoming.account, incoming.room, person)


def say(
    ctx: Context,
    place: Place,
    text: str,
    *,
    key: str,
    ticket: Ticket | None = None,
    message_id: int | None = None,
    mentions: Iterable[Person] = (),
    urgency: int = 1,
    internal: bool = False,
    picture: str | None = None,
) -> None:
    """Puts one message into the outbox. `key` is unique: what has been said is not said twice.

    A group that is to be left in peace hears it when that time is over, unless it is about danger or belongs
    to a command that was given there.
    picture: goes along, see handlers/figures/cards.py.
    internal: a paper for those who take the matter over; it is not masked.
    """
    if not internal:
        text = _fit_for(ctx, place, text, ticket, message_id)
    ctx.session.add(
        Reply(
            key=f"{key}:{place.key}",
            account=place.account,
            room=place.room,
            person=place.person,
            text=text,
            mentions=[{"id": person.id, "name": person.name} for person in mentions],
            picture=picture,
            urgency=urgency,
            ticket_id=ticket.id if ticket else None,
            message_id=message_id or None,
            created_at=ctx.now,
            due_at=_when(ctx, place, max(urgency, ticket.urgency if ticket else 0)),
        )
    )


def _when(ctx: Context, place: Place, urgency: int) -> datetime:
    if not place.room or urgency >= 3 or ctx.commanded == (place.account, place.room):
        return ctx.now
    until = rooms.silent_until(ctx.session, place.account, place.room)
    return max(ctx.now, until) if until else ctx.now


_STAFF = (Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR, Role.UNIT)


def _fit_for(ctx: Context, place: Place, text: str, ticket: Ticket | None, message_id: int | None) -> str:
    """The text with what was told elsewhere masked, as the module's first lines say."""
    street = ctx.organisation.street_code
    masked = mask_for_others(text, street=street)
    if masked == text or _has_to_act(ctx, place, ticket):
        return text
    said = messages.said_in(
        ctx.session,
        account=place.account,
        room=place.room,
        person=place.person,
        ticket_id=ticket.id if ticket else None,
        message_id=message_id,
    )
    return mask_for_others(text, said, street=street)


def _has_to_act(ctx: Context, place: Place, ticket: Ticket | None) -> bool:
    """Somebody in private whose work it is."""
    if place.room:
        return False
    person = ctx.organisation.person(place.person)
    in_hand = ticket is not None and place.person in {ticket.owner, ticket.handler}
    return in_hand or (person is not None and person.has(*_STAFF))


def answer(
    ctx: Context,
    incoming: Incoming,
    text: str,
    *,
    ticket: Ticket | None = None,
    key: str = "answer",
    picture: str | None = None,
) -> None:
    """Answers where the message was said."""
    say(
        ctx,
        place_of(incoming),
        text,
        key=f"m{incoming.row_id}:{key}",
        ticket=ticket,
        message_id=incoming.row_id,
        picture=picture,
    )


def reporting_places(ctx: Context, ticket: Ticket) -> list[Place]:
    """Every group, and every person in private, who reported the ticket; the first report's first.

    Who was erased since is told nothing.
    """
    assert ticket.id is not None
    places = [
        Place(report.account, report.room, "" if report.room else report.reporter)
        for report in tickets.reports(ctx.session, ticket.id)
        if report.room or not report.reporter.startswith(GONE)
    ]
    return list(dict.fromkeys(places))


def group_name(ctx: Context, ticket: Ticket) -> str:
    """What the group where it was first reported is called."""
    if not ticket.room:
        return ctx.texts("report.private")
    room = ctx.session.get(Room, (ticket.account, ticket.room))
    topic = room.topic if room else ""
    return ctx.organisation.group(ticket.room, topic).topic or topic or ctx.texts("report.some_group")


def room_of(ctx: Context, account: str, group: Group) -> str | None:
    """The room id of a group of the organisation, None while the bot has not met it."""
    return group.id or rooms.by_topic(ctx.session, account, group.topic)


def command_places(ctx: Context, account: str, area: str) -> list[Place]:
    """The coordinators' groups of the area and of those above it, nearest first."""
    found = ctx.organisation.groups_of(GroupKind.COORDINATORS, area)
    ids = [room_of(ctx, account, group) for group in found]
    return [Place(account, room) for room in dict.fromkeys(ids) if room]
