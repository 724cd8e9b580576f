"""The way of a message: messages, tickets, replies, and what people put right about them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Date, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.base import id_column, instant, json_column, ref, text_column
from storage.types import Json


class Outcome(StrEnum):
    """What became of a stored message."""

    NONE = "none"  # nothing to do: chatter
    OPENED = "opened"  # opened a ticket
    JOINED = "joined"  # another report of an open ticket
    REVIEW = "review"  # perhaps a report: on the coordinators' review list
    COMMAND = "command"
    PICTURE = "picture"  # attached to a ticket
    IGNORED = "ignored"  # the bot's own, another bot's, an unbound group, an unknown type
    FAILED = "failed"  # handling raised; `reference` finds the log line


class ReplyState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"  # handed to the gateway, not yet acknowledged: after a crash it may have been said
    SENT = "sent"
    FAILED = "failed"  # given up; shown on the board
    DROPPED = "dropped"  # a person decided that it is not to be said any more


class ReviewState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"  # opened or joined a ticket, as suggested
    RELABELLED = "relabelled"  # the same under another label
    IGNORED = "ignored"
    EXPIRED = "expired"  # nobody decided in time


class CorrectionKind(StrEnum):
    FALSE_ALARM = "false_alarm"
    RELABEL = "relabel"
    REVIEW = "review"
    MERGE = "merge"
    SPLIT = "split"


class AttachmentState(StrEnum):
    WANTED = "wanted"
    KEPT = "kept"
    FAILED = "failed"


class Message(SQLModel, table=True):
    """One chat message as it came, and what was made of it. `room` is empty for a private chat."""

    __table_args__ = (
        UniqueConstraint("account", "external_id"),
        Index(
            "ix_message_unhandled",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
        Index("ix_message_room_sender", "account", "room", "sender", "id"),
    )
    id: int = id_column()
    account: str
    external_id: str
    room: str
    room_topic: str = text_column()
    sender: str
    sender_name: str = text_column()
    kind: str
    text: str = text_column()
    mentions: list[str] = json_column(list)
    quoted_id: str | None = None
    quoted_text: str | None = Field(default=None, sa_column=Column(Text))
    sent_at: datetime = instant()
    received_at: datetime = instant(index=True)

    handled_at: datetime | None = instant(nullable=True)
    outcome: str | None = None
    label: str | None = None
    urgency: int | None = None
    confidence: float | None = None
    place: str | None = None
    evidence: list[str] | None = Field(default=None, sa_column=Column(Json))
    ticket_id: int | None = ref("ticket.id")
    reference: str | None = None  # of the log line, when handling failed


class Room(SQLModel, table=True):
    """A group the bot has seen, with what it last knew of it."""

    account: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    topic: str = text_column()
    present: bool = True
    first_seen_at: datetime = instant()
    last_message_at: datetime | None = instant(nullable=True)
    left_at: datetime | None = instant(nullable=True)
    former_topic: str = ""  # what it was called before it was renamed
    renamed_at: datetime | None = instant(nullable=True)
    owner_left_at: datetime | None = instant(nullable=True)  # one of the grid's own people left it
    silent_until: datetime | None = instant(nullable=True)  # 静默: nothing but danger is said before
    greeted_at: datetime | None = instant(nullable=True)  # told once that it is not bound yet


class TicketCounter(SQLModel, table=True):
    """The last running number of a street's day. Its row is also the lock under which tickets are opened."""

    __tablename__ = "ticket_counter"
    street: str = Field(primary_key=True)
    day: date = Field(sa_column=Column(Date, primary_key=True))
    last: int = 0


