"""The commands of those who do the work: 到场 反馈 挂起 恢复 办结 误报 改类."""

import re

from classifiers.verdict import Label
from handlers import corrections, tickets
from handlers.commands import target
from handlers.commands.change import already, do, handled_by, may, person_list, refused
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.corrections import FOR_NOTHING, Taken
from handlers.lifecycle import Resolution, State
from handlers.permissions import Permission
from handlers.replies import answer, command_places, say
from handlers.wording import facts, label_of, spoken
from storage.tables import CorrectionKind, Ticket


@command("到场", "arrive", "onsite", usage="#到场 [号]", permission=Permission.STAFF, help="人到现场了")
def arrive(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.arrived_at is None)
    if ticket is None or refused(ctx, call, ticket, "arrive"):
        return ticket
    if ticket.arrived_at is not None and ticket.state == State.IN_PROGRESS and ticket.handler:
        return already(ctx, call, ticket)
    changes = handled_by(call.actor) if ticket.handler is None else None
    return do(ctx, call, ticket, "arrive", changes=changes)


@command(
    "反馈",
    "feedback",
    "note",
    usage="#反馈 [号] 说明",
    permission=Permission.STAFF,
    help="告诉群里办到哪了",
    glued=True,
)
def feedback(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "feedback"):
        return ticket
    return do(ctx, call, ticket, "feedback", note=call.argument)


@command(
    "挂起",
    "suspend",
    usage="#挂起 [号] 原因",
    permission=Permission.STAFF,
    help="一时办不了，请指挥中心批准暂停",
    glued=True,
)
def suspend(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.state == State.IN_PROGRESS)
    if ticket is None:
        return None
    if ticket.state == State.SUSPENDED:
        return already(ctx, call, ticket)
    if may(ctx, call, ticket, Permission.STREET):
        if refused(ctx, call, ticket, "suspend"):
            return ticket
        return do(ctx, call, ticket, "suspend", note=call.argument)
    if refused(ctx, call, ticket, "suspend_request"):
        return ticket
    event = tickets.act(
        ctx,
        ticket,
        "suspend_request",
        call.actor,
        note=call.argument,
        message_id=call.incoming.row_id,
    )
    values = facts(ctx, ticket) | {"actor": call.actor.name, "note": spoken(call.argument)}
    for place in command_places(ctx, ticket.account, ticket.area):
        text = ctx.texts("event.suspend_request", **values)
        say(ctx, place, text, key=f"e{event.id}:ask", ticket=ticket, urgency=2)
    answer(ctx, call.incoming, ctx.texts("event.suspend_asked", **values), ticket=ticket)
    return ticket


@command("恢复", "resume", usage="#恢复 [号]", permission=Permission.STAFF, help="挂起的事接着办")
def resume(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.state == State.SUSPENDED)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED and may(ctx, call, ticket, Permission.STREET):
        return do(ctx, call, ticket, "restore", mentions=person_list(ctx, ticket.owner))
    if refused(ctx, call, ticket, "resume"):
        return ticket
    return do(ctx, call, ticket, "resume")


# A note may begin with how it ended; without such a word it was solved.
_ENDINGS = {
    Resolution.EXPLAINED: re.compile(r"^(?:未解决)?已?解释[\s,，:：]*"),
    Resolution.REFERRED: re.compile(r"^已?转办[\s,，:：]*"),
}


@command(
    "办结",
    "close",
    "done",
    usage="#办结 [号] 说明",
    permission=Permission.STAFF,
    help="办完了，写清怎么办的（已解释/已转办 写在最前）",
    glued=True,
)
def close(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED:
        return already(ctx, call, ticket)
    if ticket.state == State.PENDING_CHECK:
        action = "check"
    else:
        action = "close" if may(ctx, call, ticket, Permission.OWNER) else "submit"
    if refused(ctx, call, ticket, action):
        return ticket
    if action == "submit":
        # Whoever says that it is done has done it; somebody else checks.
        owner = person_list(ctx, ticket.owner)
        changes = handled_by(call.actor)
        return do(ctx, call, ticket, "submit", note=call.argument, mentions=owner, changes=changes)
    ending = next((end for end, words in _ENDINGS.items() if words.match(call.argument)), None)
    note = _ENDINGS[ending].sub("", call.argument) if ending else call.argument
    if not note:
        raise UsageError
    return do(
        ctx,
        call,
        ticket,
        action,
        note=note,
        resolution=ending,
        template="event.close_explained" if ending is Resolution.EXPLAINED else "event.close",
        to_reporters=True,
    )


@command(
    "误报", "false", usage="#误报 [号] [说明]", permission=Permission.OWNER, help="不是真事，结掉", glued=True
)
def false_alarm(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None:
        return None
    if ticket.resolution == Resolution.FALSE_ALARM:
        return already(ctx, call, ticket)
    if refused(ctx, call, ticket, "false_alarm"):
        return ticket
    corrections.of_ticket(ctx, ticket, CorrectionKind.FALSE_ALARM, by=call.actor.id, after=FOR_NOTHING)
    return do(ctx, call, ticket, "false_alarm", note=call.argument)


@command(
    "改类",
    "relabel",
    usage="#改类 [号] 汛情|纠纷|安全|服务",
    permission=Permission.OWNER,
    help="类别记错了，改过来",
    glued=True,
)
def relabel(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "relabel"):
        return ticket
    label = _label(ctx, call.argument)
    if label is None:
        raise UsageError
    if ticket.label == label:
        text = ctx.texts("command.relabel_same", **facts(ctx, ticket))
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    after = Taken(label, ticket.urgency)
    corrections.of_ticket(ctx, ticket, CorrectionKind.RELABEL, by=call.actor.id, after=after)
    note = f"{label_of(ctx, ticket.label)}→{label_of(ctx, label)}"
    return do(ctx, call, ticket, "relabel", note=note, changes={"label": label})


def _label(ctx: Context, word: str) -> Label | None:
    reports = [label for label in Label if label is not Label.NONE]
    spelt = word.lower()[:8]
    return next((label for label in reports if label in spelt or label_of(ctx, label) in spelt), None)
