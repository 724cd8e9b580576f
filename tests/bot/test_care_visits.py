"""The day's lists of visits: once, however many processes look at the clock. All names are made up."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from bot.settings import Settings
from bot.timers import Timers
from handlers.rules import Rules
from storage import care
from storage.database import Database
from storage.ids import new_id
from storage.tables import ActionLog, CareVisit, Message, Reply
from tests.support.street import ROOT, Street, make_world

SETTINGS = Settings(organisation=ROOT / "organisation.yaml")
MORNING = datetime(2026, 7, 14, 0, 30, tzinfo=UTC)  # Tuesday, 8:30 in the street
ZHANG = {
    "name": "张春花",
    "kind": "elderly_alone",
    "address": "江岸大厦3栋2单元501",
    "area": "CTM-0101",
    "every_days": 7,
}
LI = {"name": "李家旺", "kind": "disabled", "address": "石梯坎5号", "area": "CTM-0201", "every_days": 7}


def street_of(database: Database) -> Street:
    street = Street(database, make_world())
    street.keep_in_care(ZHANG, LI)
    return street


@pytest.fixture
def street(database: Database) -> Street:
    return street_of(database)


def timers(street: Street, database: Database | None = None) -> Timers:
    return Timers(database or street.database, lambda: street.world, street.clock, SETTINGS)


def told(street: Street) -> list[str]:
    with street.reading() as session:
        found = session.exec(
            select(Reply).where(col(Reply.key).startswith("visits:")).order_by(col(Reply.id))
        )
        return [reply.person for reply in found]


def visits(street: Street) -> list[CareVisit]:
    with street.reading() as session:
        return list(session.exec(select(CareVisit).order_by(col(CareVisit.id))))


def test_in_the_morning_and_once(street: Street) -> None:
    street.clock.now = MORNING - timedelta(seconds=1)
    assert not timers(street).visits("local")
    street.clock.now = MORNING
    assert not timers(street).visits("")  # not logged in yet
    assert timers(street).visits("local")
    assert not timers(street).visits("local")
    assert not timers(street).visits("local")  # restarted in that very minute
    assert told(street) == ["zhou", "deng"]
    street.clock.now = MORNING + timedelta(days=1)
    assert timers(street).visits("local")
    assert told(street) == ["zhou", "deng", "zhou", "deng"]


@pytest.mark.parametrize(
    ("late", "made"),
    [(timedelta(hours=5), True), (timedelta(hours=13), True), (timedelta(hours=14), False)],
)
def test_what_was_missed_is_made_up_for_but_not_at_night(street: Street, late: timedelta, made: bool) -> None:
    street.clock.now = MORNING + late
    assert timers(street).visits("local") is made


def test_not_on_a_public_holiday(street: Street) -> None:
    street.clock.now = datetime(2026, 10, 1, 0, 30, tzinfo=UTC)
    assert not timers(street).visits("local")
    rules = Rules.model_validate({"care": {"visits_on": "all"}})
    street.world = replace(street.world, rules=rules)
    assert timers(street).visits("local")


def test_without_a_register_nothing_is_made(database: Database) -> None:
    street = Street(database, make_world())
    street.clock.now = MORNING
    assert not timers(street).visits("local")


def test_many_processes_in_that_minute_make_them_once(database_url: str) -> None:
    street = street_of(Database(database_url))
    street.clock.now = MORNING
    barrier = threading.Barrier(4)
    made: list[bool] = []

    def process() -> None:
        database = Database(database_url)
        own = timers(street, database)
        barrier.wait()
        made.append(own.visits("local"))
        database.close()

    threads = [threading.Thread(target=process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]
    assert told(street) == ["zhou", "deng"]
    assert len(visits(street)) == 2
    street.database.close()


def test_two_who_tick_off_the_same(street: Street) -> None:
    street.clock.now = MORNING
    timers(street).visits("local")
    (first, _) = visits(street)
    with street.context() as ctx:
        assert care.tick_off(ctx.session, first.id, "zhou", ctx.now, None)
    with street.context() as ctx:
        assert not care.tick_off(ctx.session, first.id, "qin", ctx.now, None)
    assert visits(street)[0].done_by == "zhou"


def _all(street: Street, table: type[Message] | type[Reply] | type[ActionLog]) -> str:
    with street.reading() as session:
        return str([row.model_dump(exclude={"sealed"}) for row in session.exec(select(table))])


@pytest.mark.parametrize(
    "say",
    [
        lambda street: street.say("", "zhou", "已访 张春花 腿好多了"),
        lambda street: street.say("river", "zhou", "#已访 张春花 腿好多了"),
        lambda street: street.say("", "pu", "已访张春花 腿好多了"),
    ],
)
def test_what_is_told_of_a_visit_is_not_kept_in_the_open(
    street: Street, say: Callable[[Street], object]
) -> None:
    street.clock.now = MORNING
    timers(street).visits("local")
    say(street)
    for table in (Message, Reply, ActionLog):
        assert "张春花" not in _all(street, table)
        assert "腿好" not in _all(street, table)


def test_how_it_was_is_kept_sealed(street: Street) -> None:
    street.clock.now = MORNING
    timers(street).visits("local")
    street.say("", "zhou", "已访 1 腿好多了")
    visit = visits(street)[0]
    vault = street.world.care.vault
    assert vault is not None and visit.sealed is not None
    assert vault.open(visit.sealed) == "腿好多了"
    assert visit.done_by == "zhou"


def test_what_the_network_shows_of_it_is_covered(street: Street) -> None:
    """Its own message comes back to the account, and people quote it."""
    (_, whisper) = street.say("river", "zhou", "张春花家路灯坏了")
    assert "张春花（" in whisper.text
    quote = street.quoted(whisper)
    echo = street.incoming("", "local", whisper.text, from_self=True, id=quote.id, row_id=new_id())
    street.hear(echo)
    street.say("", "zhou", "收到", quote=quote)
    assert "独居老人" in _all(street, Message)
    assert timers(street).cover() == 2
    assert "独居老人" not in _all(street, Message)
    assert timers(street).cover() == 0
