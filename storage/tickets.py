"""Queries and writes of tickets, their reports and events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, bindparam, case, false, func, or_, select, update
from sqlmodel import Session, col

from storage.messages import latest_of_sender
from storage.tables import (
    Attachment,
    AttachmentState,
    Message,
    Reply,
    Ticket,
    TicketCounter,
    TicketEvent,
    TicketReport,
    TicketUnit,
)
from storage.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be spoken of: told in the room, lying in the areas, told or handled by the person or units."""

    account: str
    room: str = ""
    areas: tuple[str, ...] = ()
    person: str = ""
    units: tuple[str, ...] = ()


def lock_street(session: Session, street: str, day: date) -> None:
    """Makes the opening of tickets in a street one after another, until the transaction ends.

    Without it two witnesses heard by two processes at once would each find no open ticket. SQLite has one
    writer at a time anyway.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    counter = insert_into(session, TicketCounter).values(street=street, day=day, last=0)
    session.execute(
        counter.on_conflict_do_update(
            index_elements=["street", "day"], set_={"last": col(TicketCounter.last) + 0}
        )
    )


def next_running(session: Session, street: str, day: date) -> int:
    """The next running number of the street's day; the row lock keeps two openings apart."""
    counter = insert_into(session, TicketCounter).values(street=street, day=day, last=1)
    statement = counter.on_conflict_do_update(
        index_elements=["street", "day"], set_={"last": col(TicketCounter.last) + 1}
    ).returning(col(TicketCounter.last))
    running: int = session.execute(statement).scalar_one()
    return running


def locked(session: Session, ticket_id: int) -> Ticket:
    """The ticket as it is now, locked against other changes until the transaction ends."""
    statement = select(Ticket).where(col(Ticket.id) == ticket_id).with_for_update()
    ticket: Ticket = session.execute(statement.execution_options(populate_existing=True)).scalar_one()
    return ticket


@dataclass(frozen=True, slots=True)
class Telling:
    """One report of an open ticket, as the linker reads it."""

    room: str
    reporter: str
    reporter_name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """What the linker weighs of an open ticket; `tellings` are its reports, the oldest first."""

    id: int
    label: str
    place: str
    summary: str
    area: str
    tellings: tuple[Telling, ...] = ()

    def last_told(self, room: str) -> datetime | None:
        """When it was last told in the room, None where it never was."""
        return max((telling.at for telling in self.tellings if telling.room == room), default=None)


# The statements of every report are built once: building costs as much as running them.
_REPORTED_HERE = (
    select(col(TicketReport.id))
    .where(
        col(TicketReport.ticket_id) == col(Ticket.id),
        col(TicketReport.account) == bindparam("account"),
        col(TicketReport.room) == bindparam("room"),
    )
    .exists()
)
_OPEN_MATTERS = (
    select(col(Ticket.id), col(Ticket.label), col(Ticket.place), col(Ticket.summary), col(Ticket.area))
    .where(
        col(Ticket.updated_at) >= bindparam("since"),
        col(Ticket.state) != "closed",
        col(Ticket.account) == bindparam("account"),
        or_(col(Ticket.area).in_(bindparam("areas", expanding=True)), _REPORTED_HERE),
    )
    .order_by(col(Ticket.id).desc())
    .limit(50)
)
_TELLINGS = (
    select(
        col(TicketReport.ticket_id),
        col(TicketReport.room),
        col(TicketReport.reporter),
        col(TicketReport.reporter_name),
        col(TicketReport.text),
        col(TicketReport.at),
    )
    .where(col(TicketReport.ticket_id).in_(bindparam("tickets", expanding=True)))
    .order_by(col(TicketReport.id).desc())
    .limit(500)
)


def open_matters(
    session: Session, *, account: str, room: str, areas: Sequence[str], since: datetime
) -> list[OpenMatter]:
    """Open tickets in the areas or reported in the room, touched since then, newest first."""
    asked = {"account": account, "room": room, "areas": list(areas), "since": since}
    rows = session.execute(_OPEN_MATTERS, asked).all()
    if not rows:
        return []
    tellings: dict[int, list[Telling]] = {row[0]: [] for row in rows}
    for ticket_id, *telling in session.execute(_TELLINGS, {"tickets": list(tellings)}):
        tellings[ticket_id].insert(0, Telling(*telling))
    return [replace(OpenMatter(*row), tellings=tuple(tellings[row[0]])) for row in rows]


