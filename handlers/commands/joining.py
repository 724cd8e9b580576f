"""The commands by which people and groups join; the code alone does the same."""

from handlers import joining
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.permissions import Permission
from handlers.replies import answer
from storage.joining import spelt
from storage.tables import Ticket

BINDING = {"加入", "绑定"}  # what is listened to in a group that nobody has bound


@command(
    "加入",
    "join",
    usage="#加入 码",
    permission=Permission.ANYONE,
    help="用加入码领身份（私聊发我）",
    numbered=False,
)
def join(ctx: Context, call: Call) -> Ticket | None:
    _take(ctx, call)
    return None


@command(
    "绑定",
    "bind",
    usage="#绑定 码",
    permission=Permission.GRID,
    help="用绑群码把这个群绑到片区",
    numbered=False,
)
def bind(ctx: Context, call: Call) -> Ticket | None:
    _take(ctx, call)
    return None


def _take(ctx: Context, call: Call) -> None:
    """Either kind of code is understood either way."""
    if not call.argument:
        raise UsageError
    code = spelt(call.argument)
    if code:
        joining.take(ctx, call.incoming, code)
    else:
        answer(ctx, call.incoming, ctx.texts("join.wrong"))