class Ticket(SQLModel, table=True):
    """One matter. `number` is CTM0712-031: street, day (street's zone), running number of that day."""

    __table_args__ = (
        UniqueConstraint("street", "day", "running"),
        Index("ix_ticket_due", "due_at"),
        Index("ix_ticket_updated", "updated_at"),
        Index("ix_ticket_opened", "opened_at"),
        Index("ix_ticket_closed", "closed_at"),
        Index("ix_ticket_room_state", "account", "room", "state"),
        Index("ix_ticket_state_opened", "state", "opened_at"),
    )
    id: int = id_column()
    number: str = Field(index=True)
    street: str
    day: date
    running: int
    label: str
    urgency: int
    state: str
    resolution: str | None = None
    level: str = "grid"
    account: str
    room: str  # where it was first reported; every reporting room is in TicketReport
    area: str = ""
    place: str = text_column()
    summary: str = text_column()
    reporter: str
    reporter_name: str = text_column()
    owner: str | None = None  # person id of the grid owner (or higher) who answers for it
    handler: str | None = None  # person id or unit name it was given to
    handler_name: str = text_column()
    opened_at: datetime = instant()
    clock_from: datetime = instant()  # deadlines count from here: opened, made more urgent or reopened
    accepted_at: datetime | None = instant(nullable=True)  # by a person
    arrived_at: datetime | None = instant(nullable=True)
    closed_at: datetime | None = instant(nullable=True)
    updated_at: datetime = instant()
    due_kind: str | None = None  # accept, arrive, solve
    due_at: datetime | None = instant(nullable=True)  # when the sweep looks at it next
    deadline_at: datetime | None = instant(nullable=True)  # the promise itself; overdue when passed
    reminders: int = 0  # of the present due_kind and level
    satisfied: bool | None = None
    merged_into: int | None = ref("ticket.id")  # closed as a duplicate of that one
    track: str = "small"  # small or large: what it takes to end it
    risk_point: str | None = None  # code of the mapped risk point it lies at
    recurring: bool = False  # the same place and label again and again
    extensions: int = 0  # how often its deadline was put off
    extended_minutes: int = 0  # by how much altogether, counted as the step's limit counts


class TicketReport(SQLModel, table=True):
    """Who reported a ticket, where, by which message. The first row is the opening one."""

    __tablename__ = "ticket_report"
    __table_args__ = (UniqueConstraint("ticket_id", "message_id"),)
    id: int = id_column()
    ticket_id: int = ref("ticket.id", nullable=False)
    message_id: int = ref("message.id", nullable=False)
    account: str
    room: str
    reporter: str
    reporter_name: str = text_column()
    text: str = text_column()
    at: datetime = instant()


class TicketEvent(SQLModel, table=True):
    """Append-only: the audit trail. `action` is a name from the lifecycle table or a plain note's kind."""

    __tablename__ = "ticket_event"
    __table_args__ = (
        Index("ix_ticket_event_actor", "actor", "at"),
        Index("ix_ticket_event_at", "at"),
    )
    id: int = id_column()
    ticket_id: int = ref("ticket.id", nullable=False)
    at: datetime = instant()
    actor: str  # person id, or "bot"
    actor_name: str = text_column()
    action: str
    from_state: str | None = None
    to_state: str | None = None
    note: str = text_column()
    data: dict[str, Any] = json_column(dict)
    message_id: int | None = ref("message.id")


class Reply(SQLModel, table=True):
    """The outbox: what is to be said. Written with the change it tells of, sent after the commit."""

    __table_args__ = (
        Index(
            "ix_reply_unsent",
            "account",
            "due_at",
            sqlite_where=text("state IN ('waiting', 'sending')"),
            postgresql_where=text("state IN ('waiting', 'sending')"),
        ),
        Index("ix_reply_state", "state", "id"),
        Index(
            "ix_reply_sealed",
            "created_at",
            sqlite_where=text("sealed IS NOT NULL"),
            postgresql_where=text("sealed IS NOT NULL"),
        ),
        Index("ix_reply_said", "account", "room", "person", "sent_at"),
    )
    id: int = id_column()
    key: str = Field(unique=True)  # what must be said once: e.g. "m<message id>:<n>"
    account: str
    room: str = ""  # either a room ...
    person: str = ""  # ... or a person, in private
    text: str = text_column()
    # What is really said, encrypted, where that is for one person's eyes: `text` then only stands in for it.
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    mentions: list[dict[str, str]] = json_column(list)  # [{"id": ..., "name": ...}]
    picture: str | None = None  # a file to send along: its path, or what is to be drawn or written
    urgency: int = 1  # 3 goes first and is not paced per group
    ticket_id: int | None = ref("ticket.id")
    message_id: int | None = ref("message.id")
    state: str = ReplyState.WAITING
    attempts: int = 0
    created_at: datetime = instant()
    due_at: datetime = instant()
    sent_at: datetime | None = instant(nullable=True)
    external_id: str | None = Field(default=None, index=True)  # shared by replies that went as one message
    error: str | None = Field(default=None, sa_column=Column(Text))


