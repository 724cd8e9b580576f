"""One entry of the organisation added, changed or removed by hand, with the checks of an import."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from handlers.context import Context
from handlers.directory import Content, Entry, key_of
from handlers.faults import Fault, Problem
from handlers.permissions import Actor
from handlers.reorganise import Base, Difference, base_of, broken, changed, difference, write
from handlers.sheet_columns import BY_TABLE
from handlers.sheets import Reader, Row, Wrong
from handlers.sight import may_remove, may_write

WHAT = "organisation"  # in the action log: organisation_add, organisation_change, organisation_remove


def entry_of(content: Content, table: str, key: str) -> Entry | None:
    return next((entry for entry in getattr(content, table) if key_of(entry) == key), None)


def stamp(entry: Entry) -> str:
    """Differs as soon as anything in the entry does."""
    return hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:16]


def save(
    ctx: Context,
    actor: Actor,
    file: Content,
    table: str,
    rows: Sequence[Row],
    *,
    key: str = "",
    seen: str = "",
) -> list[Wrong]:
    """Writes the entry that the rows say; what is wrong with it, and then nothing is written.

    key: of the entry that it takes the place of, "" for a new one; seen: its stamp when it was shown.
    Raises KeyError where that entry is gone.
    """
    base = base_of(file, ctx.session, to_write=True)
    before = base.content
    reader = Reader(before, {table: rows})
    reads = reader.read(table)
    if reader.wrong or not reads:
        return reader.wrong
    [read] = reads
    if key:
        was = entry_of(before, table, key)
        if was is None:
            raise KeyError(key)
        if stamp(was) != seen:
            return [Wrong(Fault(Problem.STALE, table), rows[0])]
        read = replace(read, was=was)
    elif read.was is not None:
        first, name = BY_TABLE[table].columns[0].key, rows[0].cells.get("name") or key_of(read.entry)
        return [Wrong(Fault(Problem.TWICE, table, field=first, value=name), rows[0])]
    if not may_write(ctx.organisation, actor, read.entry, read.was):
        return [Wrong(Fault(Problem.NOT_YOURS, table), rows[0])]
    found = replace(difference(before, table, [read]), missing=())
    after = changed(before, [found], remove=False)
    if wrong := list(broken(after, {table: [read]})):
        return wrong
    if found.differs:
        write(ctx, actor, base, after, [found], remove=False, what=WHAT, bulk=False)
    return []


def remove(ctx: Context, actor: Actor, file: Content, table: str, key: str) -> list[Wrong]:
    """Removes the entry, unless something else needs it: that is said. Raises KeyError where it is gone."""
    base = base_of(file, ctx.session, to_write=True)
    found, wrong = _without(base, table, key)
    if not all(may_remove(ctx.organisation, actor, entry) for entry in found.missing):
        return [Wrong(Fault(Problem.NOT_YOURS, table), Row({}, "form", 0))]
    if not wrong:
        after = changed(base.content, [found], remove=True)
        write(ctx, actor, base, after, [found], remove=True, what=WHAT, bulk=False)
    return wrong


def needed_by(base: Base, table: str, key: str) -> list[Wrong]:
    """What would not hold together without the entry. Raises KeyError where it is gone."""
    return _without(base, table, key)[1]


def _without(base: Base, table: str, key: str) -> tuple[Difference, list[Wrong]]:
    before = base.content
    entry = entry_of(before, table, key)
    if entry is None:
        raise KeyError(key)
    found = Difference(table, (), (), 0, (entry,))
    return found, list(broken(changed(before, [found], remove=True), {}))
