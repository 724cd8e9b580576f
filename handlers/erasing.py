"""What is kept about a person, told and removed: tickets keep their facts, nobody can tell whose they were.

Everywhere a made id and 已删除的人 stand instead of the person. Of what he said a ticket keeps the matter,
with numbers, flats and names masked; what belongs to no ticket is emptied. His numbers and flats go wherever
others repeated them for his tickets, his name wherever it stands, unless it is also another's or an ordinary
word: then only in what has to do with him.
"""

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from classifiers.segment import ordinary
from handlers import masking, records
from handlers.care import Entry
from handlers.context import Context
from handlers.organisation import Person, Role
from handlers.permissions import Actor
from handlers.replies import Place, say
from handlers.vault import Unreadable
from storage import care
from storage import erasing as store
from storage import organisation as stored
from storage.erasing import GONE, Row, Who

_FEW = 5  # people a turn: each takes a walk through all tables
_LONG_NAME = 3  # characters from which a name is no ordinary word


class Refusal(StrEnum):
    """Why somebody is not erased as yet."""

    POST = "post"  # he is in the organisation, with a post or in its file
    IN_HAND = "in_hand"  # something is left to do for him


@dataclass(frozen=True, slots=True)
class Refused:
    why: Refusal
    what: tuple[str, ...]  # posts, or numbers of tickets


def refusal(ctx: Context, person: str) -> Refused | None:
    """None where the person can be erased."""
    found = ctx.organisation.person(person)
    if found is not None and (_has_work(found) or not stored.has_person(ctx.session, person)):
        return Refused(Refusal.POST, tuple(post_names(ctx, found)))
    numbers = store.in_hand(ctx.session, store.aliases(ctx.session, person))
    return Refused(Refusal.IN_HAND, tuple(numbers)) if numbers else None


def _has_work(person: Person) -> bool:
    return any(post.role is not Role.RESIDENT for post in person.posts)


