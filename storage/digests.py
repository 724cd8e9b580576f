"""The day's figures, counted in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from storage.ids import new_id
from storage.tables import Digest, Ticket
from storage.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Figures:
    """opened and closed: within the day; open and overdue: at its end (or now, for today).

    by_label and by_area count what was opened in the day. explained: closed without being solved.
    """

    opened: int
    closed: int
    explained: int
    open: int
    overdue: int
    by_label: dict[str, int]
    by_area: dict[str, int]


def figures(session: Session, start: datetime, end: datetime) -> Figures:
    """Figures of the span [start, end)."""
    opened_in = (col(Ticket.opened_at) >= start, col(Ticket.opened_at) < end)
    opened = select(col(Ticket.label), col(Ticket.area), func.count()).where(*opened_in)
    rows = session.execute(opened.group_by(col(Ticket.label), col(Ticket.area))).all()
    by_label: dict[str, int] = {}
    by_area: dict[str, int] = {}
    for label, area, count in rows:
        by_label[label] = by_label.get(label, 0) + count
        by_area[area] = by_area.get(area, 0) + count
    closed_in = (col(Ticket.closed_at) >= start, col(Ticket.closed_at) < end)
    return Figures(
        opened=sum(by_label.values()),
        closed=_count(session, *closed_in),
        explained=_count(session, *closed_in, col(Ticket.resolution) == "explained"),
        open=_count(session, *_open_at(end)),
        overdue=_count(session, *_open_at(end), col(Ticket.deadline_at) < end),
        by_label=by_label,
        by_area=by_area,
    )


def oldest_open(session: Session, at: datetime, limit: int) -> list[Ticket]:
    """The tickets longest open at that instant."""
    statement = select(Ticket).where(*_open_at(at)).order_by(col(Ticket.opened_at), col(Ticket.id))
    return list(session.execute(statement.limit(limit)).scalars())


def recurring(session: Session, start: datetime, end: datetime, limit: int) -> list[Ticket]:
    """The latest of what was opened in [start, end) and comes again and again."""
    statement = select(Ticket).where(
        col(Ticket.opened_at) >= start, col(Ticket.opened_at) < end, col(Ticket.recurring).is_(True)
    )
    return list(session.execute(statement.order_by(col(Ticket.id).desc()).limit(limit)).scalars())


def keep(session: Session, scope: str, day: date, text: str, now: datetime) -> bool:
    """Keeps a digest; False where that scope's of the day has been made before, by whichever process."""
    row = insert_into(session, Digest).values(id=new_id(), scope=scope, day=day, text=text, made_at=now)
    statement = row.on_conflict_do_nothing(index_elements=["scope", "day"]).returning(col(Digest.id))
    return session.execute(statement).first() is not None


def _open_at(at: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        col(Ticket.opened_at) < at,
        (col(Ticket.closed_at).is_(None)) | (col(Ticket.closed_at) >= at),
    )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(Ticket).where(*conditions)
    count: int = session.execute(statement).scalar_one()
    return count
