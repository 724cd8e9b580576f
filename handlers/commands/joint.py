"""The commands of joint dispatch: 联办 免办."""

import re

from rapidfuzz import fuzz, process

from handlers import joint, joint_telling
from handlers.commands import target
from handlers.commands.change import refused
from handlers.commands.leading import unit_of
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.joint import OVER, names, parts
from handlers.permissions import Permission
from handlers.replies import answer, place_of
from handlers.wording import clock_of, facts, spoken
from storage.tables import Ticket

_BETWEEN = re.compile(r"[\s\u2005,，、;；]+")
_ALIKE = 50  # of 100: 消坊 and 消防 have 50
_MOST_NEAR, _MOST_NAMED = 3, 20


@command(
    "联办",
    "joint",
    usage="#联办 [号] 单位 单位…",
    permission=Permission.OWNER,
    help="请几家单位一起办，第一家牵头；再发一次可以加单位",
)
def summon(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "joint"):
        return ticket
    asked = _asked(call.argument)
    if not asked:
        raise UsageError
    found = [(word, unit_of(ctx, word, ticket.area)) for word in asked]
    if unknown := [word for word, unit in found if unit is None]:
        answer(ctx, call.incoming, _unknown(ctx, unknown), ticket=ticket)
        return ticket
    units = list({unit.code: unit for _, unit in found if unit}.values())
    message = call.incoming.row_id
    called = joint.call(ctx, ticket, units, call.actor, message)
    if called is None:
        values = facts(ctx, ticket) | {"names": names(units)}
        answer(ctx, call.incoming, ctx.texts("joint.already", **values), ticket=ticket)
        return ticket
    joint_telling.tell_call(ctx, ticket, called, place_of(call.incoming), message)
    return ticket


def _asked(argument: str) -> list[str]:
    return [word for part in _BETWEEN.split(argument) if (word := part.lstrip("@＠"))]


def _unknown(ctx: Context, words: list[str]) -> str:
    """Names the units that may have been meant; where none is near, those there are."""
    known = {name: unit for unit in ctx.organisation.units.values() for name in (unit.name, *unit.aliases)}
    near: dict[str, None] = {}
    for word in words:
        for name, _, _ in process.extract(word, list(known), scorer=fuzz.partial_ratio, limit=_MOST_NEAR):
            if fuzz.partial_ratio(word, name) >= _ALIKE:
                near[known[name].name] = None
    asked = "、".join(words)[:40]
    if near:
        return ctx.texts("joint.unknown_near", asked=asked, names="、".join(near))
    listed = "、".join(unit.name for unit in list(ctx.organisation.units.values())[:_MOST_NAMED])
    if listed:
        return ctx.texts("joint.unknown", asked=asked, names=listed)
    return ctx.texts("joint.no_units")


@command(
    "免办",
    "excuse",
    usage="#免办 [号] 单位 [原因]",
    permission=Permission.OWNER,
    help="联办的这家不用来了",
)
def excuse(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: bool(joint.missing(ctx, t)))
    if ticket is None or refused(ctx, call, ticket, "excuse"):
        return ticket
    words = call.argument.split(maxsplit=1)
    unit = unit_of(ctx, words[0].strip("@＠,，:：、"), ticket.area) if words else None
    if not words:
        raise UsageError
    part = next((p for p in parts(ctx, ticket) if unit and p.unit == unit.code), None)
    if part is None:
        values = facts(ctx, ticket) | {"names": words[0][:20]}
        answer(ctx, call.incoming, ctx.texts("joint.not_called", **values), ticket=ticket)
        return ticket
    if part.state in OVER:
        state, at = ctx.texts(f"names.part.{part.state}"), clock_of(ctx, joint_telling.since(part))
        values = facts(ctx, ticket) | {"names": part.name, "state": state, "at": at}
        answer(ctx, call.incoming, ctx.texts("joint.repeated", **values), ticket=ticket)
        return ticket
    reason = words[1] if words[1:] else ""
    event = joint.excuse(ctx, ticket, [part], call.actor, reason, call.incoming.row_id)
    left = joint.missing(ctx, ticket)
    values = facts(ctx, ticket) | {
        "names": part.name,
        "note": f"（{spoken(reason)}）" if reason else "",
        "missing": ctx.texts("joint.missing", names=names(left)) if left else "",
    }
    where = joint_telling.told_where(ctx, ticket, [part])
    for place in dict.fromkeys([place_of(call.incoming), *where]):
        text = ctx.texts("joint.excused", **values)
        joint_telling.tell(ctx, ticket, place, text, f"e{event.id}", call.incoming.row_id)
    if not left:
        joint_telling.complete(ctx, ticket, event, place_of(call.incoming))
    return ticket
