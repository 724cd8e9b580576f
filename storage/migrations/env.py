"""Alembic's entry: runs the migrations on the connection that Database.upgrade hands over."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from storage.tables import metadata
from storage.types import BigId, Json


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Writes the project's column types by their names, so that a migration reads as the tables do."""
    if kind == "type" and item in (BigId, Json):
        return f"storage.types.{'BigId' if item is BigId else 'Json'}"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_item=render_item,
    render_as_batch=True,  # SQLite cannot alter most things in place
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