def visible(
    session: Session,
    scope: Scope,
    *,
    number: str | None = None,
    running: int | None = None,
    only_open: bool = False,
    limit: int = 20,
) -> list[Ticket]:
    """Tickets that may be spoken of in the scope, open ones first, then the newest first."""
    statement = select(Ticket).where(_within(scope))
    if number is not None:
        statement = statement.where(col(Ticket.number) == number)
    if running is not None:
        statement = statement.where(col(Ticket.running) == running)
    if only_open:
        statement = statement.where(col(Ticket.state) != "closed")
    closed_last = case((col(Ticket.state) == "closed", 1), else_=0)
    statement = statement.order_by(closed_last, col(Ticket.id).desc()).limit(limit)
    return list(session.execute(statement).scalars())


def _within(scope: Scope) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = []
    if scope.room:
        told = select(col(TicketReport.ticket_id)).where(
            col(TicketReport.account) == scope.account, col(TicketReport.room) == scope.room
        )
        ways.append(col(Ticket.id).in_(told))
    if scope.areas:
        ways.append(col(Ticket.area).in_(scope.areas))
    if scope.person:
        own = select(col(TicketReport.ticket_id)).where(col(TicketReport.reporter) == scope.person)
        ways += [col(Ticket.id).in_(own), col(Ticket.handler) == scope.person]
    if scope.units:
        shared = select(col(TicketUnit.ticket_id)).where(col(TicketUnit.unit).in_(scope.units))
        ways += [col(Ticket.id).in_(shared), col(Ticket.handler).in_(scope.units)]
    return or_(*ways) if ways else false()


_NOT_OF_ITS_OWN = ("duplicate", "false_alarm", "withdrawn")


def alike_since(session: Session, ticket: Ticket, since: datetime, limit: int = 200) -> list[Ticket]:
    """Tickets of the same label and area opened from then until this one, the oldest first."""
    statement = select(Ticket).where(
        col(Ticket.opened_at) >= since,
        col(Ticket.opened_at) <= ticket.opened_at,
        col(Ticket.id) != ticket.id,
        col(Ticket.area) == ticket.area,
        col(Ticket.label) == ticket.label,
        or_(col(Ticket.resolution).is_(None), col(Ticket.resolution).not_in(_NOT_OF_ITS_OWN)),
    )
    found = session.execute(statement.order_by(col(Ticket.id).desc()).limit(limit)).scalars()
    return list(found)[::-1]


def newest(session: Session, number: str) -> Ticket | None:
    """The ticket of that number; as numbers repeat each year, the latest one."""
    statement = select(Ticket).where(col(Ticket.number) == number)
    return session.execute(
        statement.order_by(col(Ticket.day).desc(), col(Ticket.id).desc()).limit(1)
    ).scalar_one_or_none()


def reports(session: Session, ticket_id: int) -> list[TicketReport]:
    """Who reported it, first report first."""
    statement = select(TicketReport).where(col(TicketReport.ticket_id) == ticket_id)
    return list(session.execute(statement.order_by(col(TicketReport.id))).scalars())


def events(session: Session, ticket_id: int) -> list[TicketEvent]:
    statement = select(TicketEvent).where(col(TicketEvent.ticket_id) == ticket_id)
    return list(session.execute(statement.order_by(col(TicketEvent.id))).scalars())


def last_event_of(
    session: Session,
    actor: str,
    since: datetime,
    ticket_id: int | None = None,
    *,
    but: Collection[str] = (),
) -> TicketEvent | None:
    """What the person did last by a message, to the ticket or to any, other than these actions."""
    statement = select(TicketEvent).where(
        col(TicketEvent.actor) == actor,
        col(TicketEvent.at) >= since,
        col(TicketEvent.message_id).is_not(None),
        col(TicketEvent.action).not_in(but),
    )
    if ticket_id is not None:
        statement = statement.where(col(TicketEvent.ticket_id) == ticket_id)
    return session.execute(statement.order_by(col(TicketEvent.id).desc()).limit(1)).scalars().first()


def last_event_by(session: Session, ticket_id: int, message_id: int) -> TicketEvent | None:
    """The last thing that the message did to the ticket."""
    statement = select(TicketEvent).where(
        col(TicketEvent.ticket_id) == ticket_id, col(TicketEvent.message_id) == message_id
    )
    return session.execute(statement.order_by(col(TicketEvent.id).desc()).limit(1)).scalars().first()


def touched_by(session: Session, message_id: int) -> set[int]:
    """Ids of the tickets on which the message left an event."""
    statement = select(col(TicketEvent.ticket_id)).where(col(TicketEvent.message_id) == message_id)
    return set(session.execute(statement).scalars())


