"""The command for more time: 延期, asked for, granted or refused."""

import re
from dataclasses import replace

from handlers import tickets
from handlers.commands import target
from handlers.commands.change import do, may, person_list, refused
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.deadlines import solved_by
from handlers.extensions import Wish, asked_where, deciders, objection, until, wish_of
from handlers.lifecycle import ACTIONS, State
from handlers.permissions import Permission
from handlers.replies import Place, answer, place_of, reporting_places, say
from handlers.wording import at, clock_of, facts, spoken
from storage import extensions as store
from storage.tables import Extension, Ticket

_DECISION = re.compile(r"^(?:(同意|批准|通过)|(不同意|不批准|不批|不通过))(?:$|[\s,，:：。]+(.*))", re.DOTALL)
_ONLY_UNIT = re.compile(r"^(?:个半?)?(?:工作日|天|小时|钟头|分钟|周|星期|礼拜)")


@command(
    "延期",
    "extend",
    usage="#延期 [号] 时间 原因",
    permission=Permission.STAFF,
    help="来不及，请指挥中心多给时间（2天、4小时、到周五）；批的人回 同意 或 不同意 原因",
    glued=True,
)
def extend(ctx: Context, call: Call) -> Ticket | None:
    if call.number.isdigit() and _ONLY_UNIT.match(call.argument):  # 延期 3 天
        call = replace(call, number="", argument=call.number + call.argument)
    decision = _DECISION.match(call.argument)
    if decision is not None:
        call = replace(call, argument=(decision[3] or "").strip())
        return decide(ctx, call, granted=bool(decision[1]))
    paths = ACTIONS["extend"].paths
    ticket = target.find(ctx, call, lambda t: State(t.state) in paths)
    if ticket is None:
        return None
    own = may(ctx, call, ticket, Permission.STREET)
    if refused(ctx, call, ticket, "extend" if own else "extend_request"):
        return ticket
    found = wish_of(ctx, ticket, call.argument)
    if found is None or not found[1]:
        raise UsageError
    wish, reason = found
    if why := objection(ctx, ticket, wish.minutes):
        answer(ctx, call.incoming, why, ticket=ticket)
        return ticket
    if own:
        return _grant(ctx, call, ticket, wish.minutes, reason)
    return _ask(ctx, call, ticket, wish, reason)


def _ask(ctx: Context, call: Call, ticket: Ticket, wish: Wish, reason: str) -> Ticket:
    """Once: who asks again is told what waits already."""
    waiting = store.waiting(ctx.session, ticket.id)
    places, person = deciders(ctx, ticket, call.actor)
    values = facts(ctx, ticket) | {"actor": call.actor.name, "note": spoken(reason), "span": wish.words}
    if waiting is not None:
        values["deadline"] = clock_of(ctx, until(ctx, ticket, waiting.minutes))
        answer(ctx, call.incoming, ctx.texts("extension.waiting", **values), ticket=ticket)
        return ticket
    if not places:
        answer(ctx, call.incoming, ctx.texts("extension.nobody", **values), ticket=ticket)
        return ticket
    ctx.session.add(
        Extension(
            ticket_id=ticket.id,
            minutes=wish.minutes,
            reason=reason[:500],
            asked_by=call.actor.id,
            asked_name=call.actor.name,
            asked_at=ctx.now,
        )
    )
    row = call.incoming.row_id
    event = tickets.act(
        ctx, ticket, "extend_request", call.actor, note=reason, message_id=row, minutes=wish.minutes
    )
    values |= {
        "deadline": clock_of(ctx, wish.until),
        "owner": at(person, ctx.texts("names.role.coordinator")),
    }
    people = [person] if person else []
    for place in places:
        text = ctx.texts("event.extend_request", **values)
        say(ctx, place, text, key=f"e{event.id}:ask", ticket=ticket, mentions=people, urgency=2)
    answer(ctx, call.incoming, ctx.texts("extension.asked", **values), ticket=ticket)
    return ticket


