"""`gridbot person`: what is kept about somebody, as a file, and its removal."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from bot.clock import utc_now
from bot.settings import Settings
from bot.terminal import Config, said_plainly, settings_of
from bot.world import NoClassifier, load_world
from handlers import erasing, records
from handlers.context import Context
from handlers.erasing import Refusal, Refused
from handlers.files import ConfigError
from handlers.permissions import OPERATOR
from storage.database import Database

cli = typer.Typer(help="What is kept about a person.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="The person's id at the chat network.")]


@cli.command()
def export(
    person: Id,
    to: Annotated[Path, typer.Option("--to", help="The JSON file to be written.")],
    config: Config = None,
) -> None:
    """Write everything that is kept about a person into a file, for that person."""
    with said_plainly(), _context(settings_of(config)) as ctx:
        _known(ctx.session, person)
        told = erasing.kept(ctx, person)
        try:
            to.touch(mode=0o600)  # nobody else's to read
            to.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--to {to}: {error.strerror}") from None
        rows = {table: len(found) for table, found in told["tables"].items()}
        records.note(ctx, OPERATOR, "person_export", f"person:{person}", after=rows)
        typer.echo(f"{to}: {next(erasing.lines(rows))}")


@cli.command()
def erase(
    person: Id,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    config: Config = None,
) -> None:
    """Remove a person from everything that is kept; tickets keep their facts. There is no way back."""
    with said_plainly():
        settings = settings_of(config)
        with _context(settings) as ctx:
            if erasing.names_nobody(ctx.session, person):
                typer.echo(f"nothing is kept about {person}")
                return
            if (refused := erasing.refusal(ctx, person)) is not None:
                raise ConfigError(_why(person, refused))
            _say_of_care(ctx)
            typer.echo(f"would change: {next(erasing.lines(erasing.would_erase(ctx, person)))}")
        if dry_run:
            return
        if not yes and not typer.confirm("Remove it for good?"):
            raise typer.Exit(1)
        with _context(settings) as ctx:
            if (refused := erasing.refusal(ctx, person)) is not None:
                raise ConfigError(_why(person, refused))
            typer.echo(f"done: {next(erasing.lines(erasing.erase(ctx, person, OPERATOR)))}")


@contextmanager
def _context(settings: Settings) -> Iterator[Context]:
    """A transaction: the operator asks rarely, and an export is noted, too."""
    database = Database(settings.storage.url)
    try:
        database.upgrade()
        with database.transaction() as session:
            yield Context(session, utc_now(), load_world(settings, NoClassifier(), session))
    finally:
        database.close()


def _known(session: Session, person: str) -> None:
    if erasing.names_nobody(session, person):
        raise ConfigError(f"nothing is kept about {person}")


def _why(person: str, refused: Refused) -> str:
    what = ", ".join(refused.what)
    if refused.why is Refusal.POST:
        return (
            f"{person} is in the organisation ({what}): take the person out of it first, "
            "on the board, by `gridbot import --remove-missing` or in the organisation file"
        )
    return f"{person} still has {what} in hand: close it or give it to somebody else first"


def _say_of_care(ctx: Context) -> None:
    if ctx.care.trouble:
        typer.echo(f"the care register is left as it is: {ctx.care.trouble}", err=True)
