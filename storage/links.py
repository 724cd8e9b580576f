"""Moving reports between tickets: for what was joined wrongly or not at all."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from storage.tables import Attachment, Message, TicketReport


def share_reports(session: Session, ticket_id: int, into: int) -> list[int]:
    """Copies the ticket's reports to the other one, moves its messages and pictures; the messages' ids.

    Copied, not moved: the closed ticket still tells who reported it, and can be taken apart again.
    """
    session.flush()
    told = session.scalars(select(TicketReport).where(col(TicketReport.ticket_id) == ticket_id)).all()
    known = select(col(TicketReport.message_id)).where(col(TicketReport.ticket_id) == into)
    theirs = set(session.scalars(known))
    mine = [report for report in told if report.message_id not in theirs]
    for report in sorted(mine, key=lambda report: report.id):
        session.add(TicketReport(**report.model_dump(exclude={"id", "ticket_id"}), ticket_id=into))
    attached = session.scalars(select(col(Message.id)).where(col(Message.ticket_id) == ticket_id))
    messages = sorted({*attached, *(report.message_id for report in mine)})
    _give(session, messages, into)
    return messages


def take_back(session: Session, ticket_id: int, from_ticket: int, messages: Sequence[int]) -> None:
    """Undoes `share_reports`: `messages` are what it returned."""
    session.flush()
    theirs = col(TicketReport.ticket_id) == from_ticket
    session.execute(delete(TicketReport).where(theirs, col(TicketReport.message_id).in_(messages)))
    _give(session, messages, ticket_id)


def move_report(session: Session, report: TicketReport, ticket_id: int) -> None:
    """Takes the report out of its ticket; the other one, which has it already, gets message and picture."""
    session.delete(report)
    session.flush()
    _give(session, [report.message_id], ticket_id)


def _give(session: Session, messages: Sequence[int], ticket_id: int) -> None:
    session.execute(update(Message).where(col(Message.id).in_(messages)).values(ticket_id=ticket_id))
    session.execute(
        update(Attachment).where(col(Attachment.message_id).in_(messages)).values(ticket_id=ticket_id)
    )