def decide(ctx: Context, call: Call, *, granted: bool) -> Ticket | None:
    """A coordinator's 同意 or 不同意 to what was asked for; who granted or refused it stands in the event."""

    def asked(ticket: Ticket) -> bool:
        return store.waiting(ctx.session, ticket.id) is not None

    ticket = target.find(ctx, call, asked)
    if ticket is None or refused(ctx, call, ticket, "extend" if granted else "extend_refuse"):
        return ticket
    waiting = store.waiting(ctx.session, ticket.id)
    if waiting is None:
        answer(ctx, call.incoming, _nothing_waits(ctx, ticket), ticket=ticket)
        return ticket
    if not granted:
        return _refuse(ctx, call, ticket, waiting)
    if why := objection(ctx, ticket, waiting.minutes):  # time has gone by since it was asked for
        store.lapse(ctx.session, ticket.id)
        answer(ctx, call.incoming, why, ticket=ticket)
        return ticket
    return _grant(ctx, call, ticket, waiting.minutes, waiting.reason)


def _nothing_waits(ctx: Context, ticket: Ticket) -> str:
    last, deadline = store.latest(ctx.session, ticket.id), solved_by(ctx, ticket)
    values = facts(ctx, ticket) | {"deadline": clock_of(ctx, deadline) if deadline else ""}
    granted = last is not None and last.state == "granted"
    return ctx.texts("extension.granted" if granted else "extension.none", **values)


def _grant(ctx: Context, call: Call, ticket: Ticket, minutes: int, reason: str) -> Ticket:
    """Told once in each group that reported it, as the new promise, and where it was asked for."""
    row = store.waiting(ctx.session, ticket.id)
    asked_at = asked_where(ctx, ticket) if row is not None else None
    if row is None:
        row = Extension(
            ticket_id=ticket.id,
            minutes=minutes,
            reason=reason[:500],
            asked_by=call.actor.id,
            asked_name=call.actor.name,
            asked_at=ctx.now,
        )
    row.minutes = minutes
    _decided(ctx, call, row, "granted")
    changes = {
        "extensions": ticket.extensions + 1,
        "extended_minutes": ticket.extended_minutes + minutes,
    }
    values = {"deadline": clock_of(ctx, until(ctx, ticket, minutes))}
    do(ctx, call, ticket, "extend", note=reason, values=values, changes=changes, data={"minutes": minutes})
    told = {*reporting_places(ctx, ticket), place_of(call.incoming)}
    if asked_at is not None and asked_at not in told:
        text = ctx.texts("event.extend", **facts(ctx, ticket), **values, note=spoken(reason))
        _say_there(ctx, call, ticket, asked_at, text)
    return ticket


def _refuse(ctx: Context, call: Call, ticket: Ticket, row: Extension) -> Ticket:
    """Told to who asked, not to the reporters: for them nothing has changed."""
    _decided(ctx, call, row, "refused")
    reason = call.argument or ctx.texts("command.no_reason")
    tickets.act(ctx, ticket, "extend_refuse", call.actor, note=reason, message_id=call.incoming.row_id)
    deadline, people = solved_by(ctx, ticket), person_list(ctx, row.asked_by)
    values = facts(ctx, ticket) | {
        "actor": call.actor.name,
        "note": spoken(reason),
        "mention": at(people),
        "deadline": clock_of(ctx, deadline) if deadline else "",
    }
    text = ctx.texts("event.extend_refuse", **values)
    places = dict.fromkeys([place for place in (asked_where(ctx, ticket), place_of(call.incoming)) if place])
    for place in places:
        key = f"m{call.incoming.row_id}:extend"
        say(ctx, place, text, key=key, ticket=ticket, mentions=people, urgency=2)
    return ticket


def _decided(ctx: Context, call: Call, row: Extension, state: str) -> None:
    row.state, row.decided_by, row.decided_at = state, call.actor.id, ctx.now
    ctx.session.add(row)


def _say_there(ctx: Context, call: Call, ticket: Ticket, place: Place, text: str) -> None:
    say(ctx, place, text, key=f"m{call.incoming.row_id}:extend", ticket=ticket, urgency=2)
