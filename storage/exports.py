"""Files written in the background: taken by one process, watched by its beat, gone after a day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlmodel import Session, col

from storage.tables import Export, ExportState

_UNFINISHED = (ExportState.WAITING, ExportState.RUNNING)


def count_unfinished(session: Session, made_by: str) -> int:
    """How many of that person's are not written yet."""
    statement = select(func.count()).select_from(Export).where(col(Export.state).in_(_UNFINISHED))
    found: int = session.execute(statement.where(col(Export.made_by) == made_by)).scalar_one()
    return found


def take(session: Session, now: datetime) -> Export | None:
    """The one that waits longest, from now on this process's; None where none waits."""
    statement = select(col(Export.id)).where(col(Export.state) == ExportState.WAITING)
    id = session.execute(statement.order_by(col(Export.id)).limit(1)).scalar()
    if id is None or not _change(session, id, (ExportState.WAITING,), state=ExportState.RUNNING, beat_at=now):
        return None  # another process was quicker
    return session.get(Export, id, populate_existing=True)


def beat(session: Session, id: int, now: datetime, *, seen: int, total: int, rows: int) -> bool:
    """Says how far it is; False where it is not wanted any more."""
    running = (ExportState.RUNNING,)
    return _change(session, id, running, beat_at=now, seen=seen, total=total, rows=rows)


def end(session: Session, id: int, state: ExportState, now: datetime, **more: int) -> bool:
    """It is written, or was given up. more: seen, total, rows, size. False where it had been cancelled."""
    return _change(session, id, (ExportState.RUNNING,), state=state, ended_at=now, **more)


def cancel(session: Session, id: int, now: datetime) -> bool:
    """False where it is finished already."""
    return _change(session, id, _UNFINISHED, state=ExportState.CANCELLED, ended_at=now)


def interrupt(session: Session, before: datetime, now: datetime) -> int:
    """Marks those whose process has not said anything since `before`; how many."""
    silent = (col(Export.state) == ExportState.RUNNING) & (col(Export.beat_at) < before)
    return _update(session, silent, state=ExportState.INTERRUPTED, ended_at=now)


def recent(session: Session, made_by: str, limit: int) -> Sequence[Export]:
    """That person's, the newest first."""
    own = select(Export).where(col(Export.made_by) == made_by)
    return list(session.execute(own.order_by(col(Export.id).desc()).limit(limit)).scalars())


def outdated(session: Session, before: datetime) -> list[Export]:
    """Asked for before that instant, and not being written."""
    statement = select(Export).where(col(Export.made_at) < before, col(Export.state) != ExportState.RUNNING)
    return list(session.execute(statement).scalars())


def all_ids(session: Session) -> set[int]:
    return set(session.execute(select(col(Export.id))).scalars())


def remove(session: Session, ids: Sequence[int]) -> None:
    session.execute(delete(Export).where(col(Export.id).in_(ids)))


def _change(session: Session, id: int, states: Sequence[str], **values: Any) -> bool:
    return _update(session, (col(Export.id) == id) & col(Export.state).in_(states), **values) == 1


def _update(session: Session, where: ColumnElement[bool], **values: Any) -> int:
    statement = update(Export).where(where).values(**values)
    done: CursorResult[Any] = session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[assignment]
    return done.rowcount
