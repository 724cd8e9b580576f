"""The commands of those who report: 报 撤回 满意 不满意."""

from dataclasses import replace

from classifiers.verdict import Sample
from handlers import incidents, ladder, reports
from handlers.commands import target
from handlers.commands.change import do, may, person_list, refused
from handlers.commands.registry import Call, NoteMissing, UsageError, command
from handlers.context import Context
from handlers.lifecycle import State
from handlers.permissions import Permission
from handlers.replies import answer, place_of
from handlers.routing import area_of
from handlers.tickets import lock_openings, record
from handlers.wording import facts, spoken
from storage import tickets as store
from storage.tables import Ticket

# What was asked for by command joins only what is told in all but the same words.
_ALL_BUT_THE_SAME = 0.8


@command(
    "报", "report", usage="#报 内容", permission=Permission.ANYONE, help="把一件事记下来办", numbered=False
)
def report(ctx: Context, call: Call) -> Ticket | None:
    content = call.argument
    if not content:
        raise UsageError
    incoming = replace(call.incoming, text=content)
    group = ctx.organisation.group(incoming.room, incoming.room_topic)
    sample = Sample(content, role=call.actor.role, group_kind=group.kind)
    verdict = reports.explicit(ctx.world.classifier.classify(sample))
    lock_openings(ctx)
    match = incidents.find(ctx, incoming, verdict, area_of(ctx, incoming))
    if match is not None and match.wording >= _ALL_BUT_THE_SAME:
        reports.join(ctx, match.ticket, incoming, verdict, asked=True)
        return match.ticket
    return reports.open_and_tell(ctx, incoming, verdict, content)


@command(
    "撤回", "withdraw", usage="#撤回 [号]", permission=Permission.REPORTER, help="收回自己的反映", glued=True
)
def withdraw(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "withdraw"):
        return ticket
    gone = {e.actor for e in store.events(ctx.session, ticket.id) if e.action == "report_withdrawn"}
    others = {r.reporter for r in store.reports(ctx.session, ticket.id)} - gone - {call.actor.id}
    if others:
        record(ctx, ticket, "report_withdrawn", call.actor, message_id=call.incoming.row_id)
        text = ctx.texts("command.withdraw_others", **facts(ctx, ticket))
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    return do(ctx, call, ticket, "withdraw", note=call.argument)


@command(
    "满意",
    "ok",
    "satisfied",
    usage="#满意 [号]",
    permission=Permission.REPORTER,
    help="办得满意",
    glued=False,
)
def satisfied(ctx: Context, call: Call) -> Ticket | None:
    ticket = _closed(ctx, call)
    if ticket is None:
        return None
    if ticket.satisfied is not None:
        answer(ctx, call.incoming, ctx.texts("command.rated", **facts(ctx, ticket)), ticket=ticket)
        return ticket
    if refused(ctx, call, ticket, "satisfied"):
        return ticket
    return do(ctx, call, ticket, "satisfied", changes={"satisfied": True})


@command(
    "不满意",
    "bad",
    "dissatisfied",
    usage="#不满意 [号] [原因]",
    permission=Permission.REPORTER,
    help="没办好，请重新办",
    glued=True,
)
def dissatisfied(ctx: Context, call: Call) -> Ticket | None:
    ticket = _closed(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "reopen"):
        return ticket
    assert ticket.closed_at is not None
    if ctx.now - ticket.closed_at > ctx.rules.reopen_window:
        hours = f"{ctx.rules.reopen_hours:g}"
        text = ctx.texts("command.too_late", **facts(ctx, ticket), hours=hours)
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    if not call.argument:
        raise NoteMissing(ticket, "ask.reason")
    said, owner = _closing_note(ctx, ticket), person_list(ctx, ticket.owner)
    do(ctx, call, ticket, "reopen", note=call.argument, mentions=owner, changes={"satisfied": False})
    ladder.tell_above(
        ctx,
        ticket,
        "event.reopen_notice",
        {"actor": call.actor.name, "note": spoken(call.argument), "said": said},
        asked_in=place_of(call.incoming),
    )
    return ticket


def _closing_note(ctx: Context, ticket: Ticket) -> str:
    """How it was said to have ended, "" where nothing was said."""
    events = store.events(ctx.session, ticket.id)
    notes = [event.note for event in events if event.to_state == State.CLOSED and event.note]
    return ctx.texts("names.said", note=spoken(notes[-1])) if notes else ""


def _closed(ctx: Context, call: Call) -> Ticket | None:
    """The closed ticket that is judged; an open one is answered here."""
    oldest = ctx.now - ctx.rules.reopen_window

    def recent(ticket: Ticket) -> bool:
        return ticket.closed_at is not None and ticket.closed_at >= oldest

    def unjudged(ticket: Ticket) -> bool:
        return ticket.state == State.CLOSED and ticket.satisfied is None

    ticket = target.find(ctx, call, _is_closed, recent, unjudged, only_open=False)
    if ticket is None or ticket.state == State.CLOSED or not may(ctx, call, ticket, Permission.REPORTER):
        return ticket
    answer(ctx, call.incoming, ctx.texts("command.not_closed", **facts(ctx, ticket)), ticket=ticket)
    return None


def _is_closed(ticket: Ticket) -> bool:
    return ticket.state == State.CLOSED
