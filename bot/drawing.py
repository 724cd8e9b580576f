"""Draws the pictures that wait in the outbox, when they are sent."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.card import draw
from handlers.context import Context, World
from handlers.figures.cards import Card
from storage.database import Database

FOLDER: Final = "cards"  # below the media folder
_KEPT: Final = 24 * 3600.0  # seconds; it is drawn again where it is wanted later


class Drawing:
    """The file of a picture. `path` may be called from any thread."""

    def __init__(self, database: Database, world: Callable[[], World], media: Path) -> None:
        self._database = database
        self._world = world
        self._folder = media / FOLDER

    def path(self, picture: str) -> Path:
        """picture: Reply.picture, a path or what is to be drawn. Raises OSError, ValueError."""
        card = Card.read(picture)
        if card is None:
            return Path(picture)
        with self._database.reading() as session:
            figures = card.figures(Context(session, card.at, self._world()))
        content = draw(figures)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tidy()
        file = self._folder / f"{hashlib.sha256(picture.encode()).hexdigest()[:32]}.png"
        file.write_bytes(content)
        return file

    def _tidy(self) -> None:
        for old in self._folder.glob("*.png"):
            if time.time() - old.stat().st_mtime > _KEPT:
                old.unlink(missing_ok=True)
