"""Draws the pictures and writes the tables that wait in the outbox, when they are sent."""

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.card import draw
from bot.tabulating import tabulate
from handlers.attached import Sheet
from handlers.context import Context, World
from handlers.figures.cards import Card
from handlers.tabling import TABLES
from storage.database import Database

FOLDER: Final = "cards"  # below the media folder
_KEPT: Final = 24 * 3600.0  # seconds; it is made again where it is wanted later


class Drawing:
    """The file of a picture or a table. `path` may be called from any thread."""

    def __init__(self, database: Database, world: Callable[[], World], media: Path) -> None:
        self._database = database
        self._world = world
        self._folder = media / FOLDER

    def path(self, picture: str) -> Path:
        """picture: Reply.picture, a path or what is to be made. Raises OSError, ValueError, ConfigError."""
        if card := Card.read(picture):
            return self._drawn(card, self._place(picture))
        if sheet := Sheet.read(picture):
            return self._written(sheet, self._place(picture))
        return Path(picture)

    def _drawn(self, card: Card, place: Path) -> Path:
        with self._database.reading() as session:
            figures = card.figures(Context(session, card.at, self._world()))
        content = draw(figures)
        file = place.with_suffix(".png")
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def _written(self, sheet: Sheet, place: Path) -> Path:
        """In a folder of its own: whoever gets it sees the file's name."""
        file = place / sheet.file_name
        table = TABLES[sheet.name]
        tabulate(self._database, self._world(), sheet.at, table, sheet.asked, file, lambda _: None)
        return file

    def _place(self, picture: str) -> Path:
        """Where it goes; what has lain there for a day is removed meanwhile."""
        for old in self._folder.glob("*"):
            if time.time() - old.stat().st_mtime > _KEPT:
                shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        return self._folder / hashlib.sha256(picture.encode()).hexdigest()[:32]
