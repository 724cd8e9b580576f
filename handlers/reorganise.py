"""Changes of the organisation: what would come of them, whether it holds together, and writing it down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from handlers import records
from handlers.context import Context
from handlers.directory import TABLES, Content, Entry, faults, key_of, merged, stored
from handlers.faults import Fault
from handlers.organisation import Area, Group, Person
from handlers.permissions import Actor
from handlers.sheets import Read, Row, Wrong
from storage import organisation as store


@dataclass(frozen=True, slots=True)
class Base:
    """What stands in the file and in the database."""

    file: Content
    own: Content

    @property
    def content(self) -> Content:
        return merged(self.file, self.own)


def base_of(file: Content, session: Session, *, to_write: bool) -> Base:
    """Raises ConfigError where a row is not understood. to_write: whoever else writes waits until we have."""
    if to_write:
        store.hold(session)
    return Base(file, stored(session))


def without_sample(base: Base, areas: Sequence[Read]) -> Base:
    """Where another street comes in, the file's own is left out: two streets are never one organisation."""
    known = {area.code for area in base.file.areas}
    named = {key_of(read.entry) for read in areas}
    has_root = any(isinstance(read.entry, Area) and read.entry.parent is None for read in areas)
    if base.own.areas or known & named or not has_root:
        return base
    return Base(Content(words=base.file.words), base.own)


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of a table. `missing` are those that the sheets do not name."""

    table: str
    added: tuple[Entry, ...]
    changed: tuple[tuple[Entry, Entry], ...]
    unchanged: int
    missing: tuple[Entry, ...]

    @property
    def differs(self) -> bool:
        return bool(self.added or self.changed)


def difference(before: Content, table: str, reads: Sequence[Read]) -> Difference:
    named = {key_of(read.was) for read in reads if read.was is not None}
    return Difference(
        table,
        tuple(read.entry for read in reads if read.was is None),
        tuple((read.was, read.entry) for read in reads if read.was is not None and read.was != read.entry),
        sum(read.was == read.entry for read in reads),
        tuple(entry for entry in getattr(before, table) if key_of(entry) not in named),
    )


def changed(before: Content, differences: Sequence[Difference], *, remove: bool) -> Content:
    """The organisation as it would be; with `remove` without what is missing."""
    update: dict[str, tuple[Entry, ...]] = {}
    for found in differences:
        instead = {key_of(was): entry for was, entry in found.changed}
        gone = {key_of(entry) for entry in found.missing} if remove else set()
        kept = [entry for entry in getattr(before, found.table) if key_of(entry) not in gone]
        update[found.table] = (*(instead.get(key_of(entry), entry) for entry in kept), *found.added)
    return before.model_copy(update=update)


def broken(after: Content, reads: Mapping[str, Sequence[Read]]) -> Iterator[Wrong]:
    """What does not hold together, at the row that it comes from where it is one of these."""
    rows = {(table, key_of(read.entry)): read.rows for table in reads for read in reads[table]}
    for fault in faults(after):
        if fault.index < 0:
            yield Wrong(fault, Row({}))
            continue
        key = key_of(getattr(after, fault.table)[fault.index])
        yield Wrong(fault, _row(fault, rows.get((fault.table, key), ())) or Row({"key": key}))


def _row(fault: Fault, rows: Sequence[Row]) -> Row | None:
    """Of a person's rows the one with the faulty cell."""
    return next((row for row in rows if fault.value in row.cells.values()), rows[0] if rows else None)


def _to_keep(base: Base, after: Content) -> Content:
    """What the database has to hold for that. Nothing of the file, as long as the file says it already.

    Where areas change or something of the file goes, the whole moves into the database.
    """
    if base.own.areas or after.areas != base.file.areas:
        return after
    own: dict[str, tuple[Entry, ...]] = {}
    for table in TABLES[1:]:
        in_file = {key_of(entry): entry for entry in getattr(base.file, table)}
        if in_file.keys() - {key_of(entry) for entry in getattr(after, table)}:
            return after
        own[table] = tuple(e for e in getattr(after, table) if in_file.get(key_of(e)) != e)
    return Content.model_validate(own | {"areas": ()})


def write(
    ctx: Context,
    actor: Actor,
    base: Base,
    after: Content,
    differences: Sequence[Difference],
    *,
    remove: bool,
    what: str,
    bulk: bool = True,
) -> None:
    """Writes it into the tables, with a line in the action log for each change.

    what: how the log calls it, such as "import". In bulk there is a line for the whole, which names what was
    added by its keys.
    """
    kept = _to_keep(base, after)
    store.replace(ctx.session, **{table: rows_of(getattr(kept, table)) for table in TABLES})
    store.changed(ctx.session)
    for found in differences:
        _note_each(ctx, actor, found, remove=remove, what=what, bulk=bulk)
    told: dict[str, Any] = {found.table: [key_of(entry) for entry in found.added] for found in differences}
    adopted = bool(kept.areas and not base.own.areas)
    if bulk:
        records.note(ctx, actor, what, "organisation", after=told | {"adopted": adopted})
    elif adopted:
        records.note(ctx, actor, f"{what}_adopt", "organisation", after={"areas": len(base.file.areas)})


def _note_each(ctx: Context, actor: Actor, found: Difference, *, remove: bool, what: str, bulk: bool) -> None:
    name = "person" if found.table == "people" else found.table.removesuffix("s")
    for was, now in found.changed:
        _note(ctx, actor, f"{what}_change", f"{name}:{key_of(now)}", was, now)
    for gone in found.missing if remove else ():
        _note(ctx, actor, f"{what}_remove", f"{name}:{key_of(gone)}", gone, None)
    for added in () if bulk else found.added:
        _note(ctx, actor, f"{what}_add", f"{name}:{key_of(added)}", None, added)


def _note(
    ctx: Context, actor: Actor, action: str, subject: str, was: Entry | None, now: Entry | None
) -> None:
    before = was.model_dump(mode="json") if was else {}
    after = now.model_dump(mode="json") if now else {}
    records.note(ctx, actor, action, subject, before=before, after=after)


def rows_of(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """As the tables have them."""
    return [_row_of(entry) for entry in entries]


def _row_of(entry: Entry) -> dict[str, Any]:
    values = entry.model_dump(mode="json")
    if isinstance(entry, Group):
        return values | {"id": entry.id or entry.topic, "room_known": bool(entry.id)}
    if isinstance(entry, Person):
        posts = [post.model_dump(mode="json") for post in entry.posts]
        return {"id": entry.id, "name": entry.name, "posts": posts}
    return values
