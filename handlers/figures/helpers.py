"""What couriers and volunteers brought, and what people put right of the bot's judgement."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from handlers.context import Context
from handlers.figures.facts import Fact, is_duplicate
from handlers.figures.model import Helpers, Judgement, Period, Share
from handlers.figures.scope import Scope
from handlers.lifecycle import Resolution
from handlers.organisation import GroupKind, Role
from storage import figures as store
from storage.figures import Told

_OF: Mapping[Role, GroupKind] = {
    Role.COURIER: GroupKind.COURIER,
    Role.VOLUNTEER: GroupKind.VOLUNTEER,
}


def _is_of(ctx: Context, role: Role, person_id: str, room: str, topics: Mapping[str, str]) -> bool:
    """A courier by post, or whoever speaks in a couriers' group; for volunteers the same."""
    person = ctx.organisation.person(person_id)
    if person is not None and person.has(role):
        return True
    return bool(room) and ctx.organisation.group(room, topics.get(room, "")).kind is _OF[role]


def helpers(
    ctx: Context,
    everything: Sequence[Fact],
    opened: Sequence[Fact],
    closed: Sequence[Fact],
    reports_told: Iterable[Told],
) -> Helpers:
    """everything: of the scope, with what was merged, whose reports count too, each message once.

    reports_told: in the period, of whatever scope.
    """
    ids = {fact.stood.id for fact in everything}
    told = {one.message_id: one for one in reports_told if one.ticket_id in ids}
    topics = {room.id: room.topic for room in store.rooms(ctx.session)}
    reports = {
        role: sum(_is_of(ctx, role, one.reporter, one.room, topics) for one in told.values()) for role in _OF
    }
    matters = {
        role: sum(_is_of(ctx, role, fact.stood.reporter, fact.stood.room, topics) for fact in opened)
        for role in _OF
    }
    return Helpers(
        courier_reports=reports[Role.COURIER],
        courier_matters=matters[Role.COURIER],
        volunteer_reports=reports[Role.VOLUNTEER],
        volunteer_matters=matters[Role.VOLUNTEER],
        orders_taken=sum(event.action == "order" for fact in everything for event in fact.within),
        orders_done=sum(_done_by_order(fact) for fact in closed),
    )


def _done_by_order(fact: Fact) -> bool:
    """Solved, in the hands of the one who had taken it as an order."""
    takers = [event.actor for event in fact.events if event.action == "order"]
    return fact.stood.resolution == Resolution.FIXED and fact.stood.handler in takers[-1:]


def judgement(ctx: Context, scope: Scope, everything: Sequence[Fact], period: Period) -> Judgement:
    """right: of what the bot opened itself in the period. Left out: what a person decided to open."""
    corrected = Counter(
        one.kind
        for one in store.corrected(ctx.session, period.start, period.end)
        if scope.holds(one.area if one.area is not None else ctx.organisation.group(one.room, one.topic).area)
    )
    apart = {(e.note, e.at) for fact in everything for e in fact.within if e.action == "split"}
    opened = [fact for fact in everything if fact.opened]
    asked = [f for f in opened if f.had("review") or (f.stood.number, f.stood.opened_at) in apart]
    ids = {fact.stood.id for fact in asked}
    own = [fact for fact in opened if fact.stood.id not in ids]
    right = Share(sum(not _was_wrong(fact) for fact in own), len(own), len(asked))
    return Judgement(dict(sorted(corrected.items())), right)


def _was_wrong(fact: Fact) -> bool:
    """No matter at all, none of its own, or of another label."""
    false = fact.stood.resolution == Resolution.FALSE_ALARM
    return false or is_duplicate(fact.stood) or fact.had("relabel")
