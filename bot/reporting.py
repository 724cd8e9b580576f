"""`gridbot report`: a list, a ledger, tickets, the audit or digests into a file."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import typer

from bot.clock import utc_now
from bot.settings import Settings
from bot.streaming import FORMATS
from bot.tabulating import Progress, tabulate
from bot.world import NoClassifier, load_world
from classifiers.verdict import Label
from handlers.context import World
from handlers.exports import Format, note
from handlers.files import ConfigError
from handlers.kinds import kinds
from handlers.lists import Asked, Standing
from handlers.permissions import OPERATOR
from handlers.tabling import TABLES, Table, TableName
from storage.database import Database


def run(settings: Settings, name: str, file: Path, options: dict[str, str]) -> str:
    """The line to print at the end. options: as given, "" for what is not. Raises ConfigError."""
    if name not in set(TableName):
        raise ConfigError(f"{name!r} is none of {', '.join(TableName)}")
    if file.suffix.lower() not in FORMATS:
        raise ConfigError(f"--to-file {file}: the name must end in {' or '.join(FORMATS)}")
    table = TABLES[TableName(name)]
    database = Database(settings.storage.url)
    try:
        database.upgrade()
        with database.reading() as session:
            world = load_world(settings, NoClassifier(), session)
        asked = asked_of(world, table, options)
        with database.transaction() as session:
            format = Format(file.suffix.lower().removeprefix("."))
            note(session, utc_now(), OPERATOR, table.name, format, asked)
        with _interruptible(), _Line() as line:
            rows = tabulate(database, world, utc_now(), table, asked, file, line.tell)
    finally:
        database.close()
    return f"{file}: {rows} rows"


def asked_of(world: World, table: Table, options: dict[str, str]) -> Asked:
    """Raises ConfigError naming the option."""
    start, end = _day("--from", options["from"]), _day("--to", options["to"])
    if start and end and end < start:
        raise ConfigError(f"--to {end} is before --from {start}")
    known = [kind.code for kind in kinds(table.sort)] if table.sort else []
    return Asked(
        start=start,
        end=end,
        area=area_of(world, options["area"]),
        label=_choice("--label", options["label"], [label for label in Label if label != Label.NONE]),
        state=_choice("--state", options["state"], list(Standing)),
        kind=_choice("--kind", options["kind"], known),
    )


def _day(option: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is not a day such as 2026-07-12") from None


def _choice(option: str, text: str, known: Any) -> str:
    if text and text not in known:
        why = f"none of {', '.join(known)}" if known else "of no use here"
        raise ConfigError(f"{option}: {text!r} is {why}")
    return text


def area_of(world: World, text: str) -> str:
    """The code of the area of that code or name, "" for none. Raises ConfigError."""
    areas = world.organisation.areas
    if not text or text in areas:
        return text
    found = [code for code, area in areas.items() if area.name == text]
    if len(found) != 1:
        raise ConfigError(f"--area: {text!r} is {'no area' if not found else 'several areas; use a code'}")
    return found[0]


@contextmanager
def _interruptible() -> Iterator[None]:
    """Being told to end is like Ctrl-C: no half file is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nstopped; nothing was written", err=True)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


class _Line:
    """How far it is, on standard error: one line that changes at a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._next = 0.0

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next and progress.seen < progress.total:
            return
        self._next = now + (0.2 if self._is_terminal else 5)
        share = f" ({100 * progress.seen // progress.total}%)" if progress.total else ""
        text = f"{progress.seen} of {progress.total}{share}, {progress.rows} rows"
        sys.stderr.write(f"\r\x1b[K{text}" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()
