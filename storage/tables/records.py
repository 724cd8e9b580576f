"""Who did what beside the tickets, what was purged, what is written into files, who asked to be forgotten."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from storage.tables.base import id_column, instant, json_column
from storage.types import BigId


class ActionLog(SQLModel, table=True):
    """Append-only: what was done that belongs to no single ticket, with what it changed."""

    __tablename__ = "action_log"
    __table_args__ = (Index("ix_action_log_at", "at"), Index("ix_action_log_actor", "actor", "at"))
    id: int = id_column()
    at: datetime = instant()
    actor: str  # person id, "operator" or "bot"
    actor_name: str = ""
    action: str
    subject: str = ""  # what it was done to: "group:river", "person:zhou"
    before: dict[str, Any] = json_column(dict)
    after: dict[str, Any] = json_column(dict)
    message_id: int | None = Field(default=None, sa_column=Column(BigId))


class Purge(SQLModel, table=True):
    """What one run of the retention timer removed."""

    id: int = id_column()
    at: datetime = instant()
    messages: int = 0
    tickets: int = 0
    pictures: int = 0
    others: int = 0


class ExportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the process that wrote it ended


class Export(SQLModel, table=True):
    """A file written in the background; file and row go after a day. `asked`: of handlers.lists.Asked."""

    __table_args__ = (
        Index(
            "ix_export_unfinished",
            "id",
            sqlite_where=text("state IN ('waiting', 'running')"),
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
    )
    id: int = id_column()
    name: str  # of the table, as in handlers.tabling.TableName
    format: str  # csv, xlsx
    asked: dict[str, Any] = json_column(dict)
    made_by: str
    made_by_name: str = ""
    made_at: datetime = instant()
    state: str = ExportState.WAITING
    seen: int = 0  # of `total` rows of the database
    total: int = 0
    rows: int = 0  # of the file
    size: int = Field(default=0, sa_column=Column(BigId, nullable=False))  # bytes
    beat_at: datetime | None = instant(nullable=True)  # when the process that writes it last said so
    ended_at: datetime | None = instant(nullable=True)


class Erasure(SQLModel, table=True):
    """Somebody wants that nothing is kept of him; the row goes with the rest."""

    id: int = id_column()
    account: str
    person: str = Field(unique=True)
    asked_at: datetime = instant()
    due_at: datetime = instant(index=True)
