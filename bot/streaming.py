"""Rows into a CSV or XLSX file as they come: whole or not at all, and never all of them in memory."""

import csv
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import xlsxwriter

from bot.spreadsheets import guarded
from handlers.files import ConfigError
from handlers.tabling.base import Cell, Column, Row

FORMATS: Final = (".csv", ".xlsx")
MOST_ROWS: Final = 1_000_000  # of an XLSX's sheet, header and some to spare: Excel takes 1,048,576
MOST_CHARACTERS: Final = 32_000  # of a cell: Excel takes 32,767
# What no spreadsheet shows or XML takes; line ends and tabs become spaces, for a cell is one line.
_UNSHOWN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ENDS: Final = re.compile(r"[ \t]*[\r\n]+[ \t]*|\t")


class Writer(Protocol):
    def write(self, row: Row) -> None: ...


def write(file: Path, title: str, columns: Iterable[Column], batches: Iterable[Iterable[Row]]) -> int:
    """Writes header and rows; how many rows. The format is the file's suffix.

    The file appears when everything is written; what `batches` raises leaves nothing behind. Raises
    ConfigError where it cannot be written.
    """
    opened = _WRITERS.get(file.suffix.lower())
    if opened is None:
        raise ConfigError(f"{file}: the name must end in {' or '.join(FORMATS)}")
    count = 0
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Beside the file, so that moving it there is one step.
        with TemporaryDirectory(prefix=".writing-", dir=file.parent, ignore_cleanup_errors=True) as folder:
            part = Path(folder) / f"part{file.suffix.lower()}"
            with ExitStack() as stack:
                writer = opened(stack, part, title, tuple(columns))
                for batch in batches:
                    for row in batch:
                        writer.write(row)
                        count += 1
            part.replace(file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from None
    return count


def clean(text: str) -> str:
    """A cell's text: one line, no control characters, as long as Excel takes."""
    return _ENDS.sub(" ", _UNSHOWN.sub("", text)).strip()[:MOST_CHARACTERS]


class _Csv:
    """With the mark in front by which Excel knows UTF-8, and nothing that it would take for a formula."""

    def __init__(self, stack: ExitStack, file: Path, title: str, columns: tuple[Column, ...]) -> None:
        # newline: the csv module writes the line ends that Excel expects.
        out = stack.enter_context(file.open("w", encoding="utf-8-sig", newline=""))
        self._rows = csv.writer(out, lineterminator="\r\n")
        self._rows.writerow([column.title for column in columns])

    def write(self, row: Row) -> None:
        self._rows.writerow([_shown(cell) for cell in row])


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return guarded(clean(cell)) if isinstance(cell, str) else f"{cell}"


class _Xlsx:
    """Each row goes to disk when the next one begins. Texts are written as texts, never as formulas."""

    def __init__(self, stack: ExitStack, file: Path, title: str, columns: tuple[Column, ...]) -> None:
        options = {"constant_memory": True, "tmpdir": str(file.parent), "use_zip64": True}
        self._book: Any = xlsxwriter.Workbook(str(file), options)
        stack.push(self._end)
        self._title, self._columns = title[:25], columns
        self._bold = self._book.add_format({"bold": True, "bg_color": "#E7EBEE", "text_wrap": True})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._sheets = 0
        self._turn()

    def _end(self, kind: object, error: object, trace: object) -> bool:
        """What was given up is not put together: that would take as long as writing it."""
        if kind is None:
            self._sheet.autofilter(0, 0, max(self._line - 1, 1), len(self._columns) - 1)
            self._book.close()
        else:
            self._book.fileclosed = True
        return False

    def _turn(self) -> None:
        """The next sheet, with its header."""
        self._sheets += 1
        self._sheet = self._book.add_worksheet(
            self._title if self._sheets == 1 else f"{self._title} {self._sheets}"
        )
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, column.width)
            self._sheet.write_string(0, place, column.title, self._bold)
        self._line = 1

    def write(self, row: Row) -> None:
        if self._line > MOST_ROWS:
            self._turn()
        for place, cell in enumerate(row):
            self._put(place, cell)
        self._line += 1

    def _put(self, place: int, cell: Cell) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, datetime):
            self._sheet.write_datetime(self._line, place, cell, self._moment)
        elif isinstance(cell, date):
            self._sheet.write_datetime(self._line, place, cell, self._day)
        elif isinstance(cell, int):
            self._sheet.write_number(self._line, place, cell)
        else:
            self._sheet.write_string(self._line, place, clean(cell))


_Opened = Callable[[ExitStack, Path, str, tuple[Column, ...]], Writer]
_WRITERS: Final[dict[str, _Opened]] = {".csv": _Csv, ".xlsx": _Xlsx}
