"""Who may do what, as one table."""

import pytest

from handlers.directory import load_organisation
from handlers.organisation import Role
from handlers.permissions import Actor, Permission, allowed, could
from storage.tables import Ticket
from tests.support.street import ROOT

ORGANISATION = load_organisation(ROOT / "organisation.yaml")
# Of a ticket in the river-front grid (CTM-0101), reported by tang, handled by he.
TABLE = """
                    anyone reporter staff owner checker street
    tang            yes    yes      no    no    no      no
    passer-by       yes    no       no    no    no      no
    xiong           yes    no       no    no    no      no
    he              yes    no       yes   no    no      no
    qin             yes    no       yes   no    no      no
    powerco         yes    no       no    no    no      no
    zhou            yes    no       yes   yes   yes     no
    deng            yes    no       no    no    no      no
    fan             yes    no       yes   yes   yes     yes
    pu              yes    no       yes   yes   yes     yes
"""
_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
CASES = [
    (row[0], permission, answer == "yes")
    for row in _ROWS
    for permission, answer in zip(_HEAD, row[1:], strict=True)
]


def _actor(person_id: str) -> Actor:
    person = ORGANISATION.person(person_id)
    if person is None:
        return Actor(person_id, person_id, Role.RESIDENT)
    return Actor(person.id, person.name, person.role, person.area)


def _ticket(handler: str | None) -> Ticket:
    return Ticket(area="CTM-0101", handler=handler, owner="zhou", state="in_progress")


@pytest.mark.parametrize(("who", "permission", "wanted"), CASES)
def test_table(who: str, permission: str, wanted: bool) -> None:
    ticket = _ticket("he")
    assert allowed(ORGANISATION, Permission(permission), _actor(who), ticket, frozenset({"tang"})) is wanted


def test_nobody_is_the_bot() -> None:
    assert not allowed(ORGANISATION, Permission.BOT, _actor("pu"), _ticket(None))


def test_nobody_checks_what_he_did_himself() -> None:
    assert not allowed(ORGANISATION, Permission.CHECKER, _actor("zhou"), _ticket("zhou"))
    assert allowed(ORGANISATION, Permission.CHECKER, _actor("fan"), _ticket("zhou"))


def test_a_coordinator_of_another_community_may_not() -> None:
    ticket = Ticket(area="CTM-0201", state="reported")
    assert not allowed(ORGANISATION, Permission.OWNER, _actor("fan"), ticket)
    assert allowed(ORGANISATION, Permission.OWNER, _actor("pu"), ticket)


def test_who_could_ever_may() -> None:
    """Whoever is allowed something is shown it by the help, but for residents who were given a matter."""
    for who, permission, wanted in CASES:
        if wanted:
            assert could(Permission(permission), _actor(who)), (who, permission)
