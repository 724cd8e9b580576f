"""名单: who is on an area's list, by name and role; telephone numbers are never in it."""

from handlers.commands.registry import Call, command
from handlers.commands.target import OVERSIGHT
from handlers.context import Context
from handlers.organisation import Person, Post, Role
from handlers.permissions import Permission
from handlers.replies import answer
from storage.tables import Ticket

STAFF = (Role.GRID_OWNER, Role.GRID_WORKER, Role.COORDINATOR)
_SHOWN = (Role.COORDINATOR, Role.GRID_OWNER, Role.GRID_WORKER, Role.UNIT, Role.VOLUNTEER, Role.COURIER)
_FEW, _MANY = 5, 200  # names a role, where others read along and where they do not


@command(
    "名单",
    "list",
    usage="#名单 [片区]",
    permission=Permission.GRID,
    help="这个片区有哪些人",
    numbered=False,
)
def roster(ctx: Context, call: Call) -> Ticket | None:
    area = asked_area(ctx, call)
    if area is None:
        return None
    name = ctx.organisation.area_name(area)
    listed = {role: people for role in _SHOWN if (people := _people(ctx, area, role))}
    if not listed:
        answer(ctx, call.incoming, ctx.texts("roster.empty", area=name))
        return None
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    whole = call.incoming.is_private or group.kind in OVERSIGHT
    most = _MANY if whole else _FEW
    lines = [ctx.texts("roster.head", area=name, count=len({id_ for of in listed.values() for id_ in of}))]
    for role, people in listed.items():
        names = "、".join(list(people.values())[:most])
        key = "roster.line" if len(people) <= most else "roster.line_more"
        lines.append(ctx.texts(key, role=ctx.texts(f"names.role.{role}"), names=names, count=len(people)))
    if not whole and any(len(people) > most for people in listed.values()):
        lines.append(ctx.texts("roster.rest", area=name))
    answer(ctx, call.incoming, "\n".join(lines))
    return None


def _people(ctx: Context, area: str, role: Role) -> dict[str, str]:
    """Names by id of those with that role in the area or below it, those of the area itself first."""
    organisation = ctx.organisation
    found: dict[str, str] = {}
    for code in (area, *sorted(organisation.all_within(area) - {area})):
        for post, person in organisation.posted(code):
            if post.role is role:
                found.setdefault(person.id, _name(ctx, person, post, area))
    return found


def _name(ctx: Context, person: Person, post: Post, area: str) -> str:
    """With the unit that he speaks for, or the area below in which he is."""
    unit = ctx.organisation.units.get(post.unit)
    if unit is not None:
        return f"{person.name}（{unit.name}）"
    elsewhere = post.area and post.area != area
    return f"{person.name}（{ctx.organisation.area_name(post.area)}）" if elsewhere else person.name


def own_area(ctx: Context, call: Call) -> str:
    """The area of this group; in private that of the person's first post."""
    if not call.incoming.is_private:
        group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
        return group.area or ctx.organisation.root
    posts = [post for post in call.actor.posts if post.role in STAFF]
    return (posts[0].area if posts else "") or ctx.organisation.root


def asked_area(ctx: Context, call: Call) -> str | None:
    """The area that is named, by name, part of it or code, else the own. None where it was said not to be."""
    areas, asked = ctx.organisation.areas, call.argument
    if not asked:
        return own_area(ctx, call)
    exact = [code for code, area in areas.items() if asked.upper() == code.upper() or asked == area.name]
    found = exact or [code for code, area in areas.items() if asked in area.name]
    if len(found) == 1:
        return found[0]
    answer(ctx, call.incoming, ctx.texts("roster.no_area", asked=asked[:30]))
    return None
