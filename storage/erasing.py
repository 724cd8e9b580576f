"""Every row in which a person stands, found by walking all tables: a column added later is not forgotten.

What stands where is told by the columns' own names: `reporter_name` beside `reporter`, `taken_name` beside
`taken_by`. What to write instead is the caller's.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from storage.tables import (
    Duty,
    Erasure,
    Joining,
    JoiningMiss,
    Message,
    OrgPerson,
    OrgPost,
    Question,
    Reply,
    ReplyState,
    Review,
    ReviewState,
    SignIn,
    Ticket,
    TicketEvent,
    TicketReport,
    WebSession,
    metadata,
)

GONE: Final = "gone-"  # how the id of somebody begins who was erased
# The street's own names, numbers, hashes: nobody stands there but by chance. Sealed rows: see care.py.
OF_NOBODY: Final = frozenset(
    {
        *("org_area", "org_group", "org_unit", "org_risk_point", "org_version", "room", "care_record"),
        *("purge", "ticket_counter", "gateway_gap", "opinion_day"),
    }
)
_SHORT: Final = 3  # characters: a shorter id stands within other words by chance
_AT_ONCE: Final = 400  # keys in one statement
# Who wrote the texts of a row.
_AUTHOR: Final = ("sender", "reporter", "actor", "asked_by", "person")

Values = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Who:
    """A person: the ids that are his, names he had, and what of the tickets and messages is his."""

    ids: frozenset[str]
    names: frozenset[str] = frozenset()
    tickets: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()
    said_as: frozenset[str] = frozenset()  # the messages' ids at the network, by which others quote them


@dataclass(slots=True)
class Row:
    """A row of some table. `own`: he wrote it; `his`: it is of his tickets or messages, or has his id."""

    table: Table
    values: Values
    own: bool = False
    his: bool = False
    chatter: bool = False  # his own message, of no ticket
    fresh: Values = field(default_factory=dict)  # what is to be written instead

    @property
    def key(self) -> Key:
        return tuple(self.values[column.name] for column in self.table.primary_key)


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in OF_NOBODY]


@cache
def words(table: Table) -> tuple[Column[Any], ...]:
    """The columns that hold words."""
    return tuple(column for column in table.columns if _holds(column, String))


def _holds(column: Column[Any], kind: type[Any]) -> bool:
    """Of that type, be it by itself or, as SQLModel declares it, wrapped."""
    return isinstance(column.type, kind) or isinstance(getattr(column.type, "impl", None), kind)


@cache
def _ids(table: Table) -> tuple[Column[Any], ...]:
    """Those that may be somebody's id: no texts, and no name that stands beside one."""
    beside = name_columns(table)
    return tuple(c for c in words(table) if not _holds(c, Text) and c.name not in beside)


@cache
def name_columns(table: Table) -> Mapping[str, str]:
    """{column of a name: column of the id that it is the name of}."""
    found = {}
    for column in words(table):
        if column.name.endswith("_name"):
            stem = column.name.removesuffix("_name")
            mine = next((n for n in (stem, f"{stem}_by", f"{stem}_id") if n in table.columns), None)
            if mine is not None:
                found[column.name] = mine
    return found


@cache
def _json(table: Table) -> tuple[Column[Any], ...]:
    return tuple(column for column in table.columns if _holds(column, JSON))


def aliases(session: Session, person: str) -> frozenset[str]:
    """The person's id, and the made-up ones of the lists whose place he took by a code."""
    spent = select(col(Joining.person_id)).where(col(Joining.used_by) == person, col(Joining.person_id) != "")
    return frozenset({person, *session.execute(spent).scalars()})


