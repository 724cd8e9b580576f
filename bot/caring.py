"""`gridbot care`: the register of people who need more care. Prints numbers, never people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from bot import spreadsheets
from bot.clock import utc_now
from bot.settings import Settings
from bot.terminal import Config, said_plainly, settings_of
from bot.world import NoClassifier, care_register, load_world
from handlers import care_import
from handlers.care import CareKind, Entry, told_of, unsealed
from handlers.context import World
from handlers.files import ConfigError
from handlers.permissions import OPERATOR
from handlers.records import noted
from handlers.vault import VARIABLE, BadKey, Unreadable, Vault, new_key
from storage import care as store
from storage import organisation as organisation_store
from storage.care import Sealed
from storage.database import Database

cli = typer.Typer(help="The register of people who need more care, encrypted.", no_args_is_help=True)


@cli.command()
def key() -> None:
    """Print a fresh key. Keep it apart from the database and its backups; without it the register is lost."""
    typer.echo(new_key())
    typer.echo(
        f"Set it as {VARIABLE}. To replace a key: NEW,OLD there, restart, `gridbot care rotate`.", err=True
    )


@cli.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX with 姓名, 类别, 地址, 网格 and more.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Write it; without, only say what would change.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove-missing", help="Take out who is not in the file, with their visits.")
    ] = False,
    config: Config = None,
) -> None:
    """Read people into the register, whole or not at all. First says what would change."""
    with said_plainly():
        for line in imported(settings_of(config), file, apply=apply, remove=remove):
            typer.echo(line)


@cli.command()
def count(config: Config = None) -> None:
    """How many people the register has, by kind and by grid."""
    with said_plainly():
        for line in counted(settings_of(config)):
            typer.echo(line)


@cli.command()
def rotate(config: Config = None) -> None:
    """Seal everything anew with the first of the keys; then the others can be taken out."""
    with said_plainly():
        for line in rotated(settings_of(config)):
            typer.echo(line)


def vault_of(settings: Settings) -> Vault:
    """Raises ConfigError, which says how to come by a key."""
    keys = settings.care.key.get_secret_value()
    if not keys:
        raise ConfigError(f"{VARIABLE} is not set, so the register is off; `gridbot care key` makes a key")
    try:
        return Vault(keys)
    except BadKey as error:
        raise ConfigError(str(error)) from None


def imported(settings: Settings, file: Path, *, apply: bool, remove: bool) -> Iterator[str]:
    """The lines to print. Raises ConfigError with one line a mistake; nothing is written then."""
    vault, rows = vault_of(settings), _rows(file)
    database = _database(settings)
    try:
        with database.transaction() if apply else database.reading() as session:
            world = load_world(settings, NoClassifier(), session)
            every_days = world.rules.care.every_days
            wanted, wrong = care_import.read(rows, world.organisation, every_days)
            if wrong:
                raise ConfigError("\n".join(f"{file}: {mistake}" for mistake in wrong))
            if apply:
                store.lock(session)
            found = care_import.difference(_known(vault, session), wanted)
            if apply:
                _write(vault, session, found, remove=remove)
        yield from care_import.told(found, world.organisation, remove=remove)
        yield "done" if apply else "nothing written; again with --apply"
    finally:
        database.close()


def _write(vault: Vault, session: Session, found: care_import.Difference, *, remove: bool) -> None:
    gone = [entry.id for entry in found.missing] if remove else []
    if not (found.added or found.changed or gone):
        return
    # Those that go make room first: who comes back under another address keeps no old fingerprint.
    store.remove(session, gone)
    entries = (*found.changed, *found.added)
    store.save(session, [_sealed(vault, entry) for entry in entries], utc_now())
    after = {"added": len(found.added), "changed": len(found.changed), "removed": len(gone)}
    _noted(session, "care_import", after)


def _sealed(vault: Vault, entry: Entry) -> Sealed:
    return Sealed(entry.id, entry.area, entry.sealed(vault), vault.fingerprint(*entry.identity))


def _known(vault: Vault, session: Session) -> list[Entry]:
    try:
        return [unsealed(vault, *row) for row in store.records(session)]
    except Unreadable as error:
        raise ConfigError(str(error)) from None


def _noted(session: Session, action: str, after: dict[str, int]) -> None:
    noted(session, utc_now(), OPERATOR, action, "care", after=after)
    organisation_store.changed(session)


def counted(settings: Settings) -> Iterator[str]:
    """By kind where the key fits, by grid in any case."""
    database = _database(settings)
    try:
        with database.reading() as session:
            by_area = store.count_by_area(session)
            world = load_world(settings, NoClassifier(), session)
            register = care_register(settings, world.organisation, session)
    finally:
        database.close()
    yield f"{sum(by_area.values())} people"
    if register.trouble:
        yield register.trouble
    for kind in CareKind if register.entries else ():
        yield f"  {world.texts(f'names.care.{kind}')}: {sum(kind in e.kinds for e in register.entries)}"
    for area, number in sorted(by_area.items()):
        yield f"  {area} {world.organisation.area_name(area)}: {number}{_unseen(world, area)}"


def _unseen(world: World, area: str) -> str:
    """Nobody would be told: said where somebody can do something about it."""
    return "" if told_of(world.organisation, area) else " (no grid owner or worker there to be told)"


def rotated(settings: Settings) -> Iterator[str]:
    """Raises ConfigError where something was sealed with a key that is not named."""
    vault = vault_of(settings)
    database = _database(settings)
    try:
        with database.transaction() as session:
            store.lock(session)
            entries = _known(vault, session)
            store.save(session, [_sealed(vault, entry) for entry in entries], utc_now())
            beside, lost = _resealed(vault, session)
            _noted(session, "care_rotate", {"people": len(entries)})
        yield f"{len(entries)} people and {beside} texts sealed with the first key"
        if lost:
            yield f"{lost} old texts were sealed with a key that is not named; they stay as they are"
    finally:
        database.close()


def _resealed(vault: Vault, session: Session) -> tuple[int, int]:
    """Notes of visits and words to grid owners: how many were sealed anew, how many cannot be read."""
    fresh: dict[str, list[tuple[int, bytes]]] = {}
    lost = 0
    for table, rows in store.sealed_beside(session).items():
        for id, token in rows:
            try:
                fresh.setdefault(table, []).append((id, vault.resealed(token)))
            except Unreadable:
                lost += 1
    store.reseal(session, fresh)
    return sum(len(rows) for rows in fresh.values()), lost


def _database(settings: Settings) -> Database:
    database = Database(settings.storage.url)
    database.upgrade()
    return database


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """(row, cells) of the one sheet, the header among them. Raises ConfigError."""
    sheets = [sheet for sheet in spreadsheets.read(file) if sheet.rows]
    if len(sheets) > 1:
        raise ConfigError(f"{file}: has several sheets; keep the one with the people")
    rows: list[tuple[int, list[str]]] = []
    for number, cells in sheets[0].rows if sheets else ():
        if not all(isinstance(cell, str) for cell in cells):
            raise ConfigError(f"{file}: row {number}: a formula or an error; paste values")
        rows.append((number, [str(cell) for cell in cells]))
    return rows
