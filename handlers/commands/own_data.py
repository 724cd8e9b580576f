"""What is kept about oneself, and having it removed: 我的信息 删除我的信息. In private only."""

from datetime import timedelta

from handlers import erasing
from handlers.commands.plain_words import Plain
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.permissions import Permission
from handlers.records import note
from handlers.replies import answer
from handlers.wording import clock_of
from storage import erasing as store
from storage.tables import Erasure, Ticket

_SURE = {"确认", "确定", "确认删除", "yes"}
_NOT = {"取消", "不删", "不删了", "no"}
_NAMED = 5  # tickets


@command(
    "我的信息",
    "mydata",
    usage="#我的信息",
    permission=Permission.ANYONE,
    help="看我记着您什么（请私聊我）",
    numbered=False,
)
def mine(ctx: Context, call: Call) -> Ticket | None:
    if not _alone(ctx, call):
        return None
    messages, tickets = store.counted(ctx.session, store.aliases(ctx.session, call.actor.id))
    asked = store.asked(ctx.session, call.actor.id)
    if asked is not None:
        answer(ctx, call.incoming, ctx.texts("mine.pending", until=clock_of(ctx, asked.due_at)))
        return None
    person = ctx.organisation.person(call.actor.id)
    posts = "、".join(erasing.post_names(ctx, person)) if person else ""
    shown = "、".join(tickets[-_NAMED:]) + ("等" if len(tickets) > _NAMED else "")
    text = ctx.texts(
        "mine.kept",
        messages=messages,
        tickets=len(tickets),
        numbers=f"（{shown}）" if shown else "",
        posts=ctx.texts("mine.posts", posts=posts) if posts else "",
        days=f"{ctx.rules.retention.chatter_days:g}",
        years=f"{ctx.rules.retention.tickets_years:g}",
    )
    answer(ctx, call.incoming, text)
    return None


@command(
    "删除我的信息",
    "forgetme",
    usage="#删除我的信息 [确认|取消]",
    permission=Permission.ANYONE,
    help="把我记着您的都删掉（请私聊我）",
    numbered=False,
    plain=(
        Plain("确认删除", argument="确认", offered=True),
        Plain("不删了", argument="取消", offered=True),
        Plain("不删", argument="取消", offered=True),
    ),
)
def forget(ctx: Context, call: Call) -> Ticket | None:
    if not _alone(ctx, call):
        return None
    asked = store.asked(ctx.session, call.actor.id)
    if call.argument in _NOT:
        _stop(ctx, call, asked)
    elif call.argument and call.argument not in _SURE:
        raise UsageError
    elif (refused := erasing.refusal(ctx, call.actor.id)) is not None:
        answer(ctx, call.incoming, erasing.why_not(ctx, refused))
    elif asked is not None:
        answer(ctx, call.incoming, ctx.texts("mine.pending", until=clock_of(ctx, asked.due_at)))
    elif call.argument:
        _take(ctx, call)
    else:
        _, tickets = store.counted(ctx.session, store.aliases(ctx.session, call.actor.id))
        answer(ctx, call.incoming, ctx.texts("mine.ask", tickets=len(tickets)))
    return None


def _alone(ctx: Context, call: Call) -> bool:
    """Nobody else reads along; else the answer says so."""
    if not call.incoming.is_private:
        answer(ctx, call.incoming, ctx.texts("mine.in_private"))
    return call.incoming.is_private


def _take(ctx: Context, call: Call) -> None:
    hours = ctx.rules.retention.erase_hours
    until = ctx.now + timedelta(hours=hours)
    ctx.session.add(
        Erasure(account=call.incoming.account, person=call.actor.id, asked_at=ctx.now, due_at=until)
    )
    subject, told = f"person:{call.actor.id}", {"until": until.isoformat()}
    note(ctx, call.actor, "erase_ask", subject, after=told, message_id=call.incoming.row_id)
    key = "mine.taken" if hours else "mine.at_once"
    answer(ctx, call.incoming, ctx.texts(key, until=clock_of(ctx, until), hours=f"{hours:g}"))


def _stop(ctx: Context, call: Call, asked: Erasure | None) -> None:
    if asked is None:
        answer(ctx, call.incoming, ctx.texts("mine.not_asked"))
        return
    subject, told = f"person:{call.actor.id}", {"until": asked.due_at.isoformat()}
    note(ctx, call.actor, "erase_stop", subject, before=told, message_id=call.incoming.row_id)
    ctx.session.delete(asked)
    answer(ctx, call.incoming, ctx.texts("mine.stopped"))
