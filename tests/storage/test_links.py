"""Moving reports between tickets, and back."""

from sqlmodel import col, select

from storage import links, tickets
from storage.database import Database
from storage.tables import Attachment, Message, TicketReport
from tests.storage.rows import NOON, keep, message, report, ticket


def _told(database: Database, ticket_id: int) -> list[int]:
    with database.reading() as session:
        return [one.message_id for one in tickets.reports(session, ticket_id)]


def _pictures(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.exec(select(col(Attachment.ticket_id))))


def test_shared_and_taken_back(database: Database) -> None:
    one, other = ticket(), ticket()
    keep(database, one, other)
    first, second, both = message(ticket_id=one.id), message(ticket_id=other.id), message(ticket_id=other.id)
    keep(database, first, second, both)
    keep(database, report(one, first), report(one, both), report(other, second), report(other, both))
    keep(database, Attachment(message_id=first.id, ticket_id=one.id, due_at=NOON))
    with database.transaction() as session:
        shared = links.share_reports(session, one.id, other.id)
    assert shared == [first.id]
    assert sorted(_told(database, other.id)) == sorted([first.id, second.id, both.id])
    assert sorted(_told(database, one.id)) == sorted([first.id, both.id])
    assert _pictures(database) == [other.id]
    with database.transaction() as session:
        links.take_back(session, one.id, other.id, shared)
    assert sorted(_told(database, other.id)) == sorted([second.id, both.id])
    assert _pictures(database) == [one.id]
    with database.reading() as session:
        assert session.get_one(Message, first.id).ticket_id == one.id


def test_a_report_moves_with_its_picture(database: Database) -> None:
    one, other = ticket(), ticket()
    keep(database, one, other)
    said = message(ticket_id=one.id)
    keep(database, said)
    keep(database, report(one, said), report(other, said))
    keep(database, Attachment(message_id=said.id, ticket_id=one.id, due_at=NOON))
    with database.transaction() as session:
        found = session.exec(select(TicketReport).where(TicketReport.ticket_id == one.id)).one()
        links.move_report(session, found, other.id)
    assert (_told(database, one.id), _told(database, other.id)) == ([], [said.id])
    assert _pictures(database) == [other.id]
