"""Who may do what to a ticket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.organisation import Organisation, Role
from storage.tables import Ticket


class Permission(StrEnum):
    ANYONE = "anyone"
    REPORTER = "reporter"  # one of those who reported it
    STAFF = "staff"  # the handler, and grid workers and owners of the area, and the street
    OWNER = "owner"  # the grid owners of the area, and the street
    CHECKER = "checker"  # an owner who did not handle it himself
    STREET = "street"  # coordinators
    BOT = "bot"  # nobody by command


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `id` is the person's id at the chat network."""

    id: str
    name: str
    role: Role
    area: str = ""


BOT = Actor("bot", "bot", Role.BOT)

Rule = Callable[[Organisation, Actor, Ticket, frozenset[str]], bool]


def _covers(organisation: Organisation, actor: Actor, ticket: Ticket) -> bool:
    return organisation.within(ticket.area, actor.area or organisation.root)


def _is_handler(actor: Actor, ticket: Ticket) -> bool:
    return bool(ticket.handler) and ticket.handler == actor.id


def _street(organisation: Organisation, actor: Actor, ticket: Ticket, _: frozenset[str]) -> bool:
    return actor.role is Role.COORDINATOR and _covers(organisation, actor, ticket)


def _owner(organisation: Organisation, actor: Actor, ticket: Ticket, _: frozenset[str]) -> bool:
    return actor.role in {Role.GRID_OWNER, Role.COORDINATOR} and _covers(organisation, actor, ticket)


def _staff(organisation: Organisation, actor: Actor, ticket: Ticket, reporters: frozenset[str]) -> bool:
    worker = actor.role is Role.GRID_WORKER and _covers(organisation, actor, ticket)
    return worker or _is_handler(actor, ticket) or _owner(organisation, actor, ticket, reporters)


def _checker(organisation: Organisation, actor: Actor, ticket: Ticket, reporters: frozenset[str]) -> bool:
    return _owner(organisation, actor, ticket, reporters) and not _is_handler(actor, ticket)


_RULES: Mapping[Permission, Rule] = {
    Permission.ANYONE: lambda *_: True,
    Permission.REPORTER: lambda _o, actor, _t, reporters: actor.id in reporters,
    Permission.STAFF: _staff,
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
    Permission.OWNER: frozenset({Role.GRID_OWNER, Role.COORDINATOR}),
    Permission.CHECKER: frozenset({Role.GRID_OWNER, Role.COORDINATOR}),
    Permission.STREET: frozenset({Role.COORDINATOR}),
    Permission.BOT: frozenset(),
}


def could(permission: Permission, role: Role) -> bool:
    return role in _ROLES[permission]
