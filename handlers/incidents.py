"""Which open ticket a report belongs to. A wrong join is worse than a missed one.

A simple linker: same label, same group or area, within a time window, similar words or place. `find` is the
interface; what it weighs may deepen without its callers noticing.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from rapidfuzz import fuzz

from classifiers.verdict import Label, Verdict
from handlers.context import Context
from handlers.incoming import Incoming
from storage import tickets as store
from storage.tables import Ticket
from storage.tickets import OpenMatter

_NUMBERS = re.compile(r"\d+")
_FRAGMENT = timedelta(minutes=10)
_FRESH = timedelta(minutes=30)
# People tell these in several messages. Two wishes of one person may well be two matters.
_TOLD_IN_PIECES = {Label.FLOOD, Label.SAFETY, Label.DISPUTE}


@dataclass(frozen=True, slots=True)
class Match:
    """An open ticket, locked, with how alike the report is to it, 0..1."""

    ticket: Ticket
    likeness: float


def find(ctx: Context, incoming: Incoming, verdict: Verdict, area: str) -> Match | None:
    """The open ticket, locked, that this report is another report of, or None."""
    window = timedelta(hours=ctx.rules.linking.window_hours)
    candidates = store.open_matters(
        ctx.session,
        account=incoming.account,
        room=incoming.room,
        areas=_near(ctx, area),
        label=verdict.label,
        since=ctx.now - window,
    )
    linking = ctx.rules.linking
    likely = [
        (likeness, matter)
        for matter in candidates
        if (likeness := _likeness(ctx, matter, incoming, verdict, window))
        >= (linking.same_group if matter.told_here else linking.same_area)
    ]
    if not likely:
        return None
    likeness, matter = max(likely, key=lambda pair: (pair[0], pair[1].id))
    ticket = store.locked(ctx.session, matter.id)
    return Match(ticket, likeness) if ticket.state != "closed" else None


def _near(ctx: Context, area: str) -> list[str]:
    """Areas whose tickets may be meant: the same, those above it and those below it."""
    organisation = ctx.organisation
    if area not in organisation.areas:
        return [area]
    above = [found.code for found in organisation.upwards(area)]
    below = [code for code in organisation.areas if organisation.within(code, area)]
    return list(dict.fromkeys(above + below))


def _likeness(
    ctx: Context, ticket: OpenMatter, incoming: Incoming, verdict: Verdict, window: timedelta
) -> float:
    age = ctx.now - ticket.updated_at
    # A private chat is nobody's but the sender's own.
    same_group = ticket.told_here and (not incoming.is_private or ticket.reporter == incoming.sender)
    is_fragment = (
        same_group
        and ticket.reporter == incoming.sender
        and age <= _FRAGMENT
        and verdict.label in _TOLD_IN_PIECES
    )
    place = _place(ticket, incoming, verdict)
    if place == 0.0 and is_fragment and not _numbers_differ(verdict.place, ticket.place):
        place = None  # the same trouble, seen from another corner
    if place == 0.0:
        return 0.0  # two places that differ are two matters, however alike the words
    if place is None:  # one of them names no place: only nearness in the talk speaks for it
        if not same_group:
            return 0.0
        place = 0.6 if age <= _FRESH else 0.2
    words, freshness = _words(ticket.summary, incoming.text), 1 - age / window
    return min(1.0, 0.45 * place + 0.4 * words + 0.15 * freshness + (0.3 if is_fragment else 0.0))


def _place(ticket: OpenMatter, incoming: Incoming, verdict: Verdict) -> float | None:
    """How alike the places are; 0.0 when they differ, None when one of them is unknown."""
    here = verdict.place
    if not here or not ticket.place:
        return 1.0 if ticket.place and ticket.place in incoming.text else None
    if _numbers_differ(here, ticket.place):
        return 0.0
    ratio = max(fuzz.partial_ratio(here, ticket.place), fuzz.ratio(here, ticket.place)) / 100
    return ratio if ratio >= 0.5 else 0.0


def _numbers_differ(one: str, other: str) -> bool:
    """3栋 is not 5栋, whatever else they share."""
    ours, theirs = set(_NUMBERS.findall(one)), set(_NUMBERS.findall(other))
    return bool(ours and theirs and not ours & theirs)


def _words(one: str, other: str) -> float:
    """How many pairs of neighbouring characters both have (overlap of bigrams), 0..1."""
    first, second = _bigrams(one), _bigrams(other)
    if not first or not second:
        return 0.0
    return len(first & second) / min(len(first), len(second))


@lru_cache(maxsize=2048)
def _bigrams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1) if text[i : i + 2].isalnum())
