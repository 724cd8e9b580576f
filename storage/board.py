"""What the pages show: read only, a constant number of queries a page, paged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, and_, case, func, or_, true
from sqlmodel import Session, col, select

from storage.figures import open_now, overdue_now
from storage.tables import (
    Attachment,
    GatewayGap,
    Message,
    Reply,
    ReplyState,
    Room,
    Ticket,
    TicketEvent,
    TicketReport,
    TicketUnit,
)
from storage.tickets import newest

UNSENT = (ReplyState.FAILED, ReplyState.SENDING, ReplyState.WAITING)
CLOSED, EXPLAINED = "closed", "explained"
# A ticket's page shows at most this many rows of each kind: a disaster may bring hundreds of reports.
MOST = 300
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of `total`; `number` counts from 1."""

    rows: Sequence[Row]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tickets. `areas`: None is everywhere.

    seen: the areas that who asks may see, None for all; besides those what one of `hands` was given to do.
    `state`: one state, "open" (all but closed), "explained" (closed without being solved) or "all".
    """

    state: str = "open"
    label: str = ""
    areas: frozenset[str] | None = None
    seen: frozenset[str] | None = None
    hands: frozenset[str] = frozenset()
    urgency: int | None = None
    account: str = ""
    room: str = ""
    overdue: bool = False
    recurring: bool = False
    start: datetime | None = None  # opened in [start, end)
    end: datetime | None = None
    words: tuple[tuple[str, ...], ...] = ()  # of each, one of its forms is said of the ticket
    matters: bool = False  # without what was merged into another


@dataclass(frozen=True, slots=True)
class Within:
    """A part of the street: its areas, and the ids of the groups that are bound to them."""

    areas: frozenset[str]
    rooms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Board:
    tickets: Page[Ticket]
    by_state: Mapping[str, int]  # of the same filter, but in whatever state
    explained: int  # of them closed without being solved
    topics: Mapping[tuple[str, str], str]  # names of the groups, by account and room


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one ticket."""

    ticket: Ticket
    messages: Sequence[Message]
    reports: Sequence[TicketReport]
    events: Sequence[TicketEvent]
    replies: Sequence[Reply]
    pictures: Sequence[Attachment]
    units: Sequence[TicketUnit]
    topics: Mapping[tuple[str, str], str]


def board(session: Session, wanted: Filter, now: datetime, *, number: int, size: int) -> Board:
    """Four queries, however many tickets there are."""
    conditions = _conditions(wanted, now)
    unsolved = case((col(Ticket.resolution) == EXPLAINED, 1), else_=0)
    counted = select(Ticket.state, func.count(), func.sum(unsolved)).where(*conditions)
    rows_by_state = session.exec(counted.group_by(col(Ticket.state))).all()
    counts = {state: count for state, count, _ in rows_by_state}
    explained = sum(count for state, _, count in rows_by_state if state == CLOSED)
    if wanted.state == "all":
        total = sum(counts.values())
    elif wanted.state == "open":
        total = sum(count for state, count in counts.items() if state != CLOSED)
        conditions.append(open_now())
    elif wanted.state == EXPLAINED:
        total = explained
        conditions += [col(Ticket.state) == CLOSED, col(Ticket.resolution) == EXPLAINED]
    else:
        total = counts.get(wanted.state, 0)
        conditions.append(col(Ticket.state) == wanted.state)
    rows = session.exec(
        select(Ticket).where(*conditions).order_by(*_order()).offset((number - 1) * size).limit(size)
    ).all()
    topics = topics_of(session, {(ticket.account, ticket.room) for ticket in rows})
    return Board(Page(rows, number, size, total), counts, explained, topics)


def _order() -> tuple[ColumnElement[object], ...]:
    """Open before closed; danger first, then what is due first; of the closed the latest first."""
    closed = case((col(Ticket.state) == CLOSED, 1), else_=0)
    urgency = case((col(Ticket.state) == CLOSED, 0), else_=col(Ticket.urgency))
    undated = case((col(Ticket.deadline_at).is_(None), 1), else_=0)
    deadline = case((col(Ticket.state) == CLOSED, None), else_=col(Ticket.deadline_at))
    ordered: list[ColumnElement[object]] = [closed, urgency.desc(), undated, deadline, col(Ticket.id).desc()]  # type: ignore[list-item]
    return tuple(ordered)


def _conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """Everything but the state, so that the counts of the other states can be shown beside."""
    found: list[ColumnElement[bool]] = []
    if wanted.label:
        found.append(col(Ticket.label) == wanted.label)
    if wanted.areas is not None:
        found.append(col(Ticket.area).in_(sorted(wanted.areas)))
    if wanted.seen is not None:
        found.append(
            or_(col(Ticket.area).in_(sorted(wanted.seen)), col(Ticket.handler).in_(sorted(wanted.hands)))
        )
    if wanted.urgency is not None:
        found.append(col(Ticket.urgency) == wanted.urgency)
    if wanted.room:
        told = select(TicketReport.ticket_id).where(
            col(TicketReport.account) == wanted.account, col(TicketReport.room) == wanted.room
        )
        found.append(col(Ticket.id).in_(told))
    if wanted.recurring:
        found.append(col(Ticket.recurring).is_(True))
    if wanted.overdue:
        found += overdue_now(now)
    return found + _asked(wanted)


