"""The parts that units have in joint tickets."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from storage.tables import Ticket, TicketUnit

OVER = ("done", "excused")


def of_ticket(session: Session, ticket_id: int) -> list[TicketUnit]:
    """Every unit's part as it is now, the lead first, then in the order they were called."""
    statement = (
        select(TicketUnit)
        .where(col(TicketUnit.ticket_id) == ticket_id)
        .order_by(col(TicketUnit.lead).desc(), col(TicketUnit.id))
        .execution_options(populate_existing=True)
    )
    session.flush()
    return list(session.execute(statement).scalars())


def of_units(
    session: Session, account: str, units: Sequence[str], limit: int = 50
) -> list[tuple[TicketUnit, Ticket]]:
    """The parts of these units in tickets that are not closed, the newest first."""
    statement = (
        select(TicketUnit, Ticket)
        .join(Ticket, col(Ticket.id) == col(TicketUnit.ticket_id))
        .where(
            col(TicketUnit.unit).in_(units),
            col(Ticket.account) == account,
            col(Ticket.state) != "closed",
        )
        .order_by(col(TicketUnit.id).desc())
        .limit(limit)
    )
    return [(part, ticket) for part, ticket in session.execute(statement)]


def due_tickets(session: Session, now: datetime, limit: int) -> list[Ticket]:
    """Tickets with a part that is due, locked; those another process holds are passed over.

    The ticket is locked before its parts, here as everywhere.
    """
    due = select(col(TicketUnit.ticket_id)).where(col(TicketUnit.due_at) <= now)
    statement = (
        select(Ticket)
        .where(col(Ticket.id).in_(due))
        .order_by(col(Ticket.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.execute(statement).scalars())
