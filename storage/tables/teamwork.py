"""Work on a ticket that several share: joint dispatch, orders, extensions."""

from datetime import datetime

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.base import id_column, instant, ref, text_column
from storage.types import BigId


class TicketUnit(SQLModel, table=True):
    """A unit's part in a joint dispatch, with its own state and clock."""

    __tablename__ = "ticket_unit"
    __table_args__ = (
        UniqueConstraint("ticket_id", "unit"),
        Index("ix_ticket_unit_due", "due_at"),
        Index("ix_ticket_unit_unit_state", "unit", "state"),
    )
    id: int = id_column()
    ticket_id: int = ref("ticket.id", nullable=False)
    unit: str
    name: str
    lead: bool = False
    state: str = "notified"  # notified, received, on_scene, done, excused
    person: str | None = None  # who answered last for it
    person_name: str = ""
    notified_at: datetime = instant()
    received_at: datetime | None = instant(nullable=True)
    on_scene_at: datetime | None = instant(nullable=True)
    done_at: datetime | None = instant(nullable=True)  # or excused
    note: str = text_column()
    due_at: datetime | None = instant(nullable=True)  # when the sweep looks at it next
    reminders: int = 0


class Offer(SQLModel, table=True):
    """An order: a ticket offered to a volunteers' group; at most one of a ticket is open."""

    __table_args__ = (
        Index(
            "uq_offer_open",
            "ticket_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_offer_state_expires", "state", "expires_at"),
        Index("ix_offer_room_state", "account", "room", "state"),
    )
    id: int = id_column()
    ticket_id: int = ref("ticket.id", nullable=False)
    account: str
    room: str
    topic: str = text_column()
    made_by: str
    made_at: datetime = instant()
    expires_at: datetime = instant()
    state: str = "open"  # open, taken, returned, expired, withdrawn
    taken_by: str | None = None
    taken_name: str = ""
    taken_at: datetime | None = instant(nullable=True)


class Question(SQLModel, table=True):
    """What one person was asked, once, for a command that lacked a word: the next thing said is taken for it.

    Short-lived, so without foreign keys: it is gone long before what it names.
    """

    __table_args__ = (
        UniqueConstraint("account", "room", "person"),
        Index("ix_question_expires", "expires_at"),
    )
    id: int = id_column()
    account: str
    room: str = ""  # "" in private
    person: str
    ticket_id: int = Field(sa_column=Column(BigId, nullable=False))
    number: str
    message_id: int = Field(sa_column=Column(BigId, nullable=False))  # by which the command was given
    command: str
    argument: str = text_column()  # what was said of it so far
    expires_at: datetime = instant()


class Extension(SQLModel, table=True):
    """More time, asked for and granted or refused."""

    id: int = id_column()
    ticket_id: int = ref("ticket.id", nullable=False)
    minutes: int
    reason: str = text_column()
    asked_by: str
    asked_name: str = ""
    asked_at: datetime = instant()
    state: str = "asked"  # asked, granted, refused, lapsed
    decided_by: str | None = None
    decided_at: datetime | None = instant(nullable=True)
