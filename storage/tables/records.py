"""Who did what beside the tickets, and what was purged."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.base import id_column, instant, json_column
from storage.types import BigId


class ActionLog(SQLModel, table=True):
    """Append-only: what was done that belongs to no single ticket, with what it changed."""

    __tablename__ = "action_log"
    __table_args__ = (Index("ix_action_log_at", "at"), Index("ix_action_log_actor", "actor", "at"))
    id: int = id_column()
    at: datetime = instant()
    actor: str  # person id, "board", "operator" or "bot"
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
