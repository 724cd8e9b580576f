"""Which ticket a command means: by number, short number, quote, or because only one is possible."""

import re
from collections.abc import Callable
from dataclasses import replace

from handlers import sides
from handlers.commands.parsing import FULL_NUMBER
from handlers.commands.registry import Call
from handlers.context import Context
from handlers.lifecycle import State
from handlers.organisation import GroupKind, Role
from handlers.permissions import Permission
from handlers.replies import answer
from handlers.wording import clock_of, facts, shorten
from storage import tickets as store
from storage.tables import Ticket

_FULL = re.compile(FULL_NUMBER)
OVERSIGHT = {GroupKind.COORDINATORS, GroupKind.UNITS}
_STAFF = {Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR}


Fits = Callable[[Ticket], bool]


def find(ctx: Context, call: Call, *wishes: Fits, only_open: bool = True) -> Ticket | None:
    """The ticket, locked. Where there is none, or more than one, the answer says so and None comes back.

    wishes: of several candidates those are preferred that the command can be done to.
    """
    if call.number:
        found = _numbered(ctx, call, wishes)
    else:
        found = _quoted(ctx, call) or _candidates(ctx, call, only_open=only_open)
    found = _preferred(found, *wishes, lambda ticket: ticket.handler == call.actor.id)
    if not found:
        answer(ctx, call.incoming, _nothing(ctx, call))
        return None
    if len(found) > 1:
        answer(ctx, call.incoming, ctx.texts("command.which", lines=lines(ctx, found)))
        return None
    ticket = store.locked(ctx.session, found[0].id)
    sides.watch(ctx, ticket)
    return ticket


def _preferred(found: list[Ticket], *wishes: Fits) -> list[Ticket]:
    """Those that fulfil each wish, as far as any does."""
    for wish in wishes:
        found = [ticket for ticket in found if wish(ticket)] or found
    return found


def _nothing(ctx: Context, call: Call) -> str:
    if call.number:
        return ctx.texts("command.no_ticket", asked=f"#{call.number}")
    return ctx.texts(f"command.none_{'mine' if call.command.permission is Permission.REPORTER else 'open'}")


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
    if group.kind in OVERSIGHT:
        wide.append(group.area or ctx.organisation.root)
    wide += [post.area or ctx.organisation.root for post in call.actor.posts if post.role in _STAFF]
    areas = tuple(sorted(frozenset().union(*(ctx.organisation.all_within(code) for code in wide))))
    person = ctx.organisation.person(call.actor.id)
    units = tuple(unit.code for unit in ctx.organisation.units_of(person)) if person else ()
    return store.Scope(call.incoming.account, call.incoming.room, areas, call.actor.id, units)


def _numbered(ctx: Context, call: Call, wishes: tuple[Fits, ...]) -> list[Ticket]:
    scope = _scope(ctx, call)
    if not call.number.isdigit():
        # A number of another year looks the same: the newest is meant.
        found = store.visible(ctx.session, scope, number=call.number)
        return sorted(found, key=lambda ticket: ticket.id, reverse=True)[:1]
    found = store.visible(ctx.session, scope, running=int(call.number))
    here = {ticket.id for ticket in _told_here(ctx, call, running=int(call.number))}
    found = _preferred(found, *wishes, lambda t: t.state != State.CLOSED, lambda t: t.id in here)
    return found[:1] if found and found[0].state == State.CLOSED else found


def _told_here(
    ctx: Context, call: Call, *, only_open: bool = False, running: int | None = None
) -> list[Ticket]:
    """What was reported in this group."""
    scope = store.Scope(call.incoming.account, call.incoming.room)
    return store.visible(ctx.session, scope, only_open=only_open, running=running)


def _quoted(ctx: Context, call: Call) -> list[Ticket] | None:
    """The tickets that the quoted message speaks of; None where nothing that helps is quoted."""
    quote = call.incoming.quote
    if quote is None:
        return None
    ids = store.of_quoted(ctx.session, call.incoming.account, quote.id) if quote.id else []
    if ids:
        return [store.locked(ctx.session, ticket_id) for ticket_id in ids]
    return named_in(ctx, call, quote.text) or None


def named_in(ctx: Context, call: Call, text: str) -> list[Ticket]:
    """The tickets whose whole numbers stand in the text, as far as this person may speak of them here."""
    numbers = list(dict.fromkeys(_FULL.findall(text.upper())))[:8]
    scope = _scope(ctx, call)
    return [ticket for number in numbers for ticket in store.visible(ctx.session, scope, number=number)[:1]]


def names_ticket(ctx: Context, text: str) -> bool:
    """Whether the text begins as what the bot says of a ticket does: with its whole number."""
    found = _FULL.match(text.lstrip("【[「 ").upper())
    return found is not None and found[0].startswith(ctx.organisation.street_code)


def numbered(ctx: Context, call: Call) -> list[Ticket]:
    """The tickets that the call's number may mean here."""
    return _numbered(ctx, call, ())


def quotes_ticket(ctx: Context, call: Call) -> bool:
    """Whether the message answers one that spoke of a ticket."""
    return _quoted(ctx, call) is not None


def open_here(ctx: Context, call: Call) -> list[Ticket]:
    """The open tickets of this group, for somebody who has none of his own."""
    return _candidates(ctx, call, only_open=True)


def _candidates(ctx: Context, call: Call, *, only_open: bool) -> list[Ticket]:
    """Without a number: what was reported in this group, and what the person has in hand.

    In private and in a group of those who oversee, whatever may be spoken of there. Of a reporter only what
    he reported himself, where the command is a reporter's.
    """
    scope = _scope(ctx, call)
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    if call.incoming.is_private or group.kind in OVERSIGHT:
        found = store.visible(ctx.session, scope, only_open=only_open)
    else:
        found = _told_here(ctx, call, only_open=only_open)
        own = store.visible(ctx.session, replace(scope, room="", areas=()), only_open=only_open)
        known = {ticket.id for ticket in found}
        found += [t for t in own if t.handler == call.actor.id and t.id not in known]
    if call.command.permission is Permission.REPORTER:
        found = [t for t in found if call.actor.id in {r.reporter for r in store.reports(ctx.session, t.id)}]
    return found
