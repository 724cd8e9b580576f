"""What of the street somebody may see and settle on the pages: the posts decide, as they are right now.

Whoever has a post in the grids sees the matters of its area and of all below it, and what he or his unit was
given to do: what a command would tell in private. What belongs to no single ticket (the review list, unsent
replies, joining codes, the organisation) is for coordinators, in their areas.
"""

from handlers.directory import Entry
from handlers.organisation import Area, Group, Organisation, Person, Role
from handlers.permissions import Actor, Permission, allowed, covers
from storage.tables import Ticket

STAFF = (Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR)

# None: everywhere, also what belongs to no area that is known.
Areas = frozenset[str] | None


def may_sign_in(actor: Actor) -> bool:
    return actor.has(*STAFF)


def seen(organisation: Organisation, actor: Actor) -> Areas:
    """The areas whose matters the actor sees."""
    return _areas(organisation, actor, *STAFF)


def led(organisation: Organisation, actor: Actor) -> Areas:
    """Those in which the actor is a coordinator."""
    return _areas(organisation, actor, Role.COORDINATOR)


def _areas(organisation: Organisation, actor: Actor, *roles: Role) -> Areas:
    codes = {post.area or organisation.root for post in actor.posts if post.role in roles}
    if organisation.root in codes:
        return None
    return frozenset().union(*(organisation.all_within(code) for code in codes))


def holds(areas: Areas, area: str) -> bool:
    """Whether the area is one of these; one that nobody named is the street's own."""
    return areas is None or area in areas


def sees(organisation: Organisation, actor: Actor, ticket: Ticket) -> bool:
    return allowed(organisation, Permission.STAFF, actor, ticket)


def hands(actor: Actor) -> frozenset[str]:
    """Whose work is the actor's: his own and that of his units."""
    return frozenset({actor.id, *(post.unit for post in actor.posts if post.unit)})


def leads(organisation: Organisation, actor: Actor, area: str) -> bool:
    """Whether the actor is a coordinator of the area, "" or an unknown one being the street."""
    return covers(organisation, actor, area or organisation.root, Role.COORDINATOR)


def may_write(organisation: Organisation, actor: Actor, entry: Entry, was: Entry | None = None) -> bool:
    """Whether the actor may make this entry of the organisation out of what it was.

    All that it touches has to lie in the areas that the actor coordinates, so that nobody gives anybody
    more than he has. An area may be added below one of them.
    """
    touched = list(_touched(organisation, was)) if was is not None else []
    if isinstance(entry, Area):
        same = isinstance(was, Area) and was.parent == entry.parent
        touched += [] if same else [entry.parent or organisation.root]
    else:
        touched += _touched(organisation, entry)
    return all(leads(organisation, actor, area) for area in touched)


def may_remove(organisation: Organisation, actor: Actor, entry: Entry) -> bool:
    return all(leads(organisation, actor, area) for area in _touched(organisation, entry))


def _touched(organisation: Organisation, entry: Entry) -> list[str]:
    """The areas that an entry has to do with."""
    if isinstance(entry, Area):
        return [entry.code]
    if isinstance(entry, Person):
        return [post.area or organisation.root for post in entry.posts]
    return [entry.area or organisation.root]


def sees_entry(organisation: Organisation, areas: Areas, entry: Entry) -> bool:
    """Whether any part of the entry lies in these areas."""
    return any(holds(areas, area) for area in _touched(organisation, entry))


def sees_group(organisation: Organisation, areas: Areas, group: Group) -> bool:
    return holds(areas, group.area or organisation.root)
