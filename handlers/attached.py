"""A table as it stands in the outbox: what is to be written. It becomes an XLSX file when it is sent."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from handlers.context import Context
from handlers.exports import Format, note
from handlers.lists import Asked
from handlers.permissions import Actor
from handlers.tabling import TABLES, TableName
from storage.chat import SHEET


@dataclass(frozen=True, slots=True)
class Sheet:
    """Which rows. at: the instant as of which they stand; residents are masked, for a group reads them."""

    name: TableName
    asked: Asked
    at: datetime

    def __str__(self) -> str:
        values = {"name": self.name, "asked": self.asked.as_json(), "at": self.at.astimezone(UTC).isoformat()}
        return SHEET + json.dumps(values, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Sheet | None":
        """None for what is no table."""
        if not text.startswith(SHEET):
            return None
        values = json.loads(text.removeprefix(SHEET))
        at = datetime.fromisoformat(values["at"])
        return cls(TableName(values["name"]), Asked.of_json(values["asked"]), at)

    @property
    def file_name(self) -> str:
        """设施问题清单_2026-07-01_2026-07-31.xlsx"""
        days = [f"{day}" for day in (self.asked.start, self.asked.end) if day]
        return "_".join([TABLES[self.name].title, *days]) + ".xlsx"


def sheet_of(ctx: Context, actor: Actor, name: TableName, asked: Asked) -> str:
    """For Reply.picture. Who had it made stands in the action log, as with every export."""
    note(ctx.session, ctx.now, actor, name, Format.XLSX, asked)
    return str(Sheet(name, asked, ctx.now))