def post_names(ctx: Context, person: Person) -> list[str]:
    """滨江路网格网格员, ..."""
    root = ctx.organisation.root
    names = (
        f"{ctx.organisation.area_name(post.area or root)}{ctx.texts(f'names.role.{post.role}')}"
        for post in person.posts
    )
    return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Scrub:
    """What is written instead of a person. `everywhere`: names that are nobody else's and no word."""

    who: Who
    gone: str
    name: str
    everywhere: frozenset[str]
    told: frozenset[str]  # numbers and flats that he told
    street: str
    _ids: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = [_whole_word(id) for id in sorted(self.who.ids, key=len, reverse=True)]
        object.__setattr__(self, "_ids", re.compile("|".join(patterns)))

    def row(self, row: Row) -> None:
        """Fills in `fresh`."""
        beside = store.name_columns(row.table)
        for column, value in row.values.items():
            if column in beside:
                fresh = self.name if value and row.values[beside[column]] in self.who.ids else value
            elif isinstance(value, str):
                fresh = self._said(row, column, value)
            elif isinstance(value, dict | list):
                fresh = self._inside(row, value)
            else:
                fresh = value
            if fresh != value:
                row.fresh[column] = fresh
        if row.chatter:
            row.fresh |= {"text": "", "quoted_text": None, "evidence": None, "place": None}
        elif row.table.name == "reply" and row.values["person"] in self.who.ids:
            row.fresh |= {"text": "", "sealed": None}

    def _said(self, row: Row, column: str, value: str) -> str:
        if value in self.who.ids:
            return self.gone
        if row.own and column in _SAID:
            value = masking.mask(masking.mask_for_others(value, street=self.street))
        return self.text(value, his=row.his)

    def text(self, value: str, *, his: bool) -> str:
        """Any text; `his`: it has to do with the person."""
        for name in sorted(self.who.names if his else self.everywhere, key=len, reverse=True):
            value = value.replace(name, self.name)
        if his:
            value = masking.mask_told(value, self.told)
        return self._ids.sub(self.gone, value)

    def _inside(self, row: Row, value: Any) -> Any:
        """The same within JSON."""
        if isinstance(value, dict):
            return {self.text(key, his=False): self._inside(row, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inside(row, inner) for inner in value]
        return self.text(value, his=row.his) if isinstance(value, str) else value


# The columns in which the one who wrote the row says something.
_SAID = frozenset({"text", "quoted_text", "note", "summary", "reason", "argument"})


def _whole_word(id: str) -> str:
    before = r"(?<![A-Za-z0-9_-])" if id[0].isascii() else r"(?<!\w)"
    behind = r"(?![A-Za-z0-9_-])" if id[-1].isascii() else r"(?!\w)"
    return f"{before}{re.escape(id)}{behind}"


def erase(ctx: Context, person: str, by: Actor | None = None) -> Mapping[str, int]:
    """Removes what is kept of the person: how many rows of which table. Nothing is left to a second call.

    by: who did it, None for the person. The action log tells that it was done, not of whom.
    """
    scrub = _scrub(ctx, person)
    counts: Counter[str] = Counter(store.forget(ctx.session, scrub.who.ids))
    if counts:
        stored.changed(ctx.session)
    for row in store.rows(ctx.session, scrub.who):
        scrub.row(row)
        if row.fresh:
            store.write(ctx.session, row)
            counts[row.table.name] += 1
    counts.update(_sealed(ctx, scrub))
    ctx.session.expire_all()
    if counts:
        actor = by or Actor(scrub.gone, scrub.name, Role.RESIDENT)
        records.note(ctx, actor, "erase", f"person:{scrub.gone}", after=dict(counts))
    return counts


def _scrub(ctx: Context, person: str) -> Scrub:
    who = store.who(ctx.session, person)
    known = {entry.name for entry in entries_of(ctx, who.ids)}
    roles = {ctx.texts(f"names.role.{role}") for role in Role}
    names = frozenset(name for name in who.names | known if len(name) > 1 and name not in roles)
    words = {*ctx.organisation.gazetteer(), *ordinary(names)}
    everywhere = frozenset(
        name
        for name in names
        if (len(name) >= _LONG_NAME or masking.is_a_name(name))
        and name not in words
        and not store.borne_by_others(ctx.session, name, who.ids)
    )
    told = frozenset(span for text in store.told(ctx.session, who) for span in masking.personal(text))
    who = Who(who.ids, names, who.tickets, who.messages, who.said_as)
    gone = f"{GONE}{secrets.token_hex(8)}"
    return Scrub(who, gone, ctx.texts("names.gone"), everywhere, told, ctx.organisation.street_code)


def entries_of(ctx: Context, ids: Collection[str]) -> list[Entry]:
    """The person in the care register, as far as it can be read."""
    return [entry for entry in ctx.care.entries if entry.chat in ids]


def _sealed(ctx: Context, scrub: Scrub) -> dict[str, int]:
    """His entry of the care register goes, with its visits; what was said of him sealed is sealed anew."""
    vault, mine = ctx.care.vault, entries_of(ctx, scrub.who.ids)
    if vault is None:
        return {}
    care.remove(ctx.session, [entry.id for entry in mine])
    fresh: dict[str, list[tuple[int, bytes]]] = {}
    for table, rows in care.sealed_beside(ctx.session).items():
        for id, token in rows:
            try:
                text = vault.open(token)
            except Unreadable:
                continue
            if (clean := scrub.text(text, his=bool(mine) and any(e.name in text for e in mine))) != text:
                fresh.setdefault(table, []).append((id, vault.seal(clean)))
    care.reseal(ctx.session, fresh)
    if mine:
        stored.changed(ctx.session)
    counts = {"care_record": len(mine), "sealed": sum(map(len, fresh.values()))}
    return {name: count for name, count in counts.items() if count}


def would_erase(ctx: Context, person: str) -> Mapping[str, int]:
    """How many rows of which table have to do with the person; changes nothing."""
    scrub = _scrub(ctx, person)
    counts: Counter[str] = Counter()
    for row in store.rows(ctx.session, scrub.who):
        scrub.row(row)
        counts[row.table.name] += bool(row.fresh)
    counts["care_record"] = len(entries_of(ctx, scrub.who.ids))
    return +counts


def kept(ctx: Context, person: str) -> dict[str, Any]:
    """Everything about the person, in JSON's types, by table. What others said of him is theirs."""
    ids = store.aliases(ctx.session, person)
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in store.exact(ctx.session, ids):
        told = {
            name: _told(value)
            for name, value in row.values.items()
            if not isinstance(value, bytes) and not name.endswith("_hash")
        }
        tables.setdefault(row.table.name, []).append(
            {k: v for k, v in told.items() if v not in (None, "", [], {})}
        )
    entries = [
        {
            "name": entry.name,
            "kinds": [str(kind) for kind in entry.kinds],
            "area": entry.area,
            "address": entry.address,
            "phone": entry.phone,
            "note": entry.note,
        }
        for entry in entries_of(ctx, ids)
    ]
    found = ctx.organisation.person(person)
    return {
        "person": person,
        "names": sorted(store.who(ctx.session, person).names),
        "posts": post_names(ctx, found) if found else [],
        "care": entries,
        "tables": tables,
    }


def _told(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    # More digits than JavaScript's numbers carry.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 2**53 else value


def sweep(ctx: Context, limit: int) -> int:
    """Erases those whose time has come; who has got a post since then is told that it was not done."""
    found = store.due(ctx.session, ctx.now, min(limit, _FEW))
    for asked in found:
        person, account = asked.person, asked.account
        refused = refusal(ctx, person)
        if refused is None:
            erase(ctx, person)
            continue
        text = ctx.texts("mine.still", why=why_not(ctx, refused))
        say(ctx, Place(account, "", person), text, key=f"erasure{asked.id}")
        ctx.session.delete(asked)
    return len(found)


def why_not(ctx: Context, refused: Refused) -> str:
    what = "、".join(refused.what)
    return ctx.texts(f"mine.{refused.why}", posts=what, numbers=what)


def names_nobody(session: Session, person: str) -> bool:
    """Whether nothing is kept of a person of that id."""
    return next(store.exact(session, store.aliases(session, person)), None) is None


def lines(counts: Mapping[str, int]) -> Iterator[str]:
    """For the command line: 3 message, 1 ticket."""
    yield ", ".join(f"{count} {table}" for table, count in sorted(counts.items())) or "nothing"
