"""The commands that put joining right: 并案 拆分. Each undoes the other."""

import re
from dataclasses import replace

from classifiers.verdict import Label, Verdict, certain
from handlers import corrections, recurring, reports, tickets, tracks
from handlers.commands import target
from handlers.commands.change import do, may, person_list, refused
from handlers.commands.parsing import FULL_NUMBER
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.corrections import Taken
from handlers.lifecycle import State
from handlers.permissions import Permission
from handlers.replies import answer
from handlers.routing import area_of
from handlers.track_rules import Track
from handlers.wording import at, facts
from storage import links
from storage import tickets as store
from storage.tables import CorrectionKind, Message, Ticket, TicketReport

_OTHER = re.compile(rf"^[#＃\s]*(?:并入|到|入)?[#＃\s]*({FULL_NUMBER}|[0-9]{{1,5}})")


@command(
    "并案",
    "merge",
    usage="#并案 号 并入的号",
    permission=Permission.OWNER,
    help="两件其实是一件：前一件并入后一件",
)
def merge(ctx: Context, call: Call) -> Ticket | None:
    other = _OTHER.match(call.argument)
    if other is None or not call.number:
        raise UsageError
    ticket = target.find(ctx, call)
    into = target.find(ctx, replace(call, number=other[1].upper())) if ticket else None
    if ticket is None or into is None or refused(ctx, call, ticket, "merge"):
        return ticket
    if ticket.id == into.id:
        raise UsageError
    if refused(ctx, call, into, "absorb"):
        return ticket
    corrections.of_ticket(
        ctx, ticket, CorrectionKind.MERGE, by=call.actor.id, after=Taken(into.label, into.urgency)
    )
    values = {"into": into.number}
    do(ctx, call, ticket, "merge", note=into.number, values=values, changes={"merged_into": into.id})
    shared = links.share_reports(ctx.session, ticket.id, into.id)
    larger = ticket.track == Track.LARGE != into.track
    event = tickets.act(
        ctx,
        into,
        "absorb",
        call.actor,
        note=ticket.number,
        message_id=call.incoming.row_id,
        # What needed another's look needs it under the other number, too.
        changes={"place": into.place or ticket.place, **({"track": ticket.track} if larger else {})},
        merged=ticket.id,
        messages=shared,
    )
    if ticket.urgency > into.urgency:
        reports.raise_urgency(ctx, into, replace(call.incoming, text=ticket.summary), ticket.urgency)
    elif tracks.became_large(event):
        tracks.tell_watchers(ctx, into, f"e{event.id}", message_id=call.incoming.row_id)
    return into


@command(
    "拆分",
    "split",
    usage="#拆分 [号] [谁]",
    permission=Permission.OWNER,
    help="谁说的是另一件：引用那句话，或写名字；并错的写号就拆开",
)
def split(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, only_open=False)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED and ticket.merged_into:
        return _undo(ctx, call, ticket)
    if refused(ctx, call, ticket, "split"):
        return ticket
    told = store.reports(ctx.session, ticket.id)
    report = _meant(call, told)
    if report is None:
        names = "、".join(dict.fromkeys(one.reporter_name for one in told[1:]))
        if not names:
            answer(ctx, call.incoming, ctx.texts("command.split_alone", **facts(ctx, ticket)), ticket=ticket)
            return ticket
        values = facts(ctx, ticket) | {"names": names}
        answer(ctx, call.incoming, ctx.texts("command.split_whose", **values), ticket=ticket)
        return ticket
    return _taken_out(ctx, call, ticket, report)


def _meant(call: Call, told: list[TicketReport]) -> TicketReport | None:
    """Which report: the one whose words are quoted, else the last one by the person who is named.

    Never the first one: what is left would be a ticket that nobody opened.
    """
    quote = call.incoming.quote
    for report in reversed(told[1:]):
        quoted = quote is not None and quote.text == report.text
        if quoted or (call.argument and report.reporter_name == call.argument.lstrip("@＠ ").split()[0]):
            return report
    return None


def _taken_out(ctx: Context, call: Call, ticket: Ticket, report: TicketReport) -> Ticket:
    """The report becomes a ticket of its own, told where it was said and where the old one was."""
    message = ctx.session.get_one(Message, report.message_id)
    said = replace(
        call.incoming,
        room=report.room,
        room_topic=message.room_topic,
        sender=report.reporter,
        sender_name=report.reporter_name,
        text=report.text,
        row_id=report.message_id,
        quote=None,
    )
    verdict = _verdict(ticket, message)
    after = Taken(verdict.label, verdict.urgency)
    corrections.of_ticket(ctx, ticket, CorrectionKind.SPLIT, by=call.actor.id, after=after)
    own = tickets.open_ticket(ctx, said, verdict, area_of(ctx, said), report.text)
    owner = person_list(ctx, own.owner)
    values = facts(ctx, own) | {"number": ticket.number, "own": own.number}
    values |= {"owner": at(owner, ctx.texts("report.nobody"))}
    do(ctx, call, ticket, "split", note=own.number, values=values, mentions=owner)
    links.move_report(ctx.session, report, own.id)
    recurring.look(ctx, own, call.incoming.row_id)
    return own


def _verdict(ticket: Ticket, message: Message) -> Verdict:
    """What the bot had taken the message for, else what the ticket is."""
    known = message.label not in (None, Label.NONE)
    label = Label(message.label or ticket.label) if known else Label(ticket.label)
    urgency = (message.urgency if known else None) or ticket.urgency
    return certain(label, urgency, message.place or "")


def _undo(ctx: Context, call: Call, ticket: Ticket) -> Ticket:
    """Wrongly merged: it goes on by itself, and its reports leave the other ticket."""
    assert ticket.merged_into is not None
    if not may(ctx, call, ticket, Permission.OWNER):
        answer(ctx, call.incoming, ctx.texts("permission.owner"), ticket=ticket)
        return ticket
    into = store.locked(ctx.session, ticket.merged_into)
    joined = [
        event
        for event in store.events(ctx.session, into.id)
        if event.action == "absorb" and event.data.get("merged") == ticket.id
    ]
    links.take_back(ctx.session, ticket.id, into.id, joined[-1].data["messages"] if joined else [])
    tickets.record(ctx, into, "split", call.actor, note=ticket.number, message_id=call.incoming.row_id)
    values, owner = {"into": into.number}, person_list(ctx, ticket.owner)
    return do(ctx, call, ticket, "unmerge", values=values, mentions=owner, changes={"merged_into": None})
