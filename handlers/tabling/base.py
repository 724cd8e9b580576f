"""What a table for export is made of.

A source is asked for its batches one after another, each with a context of its own: nothing is held between
them but where it goes on, and of the two lists their groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from handlers.context import Context

BATCH: Final = 200  # tickets with their events: at most some megabytes
LIGHT: Final = 1000  # rows that stand alone

Cell = str | int | date | datetime | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """width: in characters of a digit's width, as spreadsheets count."""

    title: str
    width: int


def columns(text: str) -> tuple[Column, ...]:
    """ "编号 16, 状态 10" """
    pairs = (part.split() for part in text.split(","))
    return tuple(Column(title, int(width)) for title, width in pairs)


class Source(Protocol):
    """`seen` of `total` rows of the database were looked at so far."""

    @property
    def seen(self) -> int: ...

    def total(self, ctx: Context) -> int: ...

    def batch(self, ctx: Context) -> list[Row] | None:
        """The next rows, perhaps none; None at the end."""


def local(ctx: Context, instant: datetime | None) -> datetime | None:
    """As the street's clocks show it; a spreadsheet knows no zones."""
    return ctx.local(instant).replace(tzinfo=None, microsecond=0) if instant else None


def yes(value: bool | None) -> str:
    return "" if value is None else "是" if value else "否"
