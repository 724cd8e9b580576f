"""What happens to groups: the bot enters or is removed, a group is renamed, its owner leaves."""

from collections.abc import Iterable

from handlers import binding
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.organisation import Role
from handlers.permissions import as_actor, covers
from handlers.replies import Place, say
from storage import rooms
from storage.tables import Room

_OWN = (Role.GRID_OWNER, Role.COORDINATOR)


def changed(
    ctx: Context, account: str, room: str, change: str, topic: str = "", people: Iterable[str] = ()
) -> None:
    """What a gateway tells of a group; `change` as in RoomChange, one that is not known changes nothing."""
    match change:
        case "joined":
            entered(ctx, account, room, topic)
        case "left":
            left(ctx, account, room)
        case "renamed":
            renamed(ctx, account, room, topic)
            rooms.changed(ctx.session, account, room, ctx.now, topic=topic)
        case "member_left":
            members_left(ctx, account, room, people)
        case "member_joined":
            members_joined(ctx, account, room, people)


def entered(ctx: Context, account: str, room: str, topic: str = "") -> None:
    """The bot is in the group now. Where nobody has bound it, it says so in one line, once and for all."""
    renamed(ctx, account, room, topic)
    rooms.changed(ctx.session, account, room, ctx.now, topic=topic)
    topic = topic or _topic(ctx, account, room)
    organisation = ctx.organisation
    may_be_bound_by_name = not topic and any(not group.id for group in organisation.groups)
    if ctx.rules.serve != "bound" or organisation.bound_group(room, topic) or may_be_bound_by_name:
        return
    if rooms.greet(ctx.session, account, room, ctx.now):
        say(ctx, Place(account, room), ctx.texts("bind.greeting"), key=f"greeting:{account}")


def left(ctx: Context, account: str, room: str) -> None:
    """The bot was removed."""
    rooms.changed(ctx.session, account, room, ctx.now, present=False)


def renamed(ctx: Context, account: str, room: str, topic: str) -> bool:
    """Notes the group's new name, if it is one; a group bound by its name is bound by its id from now on."""
    former = rooms.rename(ctx.session, account, room, topic, ctx.now) if topic else ""
    if not former:
        return False
    group = binding.bound(ctx, room, "") or ctx.organisation.bound_group("", former)
    if group is not None and group.id in ("", room):
        binding.keep(ctx, group.model_copy(update={"id": room, "topic": topic}), former=former)
    return True


def members_left(ctx: Context, account: str, room: str, people: Iterable[str]) -> None:
    """Somebody who answers for the group may be gone: the board shows it until one of them is heard again."""
    if _own_people(ctx, account, room, people):
        rooms.changed(ctx.session, account, room, ctx.now)
        rooms.owner_left(ctx.session, account, room, ctx.now)


def members_joined(ctx: Context, account: str, room: str, people: Iterable[str]) -> None:
    if _own_people(ctx, account, room, people):
        rooms.owner_left(ctx.session, account, room, None)


def heard(ctx: Context, batch: Iterable[Incoming]) -> None:
    """Whoever answers for a group and speaks in it is there."""
    for account, room, sender, topic in {
        (m.account, m.room, m.sender, m.room_topic) for m in batch if m.room
    }:
        if _answers_for(ctx, room, topic, sender):
            rooms.owner_left(ctx.session, account, room, None)


def _own_people(ctx: Context, account: str, room: str, people: Iterable[str]) -> bool:
    topic = _topic(ctx, account, room)
    return any(_answers_for(ctx, room, topic, person) for person in people)


def _answers_for(ctx: Context, room: str, topic: str, person_id: str) -> bool:
    person = ctx.organisation.person(person_id)
    if person is None or not person.has(*_OWN):
        return False
    group = ctx.organisation.bound_group(room, topic)
    area = (group.area if group else "") or ctx.organisation.root
    return group is not None and covers(ctx.organisation, as_actor(person), area, *_OWN)


def _topic(ctx: Context, account: str, room: str) -> str:
    row = ctx.session.get(Room, (account, room))
    return row.topic if row else ""