def who(session: Session, person: str) -> Who:
    """What the database knows of the person."""
    ids = aliases(session, person)
    names: set[str] = set()
    tickets: set[int] = set()
    for table in _tables():
        for mine in _ids(table):
            wanted = mine.in_(ids)
            for name, of in name_columns(table).items():
                if of == mine.name:
                    names.update(session.execute(select(table.c[name]).where(wanted).distinct()).scalars())
            of_ticket = table.c.id if table.name == "ticket" else table.columns.get("ticket_id")
            if of_ticket is not None:
                found = select(of_ticket).where(wanted, of_ticket.is_not(None)).distinct()
                tickets.update(session.execute(found).scalars())
    names.update(session.execute(select(col(OrgPerson.name)).where(col(OrgPerson.id).in_(ids))).scalars())
    said = select(col(Message.id), col(Message.external_id)).where(col(Message.sender).in_(ids))
    messages = {id: external for id, external in session.execute(said)}
    return Who(
        ids,
        frozenset(name for name in names if name),
        frozenset(tickets),
        frozenset(messages),
        frozenset(messages.values()),
    )


def borne_by_others(session: Session, name: str, ids: Collection[str]) -> bool:
    """Whether somebody else is called so."""
    for table in _tables():
        for beside, of in name_columns(table).items():
            another = and_(table.c[beside] == name, table.c[of].not_in(ids), table.c[of].not_like(f"{GONE}%"))
            if session.execute(select(table.c[of]).where(another).limit(1)).first():
                return True
    same = select(col(OrgPerson.id)).where(col(OrgPerson.name) == name, col(OrgPerson.id).not_in(ids))
    return session.execute(same.limit(1)).first() is not None


def told(session: Session, who: Who) -> Iterator[str]:
    """What the person wrote."""
    for column, by in (
        (col(Message.text), col(Message.sender)),
        (col(TicketReport.text), col(TicketReport.reporter)),
    ):
        yield from session.execute(select(column).where(by.in_(who.ids))).scalars()


def exact(session: Session, ids: Collection[str]) -> Iterator[Row]:
    """The rows that have one of the ids in a column of their own, or as the subject of the action log."""
    subjects = [f"person:{id}" for id in ids]
    for table in _tables():
        mine = [column.in_([*ids, *subjects]) for column in _ids(table)]
        if mine:
            for found in session.execute(
                select(table).where(or_(*mine)).order_by(*table.primary_key)
            ).mappings():
                yield Row(table, dict(found), his=True)


def rows(session: Session, who: Who) -> Iterator[Row]:
    """Every row in which the person stands or may stand, table by table."""
    chatter = _chatter(session, who)
    for table in _tables():
        found: dict[Key, Row] = {}
        for where in _where(table, who):
            for values in session.execute(select(table).where(where)).mappings():
                row = Row(table, dict(values))
                found[row.key] = row
        for row in found.values():
            _judge(row, who, chatter)
            yield row


def _where(table: Table, who: Who) -> Iterator[ColumnElement[bool]]:
    needles = [*who.ids, *who.names]
    texts = [column.contains(needle, autoescape=True) for column in words(table) for needle in needles]
    for column in _json(table):
        for needle in needles:
            # As SQLite keeps it, and as PostgreSQL writes it out.
            for written in {needle, json.dumps(needle)[1:-1]}:
                texts.append(cast(column, Text).contains(written, autoescape=True))
    if texts:
        yield or_(*texts)
    for name, known in (
        ("id", who.tickets if table.name == "ticket" else who.messages if table.name == "message" else ()),
        ("ticket_id", who.tickets),
        ("message_id", who.messages),
        ("quoted_id", who.said_as),
    ):
        if name in table.columns:
            yield from (table.c[name].in_(some) for some in _portions(known))


def _portions(keys: Iterable[Any]) -> Iterator[list[Any]]:
    known = list(keys)
    return (known[start : start + _AT_ONCE] for start in range(0, len(known), _AT_ONCE))


def _judge(row: Row, who: Who, chatter: Collection[int]) -> None:
    values = row.values
    row.own = any(values.get(name) in who.ids for name in _AUTHOR if name in row.table.columns)
    by_ticket = values["id"] if row.table.name == "ticket" else values.get("ticket_id")
    by_message = values["id"] if row.table.name == "message" else values.get("message_id")
    row.chatter = row.table.name == "message" and values["id"] in chatter
    row.his = (
        row.own
        or by_ticket in who.tickets
        or by_message in who.messages
        or values.get("quoted_id") in who.said_as
        or any(values[column.name] in who.ids for column in _ids(row.table))
        or any(_names(values, id) for id in who.ids)
    )


