"""Groups that went quiet or lost the bot within a period."""

from datetime import timedelta

from handlers.context import Context
from handlers.figures.model import GroupTrouble, Loss, Period
from handlers.figures.scope import Scope
from storage import figures as store
from storage.tables import Room


def troubles(ctx: Context, scope: Scope, period: Period) -> tuple[GroupTrouble, ...]:
    """Of the scope's own groups, each told once: in the period in which it came to that. The oldest first.

    A group's row tells only how it is now: what has come right since is not told any more.
    """
    found = []
    for room in store.rooms(ctx.session):
        group = ctx.organisation.bound_group(room.id, room.topic)
        if group is None or not scope.holds(group.area or ctx.organisation.root):
            continue
        trouble = _trouble(room, group.area or ctx.organisation.root, ctx.rules.digests.quiet_days, period)
        if trouble is not None:
            found.append(trouble)
    return tuple(sorted(found, key=lambda one: (one.since, one.topic)))


def _trouble(room: Room, area: str, quiet_days: int, period: Period) -> GroupTrouble | None:
    if not room.present:
        left = room.left_at
        lost = left is not None and period.start <= left < period.end
        return GroupTrouble(room.topic, area, Loss.LOST, left) if left is not None and lost else None
    since = room.last_message_at or room.first_seen_at
    quiet_at = since + timedelta(days=quiet_days)
    if quiet_days and period.start <= quiet_at < period.end:
        return GroupTrouble(room.topic, area, Loss.QUIET, since)
    return None
