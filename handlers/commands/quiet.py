"""静默: the bot leaves a group in peace for a while, danger and commands excepted."""

from datetime import datetime, timedelta

from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.organisation import Role
from handlers.permissions import Permission, covers
from handlers.records import note
from handlers.replies import answer
from handlers.spans import end_of
from handlers.wording import clock_of
from storage import replies, rooms
from storage.tables import Ticket

_LONGEST = timedelta(hours=24)
_OVER = {"结束", "取消", "恢复", "解除", "off"}


@command(
    "静默",
    "mute",
    usage="#静默 2小时|到22:00|结束",
    permission=Permission.OWNER,
    help="这个群里先别出声，危险情况除外",
    glued=True,
    numbered=False,
)
def quiet(ctx: Context, call: Call) -> Ticket | None:
    incoming = call.incoming
    if incoming.is_private:
        answer(ctx, incoming, ctx.texts("quiet.in_group"))
        return None
    area = ctx.organisation.group(incoming.room, incoming.room_topic).area or ctx.organisation.root
    if not covers(ctx.organisation, call.actor, area, Role.GRID_OWNER, Role.COORDINATOR):
        answer(ctx, incoming, ctx.texts("permission.owner"))
        return None
    if call.argument in _OVER:
        _end(ctx, call)
        return None
    until = end_of(call.argument, ctx.local(ctx.now))
    if until is None:
        raise UsageError
    if until - ctx.now > _LONGEST:
        answer(ctx, incoming, ctx.texts("quiet.too_long"))
        return None
    before = _set(ctx, call, until)
    if before is not None and before > ctx.now:
        replies.move_held(ctx.session, incoming.account, incoming.room, before, until)
    answer(ctx, incoming, ctx.texts("quiet.on", until=clock_of(ctx, until)))
    return None


def _end(ctx: Context, call: Call) -> None:
    incoming = call.incoming
    now = rooms.silent_until(ctx.session, incoming.account, incoming.room)
    if now is None or now <= ctx.now:
        answer(ctx, incoming, ctx.texts("quiet.not_on"))
        return
    _set(ctx, call, None)
    replies.move_held(ctx.session, incoming.account, incoming.room, now, ctx.now)
    answer(ctx, incoming, ctx.texts("quiet.off"))


def _set(ctx: Context, call: Call, until: datetime | None) -> datetime | None:
    """Notes it, and returns until when it had been quiet before."""
    incoming = call.incoming
    before = rooms.silence(ctx.session, incoming.account, incoming.room, until)
    note(
        ctx,
        call.actor,
        "quiet",
        f"group:{incoming.room}",
        before={"until": before.isoformat() if before else None},
        after={"until": until.isoformat() if until else None},
        message_id=incoming.row_id,
    )
    return before
