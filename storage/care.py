"""The care register's rows and the visits to its people. What is personal is sealed before it comes here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CursorResult, Table, bindparam, case, delete, func, select, update
from sqlmodel import Session, col

from storage.ids import new_id
from storage.tables import CareRecord, CareVisit, Duty, Message, Reply
from storage.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record as it is kept; `id` 0 for a new one."""

    id: int
    area: str
    sealed: bytes
    fingerprint: str


def records(session: Session) -> list[tuple[int, str, bytes]]:
    """(id, area, sealed) of all, in the order they came."""
    statement = select(col(CareRecord.id), col(CareRecord.area), col(CareRecord.sealed))
    return [
        (id, area, sealed) for id, area, sealed in session.execute(statement.order_by(col(CareRecord.id)))
    ]


def count_by_area(session: Session) -> dict[str, int]:
    statement = select(col(CareRecord.area), func.count()).group_by(col(CareRecord.area))
    return {area: count for area, count in session.execute(statement)}


def lock(session: Session) -> None:
    """Two imports at once take turns on PostgreSQL, too."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


_LOCK = 0x63617265  # "care"


def save(session: Session, changes: Sequence[Sealed], now: datetime) -> None:
    """Adds and replaces. A fingerprint that another record has is refused by the database."""
    fresh = [
        {"id": new_id(), "area": c.area, "sealed": c.sealed, "fingerprint": c.fingerprint, "updated_at": now}
        for c in changes
        if not c.id
    ]
    if fresh:
        session.connection().execute(insert_into(session, CareRecord), fresh)
    table: Table = CareRecord.__table__  # type: ignore[attr-defined]
    known = [{"row": c.id, "to_area": c.area, "to": c.sealed, "mark": c.fingerprint} for c in changes if c.id]
    if known:
        statement = update(table).where(table.c.id == bindparam("row"))
        values: dict[str, Any] = {
            "area": bindparam("to_area"),
            "sealed": bindparam("to"),
            "fingerprint": bindparam("mark"),
        }
        session.connection().execute(statement.values(updated_at=now, **values), known)


def remove(session: Session, ids: Sequence[int]) -> None:
    """With the visits to them."""
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        session.execute(delete(CareVisit).where(col(CareVisit.record_id).in_(some)))
        session.execute(delete(CareRecord).where(col(CareRecord.id).in_(some)))


def last_done(session: Session) -> dict[int, datetime]:
    """When each was visited last, by record."""
    statement = select(col(CareVisit.record_id), func.max(col(CareVisit.done_at)))
    statement = statement.where(col(CareVisit.done_at).is_not(None)).group_by(col(CareVisit.record_id))
    return {record: at for record, at in session.execute(statement) if at is not None}


def plan(session: Session, record_id: int, area: str, day: date, told_to: str | None) -> CareVisit | None:
    """A visit due on that day; None where there is one already."""
    statement = insert_into(session, CareVisit).values(
        id=new_id(), record_id=record_id, area=area, day=day, told_to=told_to
    )
    statement = statement.on_conflict_do_nothing(index_elements=["record_id", "day"])
    made = session.execute(statement.returning(col(CareVisit.id))).scalar_one_or_none()
    return session.get(CareVisit, made) if made is not None else None


def visits(session: Session, since: date, until: date) -> list[CareVisit]:
    """Visits due on these days, in the order they were planned."""
    statement = select(CareVisit).where(col(CareVisit.day) >= since, col(CareVisit.day) <= until)
    return list(session.execute(statement.order_by(col(CareVisit.id))).scalars())


def tick_off(session: Session, visit_id: int, by: str, at: datetime, sealed: bytes | None) -> bool:
    """False where somebody was quicker."""
    statement = update(CareVisit).where(col(CareVisit.id) == visit_id, col(CareVisit.done_at).is_(None))
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.values(done_at=at, done_by=by, sealed=sealed)
    )
    return done.rowcount == 1


def due_and_open(
    session: Session, day: date, end: datetime, areas: Sequence[str] | None = None
) -> tuple[int, int]:
    """How many visits were due on that day, in these areas, and how many of them were not made by `end`.

    Visits out of turn, which nobody was told to make, were not due.
    """
    undone = case((col(CareVisit.done_at).is_(None) | (col(CareVisit.done_at) > end), 1), else_=0)
    statement = select(func.count(), func.coalesce(func.sum(undone), 0)).where(
        col(CareVisit.day) == day,
        col(CareVisit.told_to).is_not(None) | col(CareVisit.done_at).is_(None),
        *([] if areas is None else [col(CareVisit.area).in_(areas)]),
    )
    due, still_open = session.execute(statement).one()
    return int(due), int(still_open)


def on_duty(session: Session, people: Sequence[str], now: datetime) -> set[str]:
    """Those of these people who are on duty now, for whatever area."""
    if not people:
        return set()
    statement = select(col(Duty.person_id)).where(
        col(Duty.person_id).in_(people), col(Duty.since) <= now, col(Duty.until) > now
    )
    return set(session.execute(statement).scalars())


def was_told(session: Session, key: str) -> bool:
    """Whether a reply of that key was written before."""
    return session.execute(select(col(Reply.id)).where(col(Reply.key) == key)).first() is not None


def cover(session: Session, message_id: int, text: str) -> None:
    """Leaves of a message only that it came: what it told is kept sealed."""
    statement = update(Message).where(col(Message.id) == message_id)
    session.execute(statement.values(text=text, quoted_text=None))


def cover_echoes(session: Session, since: datetime, text: str) -> int:
    """The same for what the network showed of sealed replies: the account's own messages, and quotes of them.

    since: replies written from then on are looked at. How many messages were covered.
    """
    echoes = (
        select(col(Reply.external_id))
        .where(col(Reply.sealed).is_not(None), col(Reply.created_at) >= since)
        .where(col(Reply.external_id).is_not(None))
    )
    own = update(Message).where(
        col(Message.external_id).in_(echoes), col(Message.sender) == col(Message.account)
    )
    covered: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        own.where(col(Message.text) != text).values(text=text)
    )
    quotes = update(Message).where(
        col(Message.received_at) >= since,
        col(Message.quoted_id).in_(echoes),
        col(Message.quoted_text).is_not(None),
    )
    quoted: CursorResult[Any] = session.execute(quotes.values(quoted_text=None))  # type: ignore[assignment]
    return covered.rowcount + quoted.rowcount


def sealed_beside(session: Session) -> Mapping[str, list[tuple[int, bytes]]]:
    """(id, sealed) of what is sealed beside the records, by table."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    for table in (CareVisit, Reply):
        statement = select(col(table.id), col(table.sealed)).where(col(table.sealed).is_not(None))
        found[table.__name__] = [(id, sealed) for id, sealed in session.execute(statement)]
    return found


def reseal(session: Session, sealed: Mapping[str, Sequence[tuple[int, bytes]]]) -> None:
    for table in (CareVisit, Reply):
        for id, fresh in sealed.get(table.__name__, ()):
            session.execute(update(table).where(col(table.id) == id).values(sealed=fresh))
