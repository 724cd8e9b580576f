"""The command line: `gridbot`, also `python -m bot`."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import auditing, caring, people
from bot.app import App, running
from bot.clock import utc_now
from bot.settings import Settings
from bot.terminal import Config
from bot.terminal import said_plainly as _said_plainly
from bot.terminal import settings_of as _settings
from handlers.files import ConfigError
from storage.database import Database

if TYPE_CHECKING:
    from handlers.handover_sheet import Sheet

cli = typer.Typer(
    help="Chat-bot bridge for online grid groups: from a message in a group to a closed ticket.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(caring.cli, name="care")
cli.add_typer(people.cli, name="person")
cli.command(name="audit")(auditing.audit_one)


def main() -> None:
    """Entry point: mistakes of the operator are said in a sentence, without a trace."""
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    cli()


@cli.command()
def run(config: Config = None) -> None:
    """Start the bot: gateway, pages, timers. SIGTERM stops it, SIGHUP reads the organisation anew."""
    with _said_plainly():
        asyncio.run(_run(_settings(config), config))


async def _run(settings: Settings, config: Path | None) -> None:
    async with running(settings, config=config) as app:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(signal.SIGHUP, _reload, app)
        typer.echo(f"gridbot {settings.gateway.kind}: {app.sign_in_url()}")
        typer.echo("The link signs one browser in; `gridbot link` makes another.")
        sys.stdout.flush()
        assert app.working is not None
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({stopped, app.working}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if app.working.done():
            await app.working  # raises what ended it


def _reload(app: App) -> None:
    asyncio.get_running_loop().run_in_executor(None, lambda: app.worlds.reload(only_changed=False))


@cli.command()
def check(config: Config = None) -> None:
    """Validate settings, organisation and texts; every mistake is named with file and key."""
    from bot.checking import checked

    with _said_plainly():
        typer.echo(checked(_settings(config)))


@cli.command(name="import")
def import_sheets(
    files: Annotated[
        list[Path], typer.Argument(help="CSV or XLSX: areas, groups, people, units, risk points.")
    ],
    apply: Annotated[bool, typer.Option("--apply", help="Write it; without, only show it.")] = False,
    remove: Annotated[
        bool, typer.Option("--remove-missing", help="Remove what the sheets do not name, of their tables.")
    ] = False,
    config: Config = None,
) -> None:
    """Take the organisation from sheets: what would change, every wrong row. Whole or not at all."""
    from bot.importing import run as imported

    with _said_plainly():
        for line in imported(_settings(config), files, apply=apply, remove=remove):
            typer.echo(line)


@cli.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the sheets.")],
    format: Annotated[str, typer.Option("--format", help="csv or xlsx.")] = "csv",
    config: Config = None,
) -> None:
    """Write the organisation as sheets, which Excel opens and `gridbot import` takes back."""
    from bot.exporting import run as exported

    with _said_plainly():
        for line in exported(_settings(config), folder, format):
            typer.echo(line)


@cli.command()
def classify(config: Config = None) -> None:
    """JSON lines on standard input ({"text": ...}, optional role and kind) to verdicts, same order."""
    from bot.classify import classify_lines

    with _said_plainly():
        failed = _print_lines(classify_lines(sys.stdin, _settings(config)))
    if failed:
        raise typer.Exit(1)


@cli.command()
def explain(
    text: Annotated[list[str], typer.Argument(help="What somebody might write.")],
    role: Annotated[str, typer.Option(help="Role of the sender: resident, courier, grid_worker, ...")] = "",
    kind: Annotated[str, typer.Option(help="Kind of group: residents, owners, merchants, ...")] = "",
    config: Config = None,
) -> None:
    """Show what the bot takes a text for, and why."""
    from bot.classify import explained

    with _said_plainly():
        for line in explained(" ".join(text), role, kind, _settings(config)):
            typer.echo(line)


@cli.command()
def train(
    back: Annotated[bool, typer.Option("--back", help="Go back to the model before instead.")] = False,
    config: Config = None,
) -> None:
    """Learn from the corpus and from what people put right; a model that is worse is refused (exit 1)."""
    from bot.learning import Refused, go_back, teach

    with _said_plainly():
        settings = _settings(config)
        try:
            for line in [go_back(settings)] if back else teach(settings):
                typer.echo(line)
        except Refused as refused:
            typer.echo(str(refused))
            raise typer.Exit(1) from None


@cli.command()
def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(help="Labelled chat as in classifiers/corpus; without it the development split."),
    ] = None,
    mistakes: Annotated[int, typer.Option(help="How many of the worst mistakes are listed.")] = 20,
    config: Config = None,
) -> None:
    """Figures: labels, urgency, tickets, replies to chatter, with and without roles known. Takes a minute."""
    from bot.learning import needs_sklearn

    with _said_plainly():
        settings = _settings(config)
        needs_sklearn()
        from bot.evaluate import figures

        for line in figures(file, settings, mistakes):
            typer.echo(line)


@cli.command()
def replay(
    file: Annotated[str, typer.Argument(help="Recorded chat as JSON lines; - for standard input.")],
    config: Config = None,
) -> None:
    """What the bot would have done in a recorded chat: one JSON line out per line in, nothing is sent.

    In: group, time, sender, text, optional kind, role, id. Out: label, urgency, ticket, opened, replies
    (said in that group at that message), elsewhere (said in other groups). Reminders are not replayed.
    """
    from bot.replay import replay as played

    with _said_plainly():
        settings = _settings(config)
        if file == "-":
            failed = _print_lines(played(sys.stdin, settings))
        else:
            try:
                with Path(file).open(encoding="utf-8", errors="replace") as lines:
                    failed = _print_lines(played(lines, settings))
            except OSError as error:
                raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    if failed:
        raise typer.Exit(1)


def _print_lines(answers: Iterator[dict[str, Any]]) -> bool:
    """Writes one JSON line each; whether any of them is an error."""
    failed = False
    for answer in answers:
        failed |= "error" in answer
        typer.echo(json.dumps(answer, ensure_ascii=False))
    return failed


@cli.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")] = False,
    config: Config = None,
) -> None:
    """Remove what is older than rules.retention says; the running bot does so every night."""
    from bot.purging import Purging

    with _said_plainly():
        settings = _settings(config)
        database = Database(settings.storage.url)
        database.upgrade()
        try:
            run = Purging(database, settings.rules.retention, utc_now, settings.storage.media)
            found = run.count() if dry_run else run.work()
        finally:
            database.close()
        told = (f"{getattr(found, name)} {name}" for name in ("messages", "tickets", "pictures", "others"))
        typer.echo(f"{'would remove' if dry_run else 'removed'}: {', '.join(told)}")


@cli.command()
def digest(
    day: Annotated[str, typer.Option("--date", help="The day, YYYY-MM-DD.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for text, page and picture.")] = None,
    kind: Annotated[str, typer.Option(help="morning, evening or weekly.")] = "evening",
    area: Annotated[str, typer.Option(help="Code or name of an area; without it the street.")] = "",
    config: Config = None,
) -> None:
    """Print a day's digest as the coordinators read it; write it with page and picture. Sends nothing."""
    from bot.digests import run as made

    with _said_plainly():
        typer.echo(made(_settings(config), day, kind, area, out))