def _asked(wanted: Filter) -> list[ColumnElement[bool]]:
    """When it was opened, and what is said of it."""
    found: list[ColumnElement[bool]] = []
    if wanted.start is not None:
        found.append(col(Ticket.opened_at) >= wanted.start)
    if wanted.end is not None:
        found.append(col(Ticket.opened_at) < wanted.end)
    if wanted.matters:
        found.append(func.coalesce(col(Ticket.resolution), "") != "duplicate")
    said = (col(Ticket.summary), col(Ticket.place), col(Ticket.number))
    for forms in wanted.words:
        found.append(or_(*(column.icontains(form, autoescape=True) for form in forms for column in said)))
    return found


def story(session: Session, number: str) -> Story | None:
    """Eight queries; None where there is no such ticket. Of several years' the newest."""
    ticket = newest(session, number)
    if ticket is None:
        return None
    messages = session.exec(
        select(Message).where(col(Message.ticket_id) == ticket.id).order_by(col(Message.id)).limit(MOST)
    ).all()
    reports = session.exec(
        select(TicketReport)
        .where(col(TicketReport.ticket_id) == ticket.id)
        .order_by(col(TicketReport.id))
        .limit(MOST)
    ).all()
    events = session.exec(
        select(TicketEvent)
        .where(col(TicketEvent.ticket_id) == ticket.id)
        .order_by(col(TicketEvent.id))
        .limit(MOST)
    ).all()
    replies = session.exec(
        select(Reply).where(col(Reply.ticket_id) == ticket.id).order_by(col(Reply.id)).limit(MOST)
    ).all()
    pictures = session.exec(
        select(Attachment).where(col(Attachment.ticket_id) == ticket.id).order_by(col(Attachment.message_id))
    ).all()
    units = session.exec(
        select(TicketUnit)
        .where(col(TicketUnit.ticket_id) == ticket.id)
        .order_by(col(TicketUnit.lead).desc(), col(TicketUnit.id))
    ).all()
    rooms = {(ticket.account, ticket.room), *((row.account, row.room) for row in messages)}
    rooms |= {(row.account, row.room) for row in reports} | {(row.account, row.room) for row in replies}
    return Story(ticket, messages, reports, events, replies, pictures, units, topics_of(session, rooms))


def topics_of(session: Session, rooms: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of these groups, by account and id; a group never seen is missing."""
    ids = {room for _, room in rooms if room}
    if not ids:
        return {}
    rows = session.exec(select(Room).where(col(Room.id).in_(sorted(ids)))).all()
    return {(row.account, row.id): row.topic for row in rows}


def picture(session: Session, ticket_number: str, message_id: int) -> Attachment | None:
    """A picture of that ticket, not of any other, also not of the same number's in another year."""
    ticket = newest(session, ticket_number)
    found = session.get(Attachment, message_id)
    return found if ticket is not None and found is not None and found.ticket_id == ticket.id else None


def rooms(session: Session, limit: int = 1000) -> Sequence[Room]:
    """Groups the bot has seen, those it is in first, then the liveliest first."""
    silent = case((col(Room.last_message_at).is_(None), 1), else_=0)
    return session.exec(
        select(Room)
        .order_by(col(Room.present).desc(), silent, col(Room.last_message_at).desc(), col(Room.id))
        .limit(limit)
    ).all()


def gaps(session: Session, limit: int) -> Sequence[GatewayGap]:
    """When nobody listened, the latest first."""
    return session.exec(select(GatewayGap).order_by(col(GatewayGap.id).desc()).limit(limit)).all()


def unsent(
    session: Session, *, number: int, size: int, within: Within | None = None
) -> tuple[Page[Reply], Mapping[int, str]]:
    """Replies that were not said, given up ones first, and the numbers of their tickets by id."""
    wanted = and_(col(Reply.state).in_(UNSENT), _reply_within(within))
    total = session.exec(select(func.count()).select_from(Reply).where(wanted)).one()
    given_up_first = case((col(Reply.state) == ReplyState.FAILED, 0), else_=1)
    rows = session.exec(
        select(Reply)
        .where(wanted)
        .order_by(given_up_first, col(Reply.id))
        .offset((number - 1) * size)
        .limit(size)
    ).all()
    ids = {row.ticket_id for row in rows if row.ticket_id is not None}
    numbers = session.exec(select(Ticket.id, Ticket.number).where(col(Ticket.id).in_(ids))).all()
    return Page(rows, number, size, total), {id: number for id, number in numbers if id is not None}


def _reply_within(within: Within | None) -> ColumnElement[bool]:
    if within is None:
        return true()
    theirs = select(Ticket.id).where(col(Ticket.area).in_(sorted(within.areas)))
    return or_(col(Reply.room).in_(sorted(within.rooms)), col(Reply.ticket_id).in_(theirs))


def unsent_within(session: Session, reply_id: int, within: Within | None) -> bool:
    """Whether the reply is one of theirs, said or not."""
    statement = select(Reply.id).where(col(Reply.id) == reply_id, _reply_within(within))
    return session.exec(statement).first() is not None


def count_unsent(session: Session) -> dict[str, int]:
    """How many replies wait, are being said, were given up."""
    rows = session.exec(
        select(Reply.state, func.count()).where(col(Reply.state).in_(UNSENT)).group_by(col(Reply.state))
    ).all()
    found = dict(rows)
    return {str(state): found.get(state, 0) for state in UNSENT}
