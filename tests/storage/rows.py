"""Rows to ask for, with everything filled in that does not matter."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlmodel import SQLModel

from storage.database import Database
from storage.ids import new_id
from storage.tables import Message, Reply, Ticket, TicketReport

NOON = datetime(2026, 7, 12, 4, 0, tzinfo=UTC)
_numbers = count(1)


def ago(**spans: float) -> datetime:
    return NOON - timedelta(**spans)


def keep(database: Database, *rows: SQLModel) -> None:
    with database.transaction() as session:
        for row in rows:
            session.add(row)
            session.flush()


def message(**more: Any) -> Message:
    values = {
        "id": new_id(), "account": "a", "external_id": f"x{next(_numbers)}", "room": "river",
        "sender": "tang", "kind": "text", "text": "早", "sent_at": NOON, "received_at": NOON,
    }  # fmt: skip
    return Message(**(values | more))


def ticket(**more: Any) -> Ticket:
    running = next(_numbers)
    values = {
        "number": f"CTM0712-{running:03}", "street": "CTM", "day": NOON.date(), "running": running,
        "label": "flood", "urgency": 2, "state": "reported", "account": "a", "room": "river",
        "area": "CTM-0101", "place": "江岸大厦", "summary": "车库进水", "reporter": "tang",
        "opened_at": NOON, "clock_from": NOON, "updated_at": NOON,
    }  # fmt: skip
    return Ticket(**(values | more))


def report(of: Ticket, by: Message, **more: Any) -> TicketReport:
    values = {"account": by.account, "room": by.room, "reporter": by.sender, "at": by.sent_at}
    return TicketReport(ticket_id=of.id, message_id=by.id, **(values | more))


def reply(**more: Any) -> Reply:
    values = {
        "key": f"k{next(_numbers)}", "account": "a", "room": "river", "text": "CTM0712-001",
        "created_at": NOON, "due_at": NOON,
    }  # fmt: skip
    return Reply(**(values | more))
