"""A table of handlers/tabling from the database into a file, batch by batch, each read by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot import streaming
from handlers.context import Context, World
from handlers.lists import Asked
from handlers.tabling import Table
from handlers.tabling.base import Row
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Progress:
    """`seen` of `total` rows of the database were looked at, `rows` were written."""

    seen: int
    total: int
    rows: int


Tell = Callable[[Progress], None]


def tabulate(
    database: Database, world: World, now: datetime, table: Table, asked: Asked, file: Path, tell: Tell
) -> int:
    """How many rows. `tell` is called with every batch; what it raises ends the whole, leaving no file.

    Between batches nothing of the database is held, so that writers and checkpoints have their turn: what
    changes meanwhile is seen or not. Raises ConfigError where the file cannot be written.
    """
    source = table.source(asked)
    with database.reading() as session:
        total = source.total(Context(session, now, world))
    tell(Progress(0, total, 0))

    def batches() -> Iterator[list[Row]]:
        rows = 0
        while True:
            with database.reading() as session:
                batch = source.batch(Context(session, now, world))
            if batch is None:
                return
            rows += len(batch)
            # What came in while it was written is looked at too.
            tell(Progress(source.seen, max(total, source.seen), rows))
            yield batch

    return streaming.write(file, table.title, table.columns, batches())
