"""The command that lets people in to the pages: 登录."""

from handlers.commands.registry import Call, command
from handlers.context import Context
from handlers.permissions import Permission
from handlers.replies import answer
from handlers.signin import link
from storage.tables import Ticket


@command(
    "登录",
    "login",
    usage="#登录",
    permission=Permission.GRID,
    help="要一个打开网页的链接（私聊发我）",
    numbered=False,
    bare=True,
)
def sign_in(ctx: Context, call: Call) -> Ticket | None:
    """Only in private: whoever has the link is that person until it is used."""
    if not call.incoming.is_private:
        answer(ctx, call.incoming, ctx.texts("sign_in.in_private"))
        return None
    url = link(ctx, call.actor, call.incoming.row_id)
    values = {"url": url, "minutes": f"{ctx.rules.sign_in_minutes:g}"}
    answer(ctx, call.incoming, ctx.texts("sign_in.link", **values))
    return None
