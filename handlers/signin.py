"""Signing in to the pages by a one-time link that was asked for in chat."""

import re
from datetime import timedelta

from handlers.context import Context
from handlers.permissions import Actor
from handlers.records import note
from storage import signin as store

_TOKEN = re.compile(r"(?<=[?&]token=)[\w-]+")


def link(ctx: Context, actor: Actor, message_id: int) -> str:
    """A link that signs one browser in as this person, once; the one before it is good no more."""
    lifetime = timedelta(minutes=ctx.rules.sign_in_minutes)
    token = store.make_link_token(ctx.session, ctx.now, lifetime, actor.id)
    note(ctx, actor, "link", f"person:{actor.id}", message_id=message_id)
    return f"{ctx.world.pages}/?token={token}"


def veiled(text: str) -> str:
    """What the bot said, without what would let whoever reads it in."""
    return _TOKEN.sub("…", text)
