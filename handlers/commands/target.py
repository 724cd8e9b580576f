"""Which ticket a command means: by number, short number, quote, or because only one is possible."""

import re
from collections.abc import Callable
from dataclasses import replace

from handlers.commands.registry import Call
from handlers.context import Context
from handlers.organisation import GroupKind, Role
from handlers.permissions import Permission
from handlers.replies import answer
from handlers.wording import clock_of, facts, shorten
from storage import tickets as store
from storage.tables import Ticket

_FULL = re.compile(r"[A-Z][A-Z0-9_.]*\d{4}-\d{3,5}", re.ASCII)
_OVERSIGHT = {GroupKind.COORDINATORS, GroupKind.UNITS}
_STAFF = {Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR}


Fits = Callable[[Ticket], bool]


def find(ctx: Context, call: Call, *, only_open: bool = True, fits: Fits = lambda _: True) -> Ticket | None:
    """The ticket, locked. Where there is none, or more than one, the answer says so and None comes back.

    fits: of several candidates those that the command can be done to are preferred.
    """
    found = _quoted(ctx, call) if not call.number else _numbered(ctx, call)
    if found is None and not call.number:
        candidates = _candidates(ctx, call, only_open=only_open)
        found = [ticket for ticket in candidates if fits(ticket)] or candidates
    if not found:
        asked = f"#{call.number}" if call.number else ""
        key = "command.no_ticket" if call.number else "command.none_open"
        answer(ctx, call.incoming, ctx.texts(key, asked=asked) if asked else ctx.texts(key))
        return None
    if len(found) > 1:
        answer(ctx, call.incoming, ctx.texts("command.which", lines=lines(ctx, found)))
        return None
    return store.locked(ctx.session, found[0].id)


def lines(ctx: Context, found: list[Ticket]) -> str:
    """One short line a ticket."""
    return "\n".join(
        ctx.texts(
            "command.list_line",
            **facts(ctx, ticket) | {"summary": shorten(ticket.summary, 14)},
            since=clock_of(ctx, ticket.opened_at),
        )
        for ticket in found[:8]
    )


def _scope(ctx: Context, call: Call) -> store.Scope:
    """What may be spoken of here by this person."""
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    wide: list[str] = []
    if group.kind in _OVERSIGHT:
        wide.append(group.area or ctx.organisation.root)
    if call.actor.role in _STAFF:
        wide.append(call.actor.area or ctx.organisation.root)
    within = ctx.organisation.within
    areas = tuple(code for code in ctx.organisation.areas if any(within(code, above) for above in wide))
    return store.Scope(call.incoming.account, call.incoming.room, areas, call.actor.id)


def _numbered(ctx: Context, call: Call) -> list[Ticket]:
    scope = _scope(ctx, call)
    if not call.number.isdigit():
        # A number of another year looks the same: the newest is meant.
        return store.visible(ctx.session, scope, number=call.number)[:1]
    found = store.visible(ctx.session, scope, running=int(call.number))
    open_ones = [ticket for ticket in found if ticket.state != "closed"]
    if open_ones:
        here = [ticket for ticket in open_ones if ticket.room == call.incoming.room]
        return here if len(here) == 1 else open_ones
    return found[:1]


def _quoted(ctx: Context, call: Call) -> list[Ticket] | None:
    """The tickets that the quoted message speaks of; None where nothing that helps is quoted."""
    quote = call.incoming.quote
    if quote is None:
        return None
    ids = store.of_quoted(ctx.session, call.incoming.account, quote.id) if quote.id else []
    if ids:
        return [store.locked(ctx.session, ticket_id) for ticket_id in ids]
    numbers = list(dict.fromkeys(_FULL.findall(quote.text.upper())))
    scope = _scope(ctx, call)
    found = [ticket for number in numbers for ticket in store.visible(ctx.session, scope, number=number)[:1]]
    return found or None


def _candidates(ctx: Context, call: Call, *, only_open: bool) -> list[Ticket]:
    """Without a number: what was reported in this group; in a command group whatever it oversees.

    Of a reporter only what he reported himself, where the command is a reporter's.
    """
    scope = _scope(ctx, call)
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    if call.incoming.room and group.kind not in _OVERSIGHT:
        scope = replace(scope, areas=(), person="")
    found = store.visible(ctx.session, scope, only_open=only_open)
    if call.command.permission is Permission.REPORTER:
        own = {t.id for t in found if call.actor.id in {r.reporter for r in store.reports(ctx.session, t.id)}}
        found = [ticket for ticket in found if ticket.id in own]
        if not only_open:
            return found[:1]
    return found
