"""`gridbot import`: what sheets would change, then the change, whole or not at all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlmodel import Session

from bot.clock import utc_now
from bot.settings import Settings
from bot.spreadsheets import Broken, Cell, Formula, Grid, read
from bot.world import NoClassifier, load_world
from handlers.cells import folded
from handlers.context import Context
from handlers.directory import TABLES, Entry, key_of, read_file
from handlers.faults import Fault, Problem, how_to_mend, in_english
from handlers.files import ConfigError
from handlers.organisation import Group
from handlers.permissions import OPERATOR
from handlers.reorganise import Base, Difference, base_of, broken, changed, difference, without_sample, write
from handlers.sheet_columns import BY_TABLE, SHEETS, Sheet
from handlers.sheets import Reader, Row, Wrong
from storage.database import Database
from storage.organisation import linked

_HEADER_WITHIN: Final = 5  # rows: titles may stand above the header
_NAMES_SHOWN: Final = 5
_FAULTS_SHOWN: Final = 200


@dataclass
class Sheets:
    """The rows of all files, by table. `notes`: what is not used; `wrong`: what cannot be."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)


def run(
    settings: Settings, files: Sequence[Path], *, apply: bool = False, remove: bool = False
) -> Iterator[str]:
    """The lines to print. Raises ConfigError with one line a mistake; nothing is written then."""
    sheets = gather(files)
    database = Database(settings.storage.url)
    try:
        database.upgrade()
        if apply:
            with database.transaction() as session:
                lines = _imported(settings, session, sheets, apply=True, remove=remove)
        else:
            with database.reading() as session:
                lines = _imported(settings, session, sheets, apply=False, remove=remove)
    finally:
        database.close()
    yield from (*sheets.notes, *lines)


def _imported(
    settings: Settings, session: Session, sheets: Sheets, *, apply: bool, remove: bool
) -> list[str]:
    base, lines = _base(settings, session, sheets, to_write=apply)
    before = base.content
    reader = Reader(before, sheets.rows, linked(session))
    reads = {str(table): reader.read(table) for table in TABLES if table in sheets.rows}
    differences = [difference(before, table, found) for table, found in reads.items()]
    after = changed(before, differences, remove=remove)
    unread = [*sheets.wrong, *reader.wrong]
    follows = [found for found in broken(after, reads) if not (unread and _follows(found, sheets))]
    if unread or follows:
        # Of one cell the first word counts: a formula is not empty as well.
        wrong = {(*_place(found), found.fault.field): found for found in reversed([*unread, *follows])}
        raise ConfigError("\n".join(_told(sorted(wrong.values(), key=_place))))
    lines += [line for found in differences for line in _summary(found, remove=remove)]
    if not any(found.differs or (remove and found.missing) for found in differences):
        return [*lines, "nothing to change"]
    if not apply:
        return [*lines, "nothing is written yet: --apply writes it"]
    ctx = Context(session, utc_now(), load_world(settings, NoClassifier()))
    write(ctx, OPERATOR, base, after, differences, remove=remove, what="import")
    return [*lines, "written; a running bot takes it over within seconds"]


def _base(settings: Settings, session: Session, sheets: Sheets, *, to_write: bool) -> tuple[Base, list[str]]:
    """What the sheets are compared with, and what there is to say of it."""
    base = base_of(read_file(settings.organisation), session, to_write=to_write)
    own = Reader(base.content, sheets.rows).read("areas")
    fitting = without_sample(base, own)
    if fitting is base:
        return base, []
    return fitting, [f"another street: what {settings.organisation} says is left out from then on"]


def _follows(found: Wrong, sheets: Sheets) -> bool:
    """Whether it may be wrong only because a row that was not understood is missing."""
    named = (row.cells.get("code") for table in ("areas", "units") for row in sheets.rows.get(table, ()))
    return not found.row.source or found.fault.value in named


def gather(files: Iterable[Path]) -> Sheets:
    """Raises ConfigError where a file cannot be read or nobody can tell what is in it."""
    sheets = Sheets()
    for file in files:
        grids = read(file)
        taken = [_take(sheets, grid, alone=len(grids) == 1) for grid in grids]
        if not any(taken):
            known = ", ".join(f"{sheet.title} or {sheet.table}" for sheet in SHEETS)
            raise ConfigError(
                f"{file}: cannot tell which table this is: call the file or the sheet {known}, "
                "with the columns of that table in one of its first rows"
            )
    return sheets


def _take(sheets: Sheets, grid: Grid, *, alone: bool) -> bool:
    """Adds the grid's rows; False where it is no table of ours."""
    called = _called(grid.name or grid.file.stem)
    named = called or (_called(grid.file.stem) if alone else [])
    found = _header(grid, named)
    if found is None and len(named) != 1:
        if grid.rows and not alone:
            sheets.notes.append(f"{grid.source}: no table of the organisation; not used")
        return False
    if found is None:
        if not grid.rows:
            return True
        sheet = named[0]
        needed = ", ".join(column.title for column in sheet.columns if column.needed)
        raise ConfigError(f"{grid.source}: no header with the columns {needed} in its first rows; add it")
    sheet, at, columns = found
    _note_unused(sheets, grid, at, columns)
    rows = sheets.rows.setdefault(sheet.table, [])
    titles = {key: str(grid.rows[at][1][place]).strip() for place, key in columns.items()}
    for number, cells in grid.rows[at + 1 :]:
        rows.append(_row(sheets, sheet, Row({}, grid.source, number, titles), columns, cells))
    return True