class Attachment(SQLModel, table=True):
    """A picture of a report: wanted, then kept as a file below the media folder."""

    message_id: int = ref("message.id", primary_key=True)
    ticket_id: int = ref("ticket.id", nullable=False)
    state: str = AttachmentState.WANTED
    path: str | None = None  # relative to the media folder
    size: int | None = None  # bytes
    attempts: int = 0
    due_at: datetime = instant()
    error: str | None = Field(default=None, sa_column=Column(Text))


class Review(SQLModel, table=True):
    """A message that may be a report, for a person to decide. The opinion is a second model's, if asked."""

    __table_args__ = (
        Index(
            "ix_review_waiting",
            "expires_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
    message_id: int = ref("message.id", primary_key=True)
    account: str
    room: str
    label: str  # suggested
    urgency: int
    chance: float  # that it is a report at all
    state: str = ReviewState.WAITING
    made_at: datetime = instant()
    expires_at: datetime = instant()
    ticket_id: int | None = ref("ticket.id")
    decided_by: str | None = None  # person id, "operator", "opinion"
    decided_at: datetime | None = instant(nullable=True)
    asked_at: datetime | None = instant(nullable=True)  # for an opinion, whatever came of it
    opinion_label: str | None = None
    opinion_urgency: int | None = None


class OpinionDay(SQLModel, table=True):
    """How often an opinion was asked for on a day of the street: the budget outlives a restart."""

    __tablename__ = "opinion_day"
    day: date = Field(sa_column=Column(Date, primary_key=True))
    asked: int = 0


class Correction(SQLModel, table=True):
    """What a person put right, to learn from. `text` is masked; `before_*` is what the bot took it for."""

    id: int = id_column()
    at: datetime = instant()
    kind: str
    message_id: int | None = ref("message.id")
    text: str = text_column()
    role: str = ""  # of the sender
    group_kind: str = ""
    before_label: str | None = None
    before_urgency: int | None = None
    label: str | None = None
    urgency: int | None = None
    made_by: str = ""  # person id, "operator", "opinion"


class GatewayGap(SQLModel, table=True):
    """A time in which nobody listened: what was said then is lost at the gateway."""

    __tablename__ = "gateway_gap"
    id: int = id_column()
    gateway: str
    began_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    reason: str = text_column()


class Digest(SQLModel, table=True):
    """A digest that was written: one per scope and day, so that it is sent once."""

    __table_args__ = (UniqueConstraint("scope", "day"),)
    id: int = id_column()
    scope: str
    day: date
    text: str = text_column()
    made_at: datetime = instant()


class SignIn(SQLModel, table=True):
    """A one-time link to the pages. Only the hash of its token is kept."""

    __tablename__ = "sign_in"
    token_hash: str = Field(primary_key=True)
    person: str = ""  # for whom; "" is the operator
    made_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)


class WebSession(SQLModel, table=True):
    """A signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "web_session"
    token_hash: str = Field(primary_key=True)
    person: str = Field(default="", index=True)  # whose; "" is the operator's
    browser: str = ""  # what it called itself, in a word or two
    secure: bool = False  # signed in over https: the cookie is sent over nothing else
    made_at: datetime = instant()
    used_at: datetime = instant()
    expires_at: datetime = instant()  # moves on with use
    ends_at: datetime = instant()  # does not
