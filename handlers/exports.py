"""Asking for a file that is written in the background, and calling it off; noted in the action log."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from handlers import records
from handlers.context import Context
from handlers.lists import Asked
from handlers.permissions import Actor
from handlers.tabling import TABLES, TableName
from storage import exports as store
from storage.tables import Export

MOST: Final = 5  # of one person, not written yet


class Format(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


class TooMany(Exception):
    """您已有几个导出在进行，请等它们写好。"""


def order(ctx: Context, actor: Actor, name: TableName, format: Format, asked: Asked) -> Export:
    """Raises TooMany. The file is there when the row's state is done, see bot/exports.py."""
    if store.count_unfinished(ctx.session, actor.id) >= MOST:
        raise TooMany
    row = Export(
        name=name,
        format=format,
        asked=asked.as_json(),
        made_by=actor.id,
        made_by_name=actor.name,
        made_at=ctx.now,
    )
    ctx.session.add(row)
    note(ctx.session, ctx.now, actor, name, format, asked)
    return row


def note(
    session: Session, now: datetime, actor: Actor, name: TableName, format: Format, asked: Asked
) -> None:
    """What was exported by whom stands in the action log."""
    told = {key: value for key, value in asked.as_json().items() if key not in {"within", "plain"}}
    records.noted(session, now, actor, "export", f"export:{name}", after={**told, "format": str(format)})


def cancel(ctx: Context, actor: Actor, export: Export) -> bool:
    """False where it is finished already."""
    if not store.cancel(ctx.session, export.id, ctx.now):
        return False
    records.note(ctx, actor, "export_cancel", f"export:{export.name}")
    return True


def file_name(export: Export) -> str:
    """设施问题清单_2026-07-01_2026-07-31.xlsx"""
    days = [export.asked[name] for name in ("start", "end") if name in export.asked]
    return f"{'_'.join([TABLES[TableName(export.name)].title, *days])}.{export.format}"
