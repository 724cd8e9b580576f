"""Who may do what to a ticket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.organisation import Level, Organisation, Person, Post, Role
from handlers.track_rules import Track
from storage.tables import Ticket


class Permission(StrEnum):
    ANYONE = "anyone"
    REPORTER = "reporter"  # one of those who reported it
    STAFF = "staff"  # the handler, and grid workers and owners of the area, and the street
    GRID = "grid"  # grid workers and owners of the area, and the street
    OWNER = "owner"  # the grid owners of the area, and the street
    CHECKER = "checker"  # an owner who did not handle it himself; of a large matter one of its level or above
    STREET = "street"  # coordinators
    BOT = "bot"  # nobody by command


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `id` is the person's id at the chat network; `role` and `area` are the main post."""

    id: str
    name: str
    role: Role
    area: str = ""
    also: tuple[Post, ...] = ()

    @property
    def posts(self) -> tuple[Post, ...]:
        return (Post(role=self.role, area=self.area), *self.also)

    def has(self, *roles: Role) -> bool:
        return any(post.role in roles for post in self.posts)


BOT = Actor("bot", "bot", Role.BOT)
# Whoever has the command line, and who signed in by a link made there.
OPERATOR = Actor("operator", "运维", Role.COORDINATOR)


def as_actor(person: Person) -> Actor:
    return Actor(person.id, person.name, person.role, person.area, person.posts)


Rule = Callable[[Organisation, Actor, Ticket, frozenset[str]], bool]


_OWNERS = (Role.GRID_OWNER, Role.COORDINATOR)


def covers(organisation: Organisation, actor: Actor, area: str, *roles: Role) -> bool:
    """Whether one of the actor's posts is of these roles and reaches the area."""
    return any(
        post.role in roles and organisation.within(area, post.area or organisation.root)
        for post in actor.posts
    )


def speaks_for(organisation: Organisation, actor: Actor, area: str, level: Level) -> bool:
    """Whether the actor belongs to that level of the area, or to one above it."""
    found = organisation.area_at(area, level)
    if level is Level.GRID or found is None:
        return covers(organisation, actor, area, *_OWNERS)
    return covers(organisation, actor, found.code, Role.COORDINATOR)


def of_its_level(organisation: Organisation, actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor may judge a large matter where it has come to; anybody where nobody else is there."""
    level = Level(ticket.level)
    if ticket.track != Track.LARGE or speaks_for(organisation, actor, ticket.area, level):
        return True
    area = organisation.area_at(ticket.area, level)
    there = organisation.staff(area.code, Role.COORDINATOR) if area else []
    return all(is_handler(as_actor(person), ticket) for person in there)


def is_handler(actor: Actor, ticket: Ticket) -> bool:
    """Who it was given to, or anybody of the unit it was given to."""
    if not ticket.handler:
        return False
    return ticket.handler == actor.id or any(post.unit == ticket.handler for post in actor.posts)


def _street(organisation: Organisation, actor: Actor, ticket: Ticket, _: frozenset[str]) -> bool:
    return covers(organisation, actor, ticket.area, Role.COORDINATOR)


def _owner(organisation: Organisation, actor: Actor, ticket: Ticket, _: frozenset[str]) -> bool:
    return covers(organisation, actor, ticket.area, *_OWNERS)


def _grid(organisation: Organisation, actor: Actor, ticket: Ticket, _: frozenset[str]) -> bool:
    return covers(organisation, actor, ticket.area, Role.GRID_WORKER, *_OWNERS)


def _staff(organisation: Organisation, actor: Actor, ticket: Ticket, reporters: frozenset[str]) -> bool:
    return _grid(organisation, actor, ticket, reporters) or is_handler(actor, ticket)


def _checker(organisation: Organisation, actor: Actor, ticket: Ticket, reporters: frozenset[str]) -> bool:
    able = _owner(organisation, actor, ticket, reporters) and not is_handler(actor, ticket)
    return able and of_its_level(organisation, actor, ticket)


_RULES: Mapping[Permission, Rule] = {
    Permission.ANYONE: lambda *_: True,
    Permission.REPORTER: lambda _o, actor, _t, reporters: actor.id in reporters,
    Permission.STAFF: _staff,
    Permission.GRID: _grid,
    Permission.OWNER: _owner,
    Permission.CHECKER: _checker,
    Permission.STREET: _street,
    Permission.BOT: lambda *_: False,
}


def allowed(
    organisation: Organisation,
    permission: Permission,
    actor: Actor,
    ticket: Ticket,
    reporters: frozenset[str] = frozenset(),
) -> bool:
    """Whether `actor` may do what needs `permission` to `ticket`, which `reporters` reported."""
    return _RULES[permission](organisation, actor, ticket, reporters)


# Roles that could ever hold a permission: what `#帮助` shows, before any ticket is named.
_ROLES: Mapping[Permission, frozenset[Role]] = {
    Permission.ANYONE: frozenset(Role),
    Permission.REPORTER: frozenset(Role),
    Permission.STAFF: frozenset(
        {Role.GRID_WORKER, Role.GRID_OWNER, Role.UNIT, Role.VOLUNTEER, Role.COORDINATOR, Role.COURIER}
    ),
    Permission.GRID: frozenset({Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR}),
    Permission.OWNER: frozenset({Role.GRID_OWNER, Role.COORDINATOR}),
    Permission.CHECKER: frozenset({Role.GRID_OWNER, Role.COORDINATOR}),
    Permission.STREET: frozenset({Role.COORDINATOR}),
    Permission.BOT: frozenset(),
}


def could(permission: Permission, actor: Actor) -> bool:
    return actor.has(*_ROLES[permission])