@cli.command()
def report(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="facilities, services, facility-ledger, service-ledger, tickets, digests or audit",
        ),
    ],
    to_file: Annotated[Path, typer.Option("--to-file", help="FILE.xlsx or FILE.csv")],
    start: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")] = "",
    end: Annotated[str, typer.Option("--to", help="Last day, counted in.")] = "",
    area: Annotated[str, typer.Option(help="Code or name of an area, with all below it.")] = "",
    label: Annotated[str, typer.Option(help="flood, dispute, safety or service")] = "",
    state: Annotated[str, typer.Option(help="open, closed, or explained: closed without being solved")] = "",
    kind: Annotated[str, typer.Option(help="Of facility or service: a code of handlers/kinds.yaml.")] = "",
    config: Config = None,
) -> None:
    """Write a list, a ledger, tickets, digests or who did what into a file that Excel opens."""
    from bot.reporting import run as reported

    options = {"from": start, "to": end, "area": area, "label": label, "state": state, "kind": kind}
    with _said_plainly():
        typer.echo(reported(_settings(config), name, to_file, options))


@cli.command()
def sheet(
    number: Annotated[str, typer.Argument(help="The ticket's whole number, such as CTM0712-031.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the printable page into FILE.html.")
    ] = None,
    config: Config = None,
) -> None:
    """Print a ticket's hand-over sheet for the district as text to paste. Sends nothing."""
    from bot.web.handover import as_html
    from handlers.handover_sheet import sheet_text

    with _said_plainly():
        made = _sheet(_settings(config), number.strip().upper())
        typer.echo(sheet_text(made))
        if out is not None:
            try:
                out.write_text(as_html(made, alone=True), encoding="utf-8")
            except OSError as error:
                raise ConfigError(f"--out {out}: {error.strerror}") from None


def _sheet(settings: Settings, number: str) -> "Sheet":
    from bot.world import NoClassifier, load_world
    from handlers.context import Context
    from handlers.handover_sheet import sheet as made
    from storage import tickets

    database = Database(settings.storage.url)
    database.upgrade()
    try:
        with database.reading() as session:
            world = load_world(settings, NoClassifier(), session)
            ticket = tickets.newest(session, number)
            if ticket is None:
                raise ConfigError(f"there is no ticket {number}")
            return made(Context(session, utc_now(), world), ticket)
    finally:
        database.close()


@cli.command()
def link(config: Config = None) -> None:
    """Print a fresh one-time link to the pages of the running bot."""
    from bot.web.signin import new_url

    with _said_plainly():
        settings = _settings(config)
        database = Database(settings.storage.url)
        database.upgrade()
        try:
            typer.echo(new_url(database, settings, utc_now))
        finally:
            database.close()


class Invited(StrEnum):
    PERSON = "person"
    GROUP = "group"


@cli.command(name="invite")
def invite_one(
    what: Annotated[Invited, typer.Argument(help="Who is to join.")],
    role: Annotated[str, typer.Option(help="The person's role: grid_worker, grid_owner, ...")] = "",
    area: Annotated[str, typer.Option(help="Code or name of the area; without it the street.")] = "",
    unit: Annotated[str, typer.Option(help="Code or name of the unit, for the role unit.")] = "",
    name: Annotated[str, typer.Option(help="The person's name; without it the one in the chat.")] = "",
    person: Annotated[str, typer.Option(help="Id or name of an imported person, who gets his posts.")] = "",
    kind: Annotated[str, typer.Option(help="Kind of the group: residents, owners, merchants")] = "residents",
    config: Config = None,
) -> None:
    """Print a one-time code: a person types it to the bot in private; a group's is typed in the group."""
    from bot.inviting import new_code
    from handlers.joining import Invitation

    with _said_plainly():
        settings = _settings(config)
        if what is Invited.GROUP:
            wanted = Invitation(kind=kind, area=area)
        else:
            wanted = Invitation(role=role, area=area, unit=unit, name=name, person=person)
        typer.echo(new_code(settings, wanted))
        typer.echo(f"good for {settings.rules.joining.code_hours:g} hours, once", err=True)


if __name__ == "__main__":
    main()
