"""What the columns of all tables share."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Text
from sqlmodel import Field, SQLModel

from storage.ids import new_id
from storage.types import BigId, Json, UtcDateTime

metadata = SQLModel.metadata
# Constraints need names to be altered later, on SQLite above all (alembic's batch mode).
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def instant(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(UtcDateTime(), nullable=nullable, index=index), default=None)


def text_column(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(Text, nullable=False, server_default=default))


def json_column(empty: Any) -> Any:
    return Field(default_factory=empty, sa_column=Column(Json, nullable=False))


def id_column() -> Any:
    """Made here, not by the database: a new object is known by its id before anything is written."""
    return Field(default_factory=new_id, sa_column=Column(BigId, primary_key=True, autoincrement=False))


def ref(target: str, *, nullable: bool = True, index: bool = True, primary_key: bool = False) -> Any:
    column = Column(
        BigId,
        ForeignKey(target),
        nullable=nullable and not primary_key,
        index=index and not primary_key,
        primary_key=primary_key,
    )
    return Field(default=None, sa_column=column)