def _called(name: str) -> list[Sheet]:
    """The tables whose name a file's or sheet's name is, else those whose name is in it."""
    asked = folded(name)
    exact = [sheet for sheet in SHEETS if asked in {folded(known) for known in sheet.names}]
    return exact or [sheet for sheet in SHEETS if any(folded(known) in asked for known in sheet.names)]


def _header(grid: Grid, named: Sequence[Sheet]) -> tuple[Sheet, int, dict[int, str]] | None:
    """(table, index of the header's row, column's place -> key); None where no row is a header."""
    for index, (_, cells) in enumerate(grid.rows[:_HEADER_WITHIN]):
        fitting = []
        for sheet in named or SHEETS:
            columns = _columns(sheet, cells)
            if {column.key for column in sheet.columns if column.needed} <= set(columns.values()):
                fitting.append((len(columns), sheet, columns))
        most = max((count for count, _, _ in fitting), default=0)
        best = [(sheet, columns) for count, sheet, columns in fitting if count == most]
        if len(best) == 1:
            return best[0][0], index, best[0][1]
    return None


def _columns(sheet: Sheet, cells: Sequence[Cell]) -> dict[int, str]:
    """Of two columns of the same meaning the first counts."""
    keys = {folded(name): column.key for column in reversed(sheet.columns) for name in column.names}
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        key = keys.get(folded(cell)) if isinstance(cell, str) else None
        if key is not None and key not in found.values():
            found[place] = key
    return found


def _note_unused(sheets: Sheets, grid: Grid, at: int, columns: Mapping[int, str]) -> None:
    header = enumerate(grid.rows[at][1])
    if left := [
        title for place, title in header if place not in columns and isinstance(title, str) and title
    ]:
        sheets.notes.append(f"{grid.source}: not used: {', '.join(left)}")


def _row(sheets: Sheets, sheet: Sheet, row: Row, columns: Mapping[int, str], cells: Sequence[Cell]) -> Row:
    texts: dict[str, str] = {}
    for place, key in columns.items():
        cell = cells[place] if place < len(cells) else ""
        if isinstance(cell, Formula):
            sheets.wrong.append(Wrong(Fault(Problem.FORMULA, sheet.table, field=key), row))
        elif isinstance(cell, Broken):
            fault = Fault(Problem.BROKEN_CELL, sheet.table, field=key, value=cell.shown)
            sheets.wrong.append(Wrong(fault, row))
        texts[key] = cell if isinstance(cell, str) else ""
    return Row(texts, row.source, row.number, row.titles)


def _place(wrong: Wrong) -> tuple[str, int, str]:
    """File, row, and for what stands in none of the sheets what it is."""
    return wrong.row.source, wrong.row.number, "" if wrong.row.source else wrong.row.cells.get("key", "")


def _told(wrong: Sequence[Wrong]) -> Iterator[str]:
    """FILE: row 7, column 区域: there is no area X; write ..."""
    for fault, row in ((found.fault, found.row) for found in wrong[:_FAULTS_SHOWN]):
        field = "area" if fault.field == "also" else fault.field
        if row.source:
            column = row.titles.get(field) or BY_TABLE[fault.table].named(field)
            where = f"{row.source}: row {row.number}, column {column}"
        else:
            where = f"not in the sheets: {fault.table} {row.cells.get('key', '')}, {field}".replace(" ,", ",")
        yield f"{where}: {in_english(fault)}; {how_to_mend(fault)}"
    if len(wrong) > _FAULTS_SHOWN:
        yield f"and {len(wrong) - _FAULTS_SHOWN} more"
    yield "nothing was written"


def _summary(found: Difference, *, remove: bool) -> Iterator[str]:
    kept = "removed" if remove else "missing, kept"
    yield (
        f"{found.table}: {len(found.added)} added, {len(found.changed)} changed, "
        f"{found.unchanged} unchanged, {len(found.missing)} {kept}"
    )
    yield from _some("+", [_shown(entry) for entry in found.added])
    sheet = BY_TABLE[found.table]
    yield from _some("~", [f"{_shown(now)}: {_what(sheet, was, now)}" for was, now in found.changed])
    if remove:
        yield from _some("-", [_shown(entry) for entry in found.missing])


def _some(mark: str, names: Sequence[str]) -> Iterator[str]:
    yield from (f"  {mark} {name}" for name in names[:_NAMES_SHOWN])
    if len(names) > _NAMES_SHOWN:
        yield f"  {mark} and {len(names) - _NAMES_SHOWN} more"


def _shown(entry: Entry) -> str:
    name = entry.topic if isinstance(entry, Group) else entry.name
    return name if key_of(entry) == name else f"{key_of(entry)} {name}"


def _what(sheet: Sheet, was: Entry, now: Entry) -> str:
    """The columns that change."""
    old, new = was.model_dump(), now.model_dump()
    return ", ".join(dict.fromkeys(sheet.named(key) for key in new if old[key] != new[key]))
