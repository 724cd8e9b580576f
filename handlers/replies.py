"""Writing into the outbox. A handler never sends: what is written here is sent after the commit."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.context import Context
from handlers.incoming import Incoming
from handlers.organisation import Group, GroupKind, Person
from storage import rooms, tickets
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
) -> None:
    """Puts one message into the outbox. `key` is unique: what has been said is not said twice."""
    ctx.session.add(
        Reply(
            key=f"{key}:{place.key}",
            account=place.account,
            room=place.room,
            person=place.person,
            text=text,
            mentions=[{"id": person.id, "name": person.name} for person in mentions],
            urgency=urgency,
            ticket_id=ticket.id if ticket else None,
            message_id=message_id or None,
            created_at=ctx.now,
            due_at=ctx.now,
        )
    )


def answer(
    ctx: Context, incoming: Incoming, text: str, *, ticket: Ticket | None = None, key: str = "answer"
) -> None:
    """Answers where the message was said."""
    say(
        ctx,
        place_of(incoming),
        text,
        key=f"m{incoming.row_id}:{key}",
        ticket=ticket,
        message_id=incoming.row_id,
    )


def reporting_places(ctx: Context, ticket: Ticket) -> list[Place]:
    """Every group, and every person in private, who reported the ticket; the first report's first."""
    assert ticket.id is not None
    places = [
        Place(report.account, report.room, "" if report.room else report.reporter)
        for report in tickets.reports(ctx.session, ticket.id)
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