def of_quoted(session: Session, account: str, external_id: str) -> list[int]:
    """Ids of the tickets that a message of the bot's, or a report, spoke of."""
    said = select(col(Reply.ticket_id)).where(
        col(Reply.account) == account,
        col(Reply.external_id) == external_id,
        col(Reply.ticket_id).is_not(None),
    )
    reported = select(col(Message.ticket_id)).where(
        col(Message.account) == account,
        col(Message.external_id) == external_id,
        col(Message.ticket_id).is_not(None),
    )
    return sorted({row for row in session.execute(said.union(reported)).scalars() if row is not None})


def last_reported_by(
    session: Session, *, account: str, room: str, reporter: str, since: datetime
) -> TicketReport | None:
    """The latest report of this person in this group since then."""
    statement = (
        select(TicketReport)
        .where(
            col(TicketReport.account) == account,
            col(TicketReport.room) == room,
            col(TicketReport.reporter) == reporter,
            col(TicketReport.at) >= since,
        )
        .order_by(col(TicketReport.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


_TOLD_BY = (
    select(col(Ticket.id))
    .join(TicketReport, col(TicketReport.ticket_id) == col(Ticket.id))
    .where(
        col(TicketReport.account) == bindparam("account"),
        col(TicketReport.room) == bindparam("room"),
        or_(col(TicketReport.reporter) == bindparam("person"), col(Ticket.owner) == bindparam("person")),
        col(Ticket.state) != "closed",
        col(Ticket.updated_at) >= bindparam("since"),
    )
    .distinct()
    .limit(2)
)


def told_by(session: Session, *, account: str, room: str, person: str, since: datetime) -> list[int]:
    """Open tickets told in the room that the person reported or answers for: two at most."""
    asked = {"account": account, "room": room, "person": person, "since": since}
    return list(session.execute(_TOLD_BY, asked).scalars())


def due(session: Session, now: datetime, limit: int) -> list[Ticket]:
    """Tickets whose next look is due, longest due first; rows another process holds are passed over."""
    statement = (
        select(Ticket)
        .where(col(Ticket.due_at) <= now)
        .order_by(col(Ticket.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.execute(statement).scalars())


def of_person(session: Session, person: str, limit: int = 5) -> list[Ticket]:
    """Open tickets the person reported, owns or handles, newest first."""
    own = select(col(TicketReport.ticket_id)).where(col(TicketReport.reporter) == person)
    statement = select(Ticket).where(
        col(Ticket.state) != "closed",
        or_(col(Ticket.id).in_(own), col(Ticket.owner) == person, col(Ticket.handler) == person),
    )
    return list(session.execute(statement.order_by(col(Ticket.id).desc()).limit(limit)).scalars())


def attach_message(session: Session, message_id: int, ticket_id: int) -> None:
    session.execute(update(Message).where(col(Message.id) == message_id).values(ticket_id=ticket_id))


def want_picture(session: Session, message_id: int, ticket_id: int, now: datetime) -> None:
    """Asks for the picture of a message to be fetched and kept."""
    session.add(Attachment(message_id=message_id, ticket_id=ticket_id, due_at=now))


# The last messages only, which the index gives at once: a courier may have sent ten thousand.
_LATELY = latest_of_sender(30)
_PICTURES = (
    select(col(Message.id))
    .where(
        col(Message.id).in_(_LATELY),
        col(Message.kind) == "image",
        col(Message.received_at) >= bindparam("since"),
        col(Message.ticket_id).is_(None),
    )
    .order_by(col(Message.id))
)


def unattached_pictures(
    session: Session, *, account: str, room: str, sender: str, since: datetime
) -> list[int]:
    """Row ids of the person's recent pictures in this group that belong to no ticket yet."""
    asked = {"account": account, "room": room, "sender": sender, "since": since}
    return list(session.execute(_PICTURES, asked).scalars())


def count_reports(session: Session, ticket_id: int) -> int:
    """How many different people reported it."""
    statement = select(func.count(func.distinct(col(TicketReport.reporter)))).where(
        col(TicketReport.ticket_id) == ticket_id
    )
    count: int = session.execute(statement).scalar_one()
    return count


def count_pictures(session: Session, ticket_id: int) -> int:
    """How many pictures belong to it, fetched or still wanted."""
    statement = select(func.count()).where(
        col(Attachment.ticket_id) == ticket_id, col(Attachment.state) != AttachmentState.FAILED
    )
    count: int = session.execute(statement).scalar_one()
    return count
