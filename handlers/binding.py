"""A group gets its area, by the code that its owner types in it."""

from handlers.context import Context
from handlers.incoming import Incoming
from handlers.organisation import Group, GroupKind, Role
from handlers.permissions import covers
from handlers.records import note
from handlers.replies import answer
from handlers.tickets import actor_of
from storage import joining as store
from storage import organisation as stored
from storage.tables import Joining, OrgGroup

_BINDERS = (Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR)
_REBINDERS = (Role.GRID_OWNER, Role.COORDINATOR)


def bind(ctx: Context, incoming: Incoming, row: Joining, code: str) -> None:
    """Binds the group that the code was typed in, by whom may do that; the answer says what came of it."""
    organisation, actor = ctx.organisation, actor_of(ctx, incoming)
    before = bound(ctx, incoming.room, incoming.room_topic)
    values = {
        "area": organisation.area_name(row.area),
        "kind": ctx.texts(f"names.kind.{row.group_kind}"),
        "bound": organisation.area_name(before.area or organisation.root) if before else "",
    }
    if row.area not in organisation.areas:
        answer(ctx, incoming, ctx.texts("join.gone"))
        return
    if not covers(organisation, actor, row.area, *_BINDERS):
        answer(ctx, incoming, ctx.texts("bind.not_you", **values))
        return
    if before and (before.area or organisation.root, before.kind) == (row.area, row.group_kind):
        answer(ctx, incoming, ctx.texts("bind.same", **values))
        return
    both = (row.area, before.area or organisation.root) if before else ()
    if not all(covers(organisation, actor, area, *_REBINDERS) for area in both):
        answer(ctx, incoming, ctx.texts("bind.bound", **values))
        return
    if not store.spend(ctx.session, code, ctx.now, incoming.sender):
        answer(ctx, incoming, ctx.texts("join.used"))
        return
    group = Group(id=incoming.room, topic=incoming.room_topic, kind=GroupKind(row.group_kind), area=row.area)
    keep(ctx, group)
    note(
        ctx,
        actor,
        "bind",
        f"group:{incoming.room}",
        before={"area": before.area, "kind": before.kind} if before else {},
        after={"area": row.area, "kind": row.group_kind, "made_by": row.made_by},
        message_id=incoming.row_id,
    )
    answer(ctx, incoming, ctx.texts("bind.done", **values))


def bound(ctx: Context, room: str, topic: str) -> Group | None:
    """As the organisation has it, or as it was bound a moment ago."""
    row = ctx.session.get(OrgGroup, room)
    if row is not None and row.room_known:
        return Group(id=row.id, topic=row.topic, kind=GroupKind(row.kind), area=row.area)
    return ctx.organisation.bound_group(room, topic)


def keep(ctx: Context, group: Group, *, former: str = "") -> None:
    """Writes the binding down under the room's id; what stood there by the group's name alone gives way.

    former: the name that it had so far, where it has been renamed.
    """
    for topic in filter(None, (group.topic, former)):
        by_name = ctx.session.get(OrgGroup, topic)
        if by_name is not None and not by_name.room_known:
            ctx.session.delete(by_name)
            ctx.session.flush()
    row = ctx.session.get(OrgGroup, group.id) or OrgGroup(id=group.id)
    row.topic, row.kind, row.area, row.room_known = group.topic, str(group.kind), group.area, True
    ctx.session.add(row)
    ctx.session.flush()
    stored.changed(ctx.session)