def _names(values: Values, id: str) -> bool:
    """Whether the id stands in the row's JSON, or is part of a longer word such as a subject."""
    return len(id) > _SHORT and any(id in str(value) for value in values.values())


def _chatter(session: Session, who: Who) -> frozenset[int]:
    """His messages that no ticket needs, and on which nobody has to decide."""
    wanted = select(col(Message.id)).where(
        col(Message.sender).in_(who.ids),
        col(Message.handled_at).is_not(None),
        col(Message.ticket_id).is_(None),
        ~select(col(TicketReport.id)).where(col(TicketReport.message_id) == col(Message.id)).exists(),
        ~select(col(TicketEvent.id)).where(col(TicketEvent.message_id) == col(Message.id)).exists(),
        ~select(col(Review.message_id))
        .where(col(Review.message_id) == col(Message.id), col(Review.state) == ReviewState.WAITING)
        .exists(),
    )
    return frozenset(session.execute(wanted).scalars())


def write(session: Session, row: Row) -> None:
    """Writes what is to stand there instead."""
    where = [column == row.values[column.name] for column in row.table.primary_key]
    session.execute(update(row.table).where(*where).values(**row.fresh))


def forget(session: Session, ids: Collection[str]) -> Mapping[str, int]:
    """Removes what is of no use without the person; how many rows, by table."""
    gone = {}
    for table, column in (
        (OrgPost, col(OrgPost.person_id)),
        (OrgPerson, col(OrgPerson.id)),
        (Duty, col(Duty.person_id)),
        (Question, col(Question.person)),
        (JoiningMiss, col(JoiningMiss.person)),
        (SignIn, col(SignIn.person)),
        (WebSession, col(WebSession.person)),
        (Erasure, col(Erasure.person)),
    ):
        gone[str(table.__tablename__)] = session.execute(delete(table).where(column.in_(ids))).rowcount  # type: ignore[attr-defined]
    waiting = (ReplyState.WAITING, ReplyState.SENDING)
    unsaid = update(Reply).where(col(Reply.person).in_(ids), col(Reply.state).in_(waiting))
    session.execute(unsaid.values(state=ReplyState.DROPPED))
    return {table: count for table, count in gone.items() if count}


def in_hand(session: Session, ids: Collection[str]) -> list[str]:
    """Numbers of open tickets that the person answers for or was given."""
    mine = or_(col(Ticket.owner).in_(ids), col(Ticket.handler).in_(ids))
    wanted = select(col(Ticket.number)).where(mine, col(Ticket.state) != "closed")
    return list(session.execute(wanted.order_by(col(Ticket.id))).scalars())


def counted(session: Session, ids: Collection[str]) -> tuple[int, list[str]]:
    """How many messages of the person are kept; the numbers of the tickets that he reported."""
    messages = select(func.count()).select_from(Message).where(col(Message.sender).in_(ids))
    reported = (
        select(col(Ticket.id), col(Ticket.number))
        .join(TicketReport, col(TicketReport.ticket_id) == col(Ticket.id))
        .where(col(TicketReport.reporter).in_(ids))
        .distinct()
        .order_by(col(Ticket.id))
    )
    return session.execute(messages).scalar_one(), [number for _, number in session.execute(reported)]


def asked(session: Session, person: str) -> Erasure | None:
    return session.execute(select(Erasure).where(col(Erasure.person) == person)).scalars().first()


def due(session: Session, now: datetime, limit: int) -> list[Erasure]:
    """Those that are due; rows another process holds are passed over."""
    statement = select(Erasure).where(col(Erasure.due_at) <= now).order_by(col(Erasure.due_at)).limit(limit)
    return list(session.execute(statement.with_for_update(skip_locked=True)).scalars())
