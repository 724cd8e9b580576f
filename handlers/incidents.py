"""Which open ticket a report belongs to. A wrong join is worse than a missed one.

Weighed are the open tickets of the same group, of the same area, of those above and below it and of its
neighbours. What speaks for a join stands in `likeness.py`; here is where to look and how sure to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from classifiers.alike import alike
from classifiers.verdict import Verdict
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.likeness import Reported, likeness, reported, spot_of
from storage import tickets as store
from storage.tables import Ticket
from storage.tickets import OpenMatter


@dataclass(frozen=True, slots=True)
class Match:
    """An open ticket, locked, with how likely the report is another of it, and how alike in wording, 0..1.

    here: it was told in the report's own group before.
    """

    ticket: Ticket
    likeness: float
    wording: float = 0.0
    here: bool = True


def find(ctx: Context, incoming: Incoming, verdict: Verdict, area: str) -> Match | None:
    """The open ticket, locked, that this report is another report of, or None."""
    matters = store.open_matters(
        ctx.session,
        account=incoming.account,
        room=incoming.room,
        areas=ctx.organisation.near(area),
        since=ctx.now - timedelta(hours=ctx.rules.linking.window_hours),
    )
    found = _quoted(ctx, incoming, matters) or _likeliest(ctx, incoming, verdict, matters)
    if found is None:
        return None
    degree, matter = found
    ticket = store.locked(ctx.session, matter.id)
    if ticket.state == "closed":
        return None
    return Match(
        ticket,
        degree,
        max(alike(incoming.text, telling.text) for telling in matter.tellings),
        here=matter.last_told(incoming.room) is not None,
    )


def _quoted(
    ctx: Context, incoming: Incoming, matters: Sequence[OpenMatter]
) -> tuple[float, OpenMatter] | None:
    """Who answers a message about a ticket speaks of that ticket."""
    if incoming.quote is None:
        return None
    quote = incoming.quote
    ids = store.of_quoted(ctx.session, incoming.account, quote.id) if quote.id else []
    for matter in matters:
        told = {telling.text for telling in matter.tellings if telling.room == incoming.room}
        if matter.id in ids or (not quote.id and quote.text in told):
            return 1.0, matter
    return None


def _likeliest(
    ctx: Context, incoming: Incoming, verdict: Verdict, matters: Sequence[OpenMatter]
) -> tuple[float, OpenMatter] | None:
    report = reported(ctx.organisation.places, incoming, verdict, ctx.now)
    heard = [matter for matter in matters if not incoming.is_private or _own(incoming, matter)]
    newest = max((at for matter in heard if (at := matter.last_told(report.room))), default=None)
    likely = []
    for matter in heard:
        last = matter.last_told(report.room)
        degree = _degree(ctx, report, matter, latest=last is not None and last == newest)
        if degree >= _needed(ctx, here=last is not None):
            likely.append((degree, matter))
    return max(likely, key=lambda pair: (pair[0], pair[1].id), default=None)


def _own(incoming: Incoming, matter: OpenMatter) -> bool:
    """A private chat is nobody's but the sender's own: what others said in private stays out of it."""
    return any(t.room or t.reporter == incoming.sender for t in matter.tellings)


def _degree(ctx: Context, report: Reported, matter: OpenMatter, *, latest: bool) -> float:
    where = spot_of(ctx.organisation.places, matter)
    return likeness(report, matter, where, latest=latest)


def _needed(ctx: Context, *, here: bool) -> float:
    return ctx.rules.linking.same_group if here else ctx.rules.linking.same_area
