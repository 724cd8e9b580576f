"""CSV and XLSX files as grids of texts, and back. Knows nothing of what stands in them."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import openpyxl
import xlsxwriter
from openpyxl.utils.exceptions import InvalidFileException

from handlers.files import ConfigError

MOST_BYTES: Final = 20 * 2**20
MOST_UNPACKED: Final = 200 * 2**20  # of an XLSX, which is a ZIP: a small one may unfold to gigabytes
MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 60
_LOOKED_AT: Final = 5  # lines, to tell what stands between cells
# What a spreadsheet program would run as a formula; '=1+1 and what looks like it gets one mark more.
_DANGEROUS: Final = re.compile(r"'*[=+\-@＝＋－＠]")


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell with a formula: what it would come to is not known."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that shows an error, such as #N/A."""

    shown: str


Cell = str | Formula | Broken


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet. `name` is "" for a CSV; each row with its number as a spreadsheet counts it, from 1."""

    file: Path
    name: str
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]

    @property
    def source(self) -> str:
        return f"{self.file}: {self.name}" if self.name else str(self.file)


def read(file: Path) -> list[Grid]:
    """The sheets of a file. Raises ConfigError naming the file and what to do about it."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{file}: larger than {MOST_BYTES // 2**20} MB; divide it into several files")
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    if file.suffix.lower() in {".xlsx", ".xlsm"} or content.startswith(b"PK\x03\x04"):
        return _read_xlsx(file, content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ConfigError(f"{file}: an old .xls or an encrypted file; save it as .xlsx without a password")
    return [_read_csv(file, content)]


def _read_csv(file: Path, content: bytes) -> Grid:
    text = _decoded(file, content)
    top = "\n".join(text.split("\n", _LOOKED_AT)[:_LOOKED_AT])
    delimiter = max(",;\t", key=top.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, tuple[Cell, ...]]] = []
    try:
        for number, row in enumerate(rows, 1):
            _keep(file, found, number, tuple(unguarded(cell) for cell in row))
    except csv.Error as error:
        raise ConfigError(f"{file}: line {rows.line_num}: not a CSV table: {error}; save it anew") from None
    return Grid(file, "", tuple(found))


def _decoded(file: Path, content: bytes) -> str:
    """Excel in China writes GB18030, newer ones UTF-8 with a mark in front, "Unicode text" is UTF-16."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"{file}: neither UTF-8 nor GB18030; save it as “CSV UTF-8”")


def _keep(
    file: Path, found: list[tuple[int, tuple[Cell, ...]]], number: int, cells: tuple[Cell, ...]
) -> None:
    """Empty rows are left out. Raises ConfigError at the limit."""
    while cells and cells[-1] == "":
        cells = cells[:-1]
    if not cells:
        return
    if len(found) >= MOST_ROWS:
        raise ConfigError(f"{file}: more than {MOST_ROWS} rows; divide it into several files")
    found.append((number, cells[:MOST_COLUMNS]))


def _read_xlsx(file: Path, content: bytes) -> list[Grid]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise ConfigError(f"{file}: larger than {MOST_UNPACKED // 2**20} MB when unpacked; divide it")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        try:
            return [_read_sheet(file, sheet) for sheet in book.worksheets]
        finally:
            book.close()
    # XML entities, which no spreadsheet needs, are a ValueError: openpyxl reads with defusedxml.
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, EOFError) as error:
        raise ConfigError(f"{file}: not a whole XLSX file ({type(error).__name__}); save it anew") from None


def _read_sheet(file: Path, sheet: Any) -> Grid:
    sheet.reset_dimensions()  # what the file says of its own size may be wrong
    found: list[tuple[int, tuple[Cell, ...]]] = []
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), 1):
        _keep(file, found, number, tuple(_cell(cell) for cell in row))
    return Grid(file, str(sheet.title), tuple(found))


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return Formula()
    if cell.data_type == "e":
        return Broken(str(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)  # 101 typed as a code is a number to Excel
    return unguarded(str(value))


def unguarded(cell: str) -> str:
    """The cell without spaces around it and without the mark that `guarded` put there."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell) else cell


def guarded(cell: str) -> str:
    """The cell as no spreadsheet program takes it for a formula."""
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def write_csv(file: Path, rows: Iterable[Sequence[str]]) -> None:
    """With the mark in front by which Excel knows UTF-8. Raises OSError."""
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, lineterminator="\r\n").writerows(_guarded(rows))


def write_xlsx(file: Path, sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> None:
    """All cells as text. Raises OSError."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, 10, 18)
            for line, row in enumerate(_guarded(rows)):
                for place, cell in enumerate(row):
                    sheet.write_string(line, place, cell, None if line else bold)
    file.write_bytes(content.getvalue())


def _guarded(rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    return ([guarded(cell) for cell in row] for row in rows)
