"""Which matters are large: the table by itself, and what the ticket's trail says of it."""

from dataclasses import replace

import pytest

from handlers.organisation import GroupKind, RiskKind, RiskPoint, Role
from handlers.track_rules import DEFAULTS, Matter, Track, TrackRule, decide
from storage.database import Database
from tests.support.street import Street

POOL = RiskPoint(code="R1", name="江岸大厦", kind=RiskKind.FLOODING, area="CTM-0101")


@pytest.mark.parametrize(
    ("matter", "track"),
    [
        (Matter("dispute", 3), "large"),
        (Matter("flood", 2), "small"),
        (Matter("flood", 2, point=POOL), "large"),
        (Matter("safety", 2, point=POOL), "large"),
        (Matter("safety", 1, point=POOL), "small"),
        (Matter("service", 2, point=POOL), "small"),
    ],
)
def test_the_usual_table(matter: Matter, track: str) -> None:
    assert decide(DEFAULTS, matter) == track


def test_the_first_line_that_fits_decides() -> None:
    rules = [
        TrackRule(kind=GroupKind.COURIER, track=Track.SMALL),
        TrackRule(risk_point=RiskKind.FLOODING, track=Track.LARGE),
    ]
    assert decide(rules, Matter("flood", 1, GroupKind.COURIER, POOL)) is Track.SMALL
    assert decide(rules, Matter("flood", 1, None, POOL)) is Track.LARGE
    assert (
        decide(rules, Matter("flood", 1, None, POOL.model_copy(update={"kind": RiskKind.TREE})))
        is Track.SMALL
    )
    assert decide([], Matter("flood", 3)) is Track.SMALL


def test_of_two_risk_points_the_longer_name(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    street = Street(database)
    garage = RiskPoint(code="R2", name="江岸大厦负二楼车库", area="CTM-0101")
    points = {point.code: point for point in (POOL, garage)}
    street.world = replace(street.world, organisation=replace(street.world.organisation, risk_points=points))
    street.say("river", "tang", "江岸大厦大堂电线掉了")
    street.say("river", "tang", "江岸大厦B2车库水管爆了")
    assert [ticket.risk_point for ticket in street.tickets()] == ["R1", "R2"]
    database.close()


def test_closed_unchecked_only_where_nobody_else_is(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    street = Street(database)
    people = {p.id: p for p in street.world.organisation.people.values() if not p.has(Role.COORDINATOR)}
    street.world = replace(street.world, organisation=replace(street.world.organisation, people=people))
    street.say("river", "tang", "江岸大厦有人被困")
    street.say("river", "zhou", "#办结 人出来了")
    closed = street.events()[-1]
    assert (closed.action, closed.data["unchecked"]) == ("close", True)
    assert closed.data["changed"]["state"] == ["accepted", "closed"]
    database.close()


def test_the_event_that_made_it_large_says_so(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    street = Street(database)
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#大事 1 漏电")
    lifted = street.events()[-1]
    assert (lifted.action, lifted.note, lifted.data["changed"]) == (
        "lift",
        "漏电",
        {"track": ["small", "large"]},
    )
    database.close()
