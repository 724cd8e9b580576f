"""`gridbot export`: the organisation as sheets that `gridbot import` takes back unchanged."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.settings import Settings
from bot.spreadsheets import write_csv, write_xlsx
from handlers.directory import Content, merged, read_file, stored
from handlers.files import ConfigError
from handlers.sheet_columns import SHEETS, Sheet
from handlers.sheets import cells_of
from storage.database import Database

FORMATS = ("csv", "xlsx")


def run(settings: Settings, folder: Path, format: str) -> Iterator[str]:
    """The lines to print. Raises ConfigError."""
    if format not in FORMATS:
        raise ConfigError(f"--format: {format!r} is not {' or '.join(FORMATS)}")
    content = current(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if format == "xlsx":
            file = folder / "organisation.xlsx"
            write_xlsx(file, [(sheet.title, rows_of(sheet, content)) for sheet in SHEETS])
            yield str(file)
            return
        for sheet in SHEETS:
            file = folder / f"{sheet.table}.csv"
            write_csv(file, rows_of(sheet, content))
            yield str(file)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from None


def current(settings: Settings) -> Content:
    """File and database together. Raises ConfigError."""
    database = Database(settings.storage.url)
    try:
        database.upgrade()
        with database.reading() as session:
            return merged(read_file(settings.organisation), stored(session))
    finally:
        database.close()


def rows_of(sheet: Sheet, content: Content) -> Iterator[Sequence[str]]:
    """The header, then a row an entry; of a person one a post."""
    yield [column.title for column in sheet.columns]
    for entry in getattr(content, sheet.table):
        for cells in cells_of(entry):
            yield [cells[column.key] for column in sheet.columns]
