"""Queries and writes of the extensions that were asked for. The ticket's lock guards them."""

from sqlalchemy import select, update
from sqlmodel import Session, col

from storage.tables import Extension


def latest(session: Session, ticket_id: int) -> Extension | None:
    statement = select(Extension).where(col(Extension.ticket_id) == ticket_id)
    return session.execute(statement.order_by(col(Extension.id).desc()).limit(1)).scalars().first()


def waiting(session: Session, ticket_id: int) -> Extension | None:
    """The one that nobody decided on yet."""
    found = latest(session, ticket_id)
    return found if found is not None and found.state == "asked" else None


def lapse(session: Session, ticket_id: int) -> None:
    """What was not decided on by now is not asked any more."""
    statement = update(Extension).where(
        col(Extension.ticket_id) == ticket_id, col(Extension.state) == "asked"
    )
    session.execute(statement.values(state="lapsed"))
