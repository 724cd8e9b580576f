"""The rows that stand beside a ticket, read and put back as they were: units, orders, extensions."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, delete, insert, select, update
from sqlalchemy.orm.util import identity_key
from sqlmodel import Session, SQLModel

from storage.tables import Extension, Offer, TicketUnit
from storage.types import UtcDateTime

Row = dict[str, Any]  # by column, in JSON's types
# By table and id.
Rows = dict[tuple[str, int], Row]

_MODELS: tuple[type[SQLModel], ...] = (TicketUnit, Offer, Extension)
_TABLES: dict[str, tuple[Table, type[SQLModel]]] = {
    model.__table__.name: (model.__table__, model)  # type: ignore[attr-defined]
    for model in _MODELS
}


def of_ticket(session: Session, ticket_id: int) -> Rows:
    """Three short queries."""
    session.flush()
    return {
        (name, row["id"]): {column: _told(value) for column, value in row.items()}
        for name, (table, _) in _TABLES.items()
        for row in session.execute(select(table).where(table.c.ticket_id == ticket_id)).mappings()
    }


def put_back(session: Session, name: str, row_id: int, before: Row | None) -> None:
    """Makes the row what it was; None where there was none."""
    session.flush()
    table, model = _TABLES[name]
    mine = table.c.id == row_id
    if before is None:
        session.execute(delete(table).where(mine))
    else:
        values = {column: _meant(table.c[column], value) for column, value in before.items()}
        if session.execute(select(table.c.id).where(mine)).first():
            session.execute(update(table).where(mine).values(values))
        else:
            session.execute(insert(table).values(values))
    known = session.identity_map.get(identity_key(model, row_id))
    if known is not None:
        session.expunge(known)


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _meant(column: Column[Any], value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(column.type, UtcDateTime) and value else value
